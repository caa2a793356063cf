import type { Clock } from '../../lib/clock.ts';
import type { Migration } from '../migrations/index.ts';
import { beginImmediate } from './begin-immediate.ts';
import { keepCopy } from './keep-copy.ts';
import { createVersionTable, readSchemaVersion, recordMigration, refuseForeignDatabase } from './schema-version.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

/**
 * Runs the migrations a database lacks, all in one transaction. A database that holds something already is copied first, while the
 * write lock is held, so that the copy lacks nothing that was committed before the migration.
 *
 * Returns the version that the schema had; 0 for a new database.
 *
 * @throws StartError, SqliteFailure; then nothing has changed.
 */
export async function migrate(options: {
  readonly writer: SqliteDatabase;
  readonly reader: SqliteDatabase;
  readonly file: string;
  readonly clock: Clock;
  readonly migrations: readonly Migration[];
}): Promise<number> {
  const { writer, reader, file, migrations } = options;
  await beginImmediate(writer);
  try {
    // Another process may have migrated since the file was opened.
    refuseForeignDatabase(writer, file, migrations);
    const version = readSchemaVersion(writer);
    const pending = migrations.filter((migration) => migration.version > version);
    const target = pending.at(-1)?.version;
    if (target !== undefined) {
      if (version === 0) createVersionTable(writer);
      else await keepCopy(reader, file, target);
      const at = Math.floor(options.clock.nowMs() / 1000);
      for (const migration of pending) {
        writer.execute(migration.sqlite);
        recordMigration(writer, migration, at);
      }
    }
    writer.execute('COMMIT');
    return version;
  } catch (error) {
    if (writer.inTransaction) writer.execute('ROLLBACK');
    throw error;
  }
}
