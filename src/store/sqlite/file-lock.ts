import { open } from 'node:fs/promises';
import { SqliteDatabase, SqliteFailure } from './sqlite-database.ts';

/** A lock on a file, held by the kernel (decision 4): it lasts as long as its process lives, however long that is stopped, and ends with it. */
export interface FileLock {
  release(): void;
}

/**
 * Takes the lock of a file that is for nothing else, and makes it where there is none. Undefined while another holds it.
 *
 * @throws SqliteFailure where the file system has no locks, Error when the file cannot be made
 */
export async function takeFileLock(file: string): Promise<FileLock | undefined> {
  await makeEmpty(file);
  const database = new SqliteDatabase(file, { readOnly: false, busyTimeoutMs: 0 });
  try {
    database.execute('BEGIN EXCLUSIVE');
    return { release: () => database.close() };
  } catch (error) {
    database.close();
    if (error instanceof SqliteFailure && error.code.startsWith('SQLITE_BUSY')) return undefined;
    throw error;
  }
}

// Not opened where it is there: closing any descriptor of a file drops all locks that this process holds on it.
async function makeEmpty(file: string): Promise<void> {
  try {
    await (await open(file, 'wx', 0o600)).close();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}
