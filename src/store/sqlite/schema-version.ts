import { StartError } from '../../errors/index.ts';
import type { Migration } from '../migrations/index.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

/** Marks our files in SQLite's header: "PORT" in ASCII. */
const APPLICATION_ID = 0x504f_5254;

/** The version a database is at; 0 when it is empty. */
export function readSchemaVersion(database: SqliteDatabase): number {
  if (database.pragma('application_id') !== APPLICATION_ID) return 0;
  return database.get<{ version: number }>('SELECT max(version) AS version FROM schema_migrations')?.version ?? 0;
}

/** Marks an empty database as ours. */
export function createVersionTable(database: SqliteDatabase): void {
  database.execute(`
    PRAGMA application_id = ${APPLICATION_ID};
    CREATE TABLE schema_migrations (
      version INTEGER NOT NULL PRIMARY KEY,
      name TEXT NOT NULL,
      oldest_compatible INTEGER NOT NULL,
      applied_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
  `);
}

export function recordMigration(database: SqliteDatabase, migration: Migration, at: number): void {
  database.run(
    'INSERT INTO schema_migrations (version, name, oldest_compatible, applied_at) VALUES (?, ?, ?, ?)',
    migration.version,
    migration.name,
    migration.oldestCompatible,
    at,
  );
}

/**
 * Reads only. A database at a later version is fine as long as its migrations say that this software still runs on it.
 *
 * @throws StartError for another program's database, and for one that needs newer software.
 */
export function refuseForeignDatabase(database: SqliteDatabase, file: string, migrations: readonly Migration[]): void {
  if (database.pragma('application_id') !== APPLICATION_ID) {
    const found = database.get<{ name: string }>('SELECT name FROM sqlite_schema LIMIT 1');
    if (found === undefined && database.pragma('application_id') === 0) return;
    throw new StartError(`${file} is a database of another program: move it away, or correct the path.`);
  }
  const known = migrations.at(-1)?.version ?? 0;
  const needed = database.get<{ needed: number | null }>('SELECT max(oldest_compatible) AS needed FROM schema_migrations')?.needed ?? 0;
  if (needed > known) {
    throw new StartError(
      `The database ${file} was written by a newer version of Portcullis (it needs schema ${needed}, this version knows ${known}): ` +
        'start the newer version, or restore a copy from before the upgrade.',
    );
  }
}
