import { chmod, open, stat } from 'node:fs/promises';
import path from 'node:path';
import { StartError } from '../../errors/index.ts';
import type { Clock } from '../../lib/clock.ts';
import { syncFolder } from '../../lib/sync-folder.ts';
import type { Migration } from '../migrations/index.ts';
import { BUSY_TIMEOUT_MS } from './begin-immediate.ts';
import { startFailure } from './failures.ts';
import { migrate } from './migrate.ts';
import { refuseForeignDatabase } from './schema-version.ts';
import { SqliteDatabase } from './sqlite-database.ts';

/** The two connections of a store: WAL lets the reader go on, on what is committed, while the writer is in a transaction. */
export interface Connections {
  readonly writer: SqliteDatabase;
  readonly reader: SqliteDatabase;
  /** Version of the schema before it was brought up to date just now; 0 for a new database. */
  readonly schemaBefore: number;
}

/**
 * Opens a database file, made when absent, and brings its schema up to date. Everything that is committed through the writer survives
 * a power cut.
 *
 * @throws StartError when a person has to change something first; the file is left as it was.
 */
export async function openConnections(options: {
  readonly file: string;
  readonly clock: Clock;
  readonly migrations: readonly Migration[];
}): Promise<Connections> {
  const file = path.resolve(options.file);
  const opened: SqliteDatabase[] = [];
  try {
    await makePrivateFile(file);
    const writer = new SqliteDatabase(file, { readOnly: false, busyTimeoutMs: BUSY_TIMEOUT_MS });
    opened.push(writer);
    refuseForeignDatabase(writer, file, options.migrations);
    configure(writer, file);
    const reader = new SqliteDatabase(file, { readOnly: true, busyTimeoutMs: BUSY_TIMEOUT_MS });
    opened.push(reader);
    const schemaBefore = await migrate({ writer, reader, file, clock: options.clock, migrations: options.migrations });
    return { writer, reader, schemaBefore };
  } catch (error) {
    for (const database of opened.toReversed()) database.close();
    throw startFailure(error, file);
  }
}

// SQLite gives -wal and -shm the mode of the database. The file is never opened and closed here once SQLite may use it: closing any
// descriptor of a file drops all POSIX locks that this process holds on it (sqlite.org/howtocorrupt.html §2.2).
async function makePrivateFile(file: string): Promise<void> {
  if (await createEmpty(file)) {
    await syncFolder(path.dirname(file));
    return;
  }
  for (const name of [file, `${file}-wal`, `${file}-shm`]) {
    const stats = await stat(name).catch(() => undefined);
    if (stats === undefined) continue;
    if (!stats.isFile()) throw new StartError(`${name} is not a file: move it away, or correct the path.`);
    if ((stats.mode & 0o077) !== 0) await chmod(name, 0o600);
  }
}

async function createEmpty(file: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx', 0o600);
    await handle.close();
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

function configure(writer: SqliteDatabase, file: string): void {
  if (writer.pragma('journal_mode = WAL') !== 'wal') {
    throw new StartError(`The file system of ${file} cannot hold the database: it needs shared memory, as local disks have.`);
  }
  writer.pragma('synchronous = FULL');
  // macOS: a plain fsync leaves the data in the drive's cache.
  writer.pragma('fullfsync = ON');
  writer.pragma('foreign_keys = ON');
  // Ciphertexts of values that were replaced or deleted do not linger in free pages.
  writer.pragma('secure_delete = ON');
}
