import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { link, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { StartError } from '../../errors/index.ts';
import { syncFolder } from '../../lib/sync-folder.ts';

/**
 * Writes text, compressed with gzip, to a new file (mode 0600), complete and on the disk or not at all.
 *
 * @throws StartError when there is such a file already, or it cannot be written
 */
export async function writeFileDurably(file: string, text: AsyncIterable<string>): Promise<void> {
  const temporary = `${file}.${randomUUID()}.tmp`;
  try {
    await pipeline(Readable.from(text), createGzip(), createWriteStream(temporary, { flags: 'wx', mode: 0o600, flush: true }));
    await moveToNewName(temporary, file);
    await syncFolder(path.dirname(file));
  } catch (cause) {
    await rm(temporary, { force: true });
    if (!(cause instanceof Error) || !('syscall' in cause)) throw cause;
    const code = 'code' in cause ? String(cause.code) : '';
    if (code === 'EEXIST') throw new StartError(`${file} exists already: name another file.`, { cause });
    throw new StartError(`${file} cannot be written (${code}): check its folder, its permissions and the free space.`, { cause });
  }
}

// A link fails where a rename would silently replace another backup; a file system without links gets a name of its own first.
async function moveToNewName(temporary: string, file: string): Promise<void> {
  try {
    await link(temporary, file);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && /^(EPERM|ENOTSUP|EOPNOTSUPP|ENOSYS|EMLINK)$/.test(String(error.code)))) throw error;
    await (await open(file, 'wx', 0o600)).close();
    await rename(temporary, file);
    return;
  }
  await rm(temporary);
}
