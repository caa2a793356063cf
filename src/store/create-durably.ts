import { randomUUID } from 'node:crypto';
import { link, open, rename, unlink } from 'node:fs/promises';
import path from 'node:path';
import { syncFolder } from '../lib/sync-folder.ts';

/**
 * Makes `file` (mode 0600) with `text` in it, complete and on the disk, or not at all; false when there was one already, which is
 * left alone.
 */
export async function createDurably(file: string, text: string): Promise<boolean> {
  const temporary = `${file}.${randomUUID()}.tmp`;
  const handle = await open(temporary, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  const created = await moveIntoPlace(temporary, file);
  await syncFolder(path.dirname(file));
  return created;
}

// A link fails where a rename would silently replace what another process has just made; a file system without links gets the rename.
async function moveIntoPlace(temporary: string, file: string): Promise<boolean> {
  try {
    await link(temporary, file);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) {
      await rename(temporary, file);
      return true;
    }
    await unlink(temporary);
    return false;
  }
  await unlink(temporary);
  return true;
}
