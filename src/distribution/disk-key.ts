import { link, open, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Random } from '../lib/random.ts';
import type { Logger } from '../observability/logger.ts';

const KEY_BYTES = 32;
const FILE_NAME = 'disk.key';

/**
 * The key that encrypts this folder's journal: `disk.key`, made on first use, mode 0600. It appears as a whole or not at all, and
 * of two processes that make one at the same time both get the same. A file that holds no key is set aside, because a journal that
 * cannot be read is only a copy and the control plane has the original.
 */
export async function openDiskKey(folder: string, random: Random, log: Logger): Promise<Buffer> {
  const file = path.join(folder, FILE_NAME);
  const kept = await readKey(file);
  if (kept?.length === KEY_BYTES) return kept;
  if (kept !== undefined) {
    log.warn('the key of the disk copy is damaged; a new copy is begun');
    await rename(file, `${file}.damaged`);
  }
  await makeKey(file, random);
  const made = await readKey(file);
  if (made?.length !== KEY_BYTES) throw new Error('the key of the disk copy could not be made');
  return made;
}

async function readKey(file: string): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

async function makeKey(file: string, random: Random): Promise<void> {
  const draft = `${file}.${random.bytes(8).toString('hex')}`;
  const handle = await open(draft, 'wx', 0o600);
  try {
    await handle.writeFile(random.bytes(KEY_BYTES));
    await handle.sync();
  } finally {
    await handle.close();
  }
  try {
    // Unlike a rename, a link never replaces the key that another process has just made.
    await link(draft, file);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    await rm(draft, { force: true });
  }
}
