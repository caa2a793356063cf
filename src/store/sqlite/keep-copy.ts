import { open, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { syncFolder } from '../../lib/sync-folder.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

const COPIES_KEPT = 3;

/**
 * Writes what is committed to `<file>.before-<version>` (mode 0600), complete and on the disk or not at all, and keeps the three copies
 * of the highest versions.
 */
export async function keepCopy(reader: SqliteDatabase, file: string, version: number): Promise<void> {
  const copy = `${file}.before-${version}`;
  const temporary = `${copy}.tmp`;
  await rm(temporary, { force: true });
  // VACUUM INTO accepts an empty file, and so never makes one that others may read.
  const handle = await open(temporary, 'wx', 0o600);
  try {
    reader.run('VACUUM INTO ?', temporary);
    await handle.sync();
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
  await rename(temporary, copy);
  await removeOldCopies(file);
  await syncFolder(path.dirname(file));
}

async function removeOldCopies(file: string): Promise<void> {
  const folder = path.dirname(file);
  const prefix = `${path.basename(file)}.before-`;
  const versions = (await readdir(folder))
    .filter((name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
    .map((name) => Number(name.slice(prefix.length)))
    .sort((a, b) => b - a);
  for (const version of versions.slice(COPIES_KEPT)) await rm(`${file}.before-${version}`, { force: true });
}
