import path from 'node:path';
import { PortcullisError, StartError } from '../../errors/index.ts';
import { isDiskFull } from '../../lib/is-disk-full.ts';
import { SqliteFailure } from './sqlite-database.ts';

/** What a failure at run time means to the caller: `store_unavailable` for SQLite's own, everything else as it is. */
export function runFailure(error: unknown): unknown {
  if (!(error instanceof SqliteFailure)) return error;
  return new PortcullisError('store_unavailable', { detail: `the store failed: ${error.message}`, cause: error });
}

/** What a failure at the start means to a person: one sentence for each cause that a person can remove. */
export function startFailure(error: unknown, file: string): unknown {
  if (error instanceof StartError || !(error instanceof Error)) return error;
  const told = 'code' in error && typeof error.code === 'string' ? error.code : '';
  // SQLite names an error of the disk what is often want of room, and nobody should restore a backup for that.
  const code = told.startsWith('SQLITE_IOERR') && isDiskFull(path.dirname(file)) ? 'SQLITE_FULL' : told;
  const sentence = SENTENCES.find(([pattern]) => pattern.test(code))?.[1];
  return sentence === undefined ? error : new StartError(sentence(file), { cause: error });
}

const SENTENCES: readonly (readonly [RegExp, (file: string) => string])[] = [
  [/^SQLITE_NOTADB/, (file) => `${file} is not a database: move it away, or restore it from a backup.`],
  [/^SQLITE_CORRUPT/, (file) => `The database ${file} is damaged: restore it from a backup.`],
  [/^SQLITE_FULL|^ENOSPC|^EDQUOT/, (file) => `The disk that holds ${file} is full: free some space and start again.`],
  [/^SQLITE_BUSY|^SQLITE_LOCKED/, (file) => `The database ${file} is locked by another process: end that process and start again.`],
  [/^ENOENT|^ENOTDIR/, (file) => `The folder of the database ${file} does not exist: make it, or correct the path.`],
  [
    /^SQLITE_(CANTOPEN|READONLY|PERM|AUTH)|^EACCES|^EPERM|^EROFS|^EISDIR/,
    (file) => `The database ${file} cannot be written: check that it is a file, and its permissions and those of its folder.`,
  ],
  [
    /^SQLITE_IOERR|^EIO/,
    (file) => `The disk that holds ${file} reports errors: check it, and restore the database from a backup where it was damaged.`,
  ],
];
