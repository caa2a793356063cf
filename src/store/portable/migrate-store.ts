import path from 'node:path';
import { StartError } from '../../errors/index.ts';
import type { Clock } from '../../lib/clock.ts';
import { MIGRATIONS } from '../migrations/index.ts';
import { parseDatabaseUrl } from '../postgres/database-url.ts';
import { startFailure } from '../postgres/failures.ts';
import type { PostgresStoreOptions } from '../postgres/index.ts';
import { migrateSchema, refuseUnfitServer } from '../postgres/migrate.ts';
import type { PostgresConnection } from '../postgres/postgres-connection.ts';
import { runTransaction } from '../postgres/run-transaction.ts';
import { readSchemaState, refuseForeignSchema } from '../postgres/schema-version.ts';
import { beginImmediate } from '../sqlite/begin-immediate.ts';
import { startFailure as sqliteFailure } from '../sqlite/failures.ts';
import { readSchemaVersion } from '../sqlite/schema-version.ts';
import { SqliteDatabase } from '../sqlite/sqlite-database.ts';
import { describeContents } from './describe-contents.ts';
import { fillPostgres } from './fill-postgres.ts';
import { LONG_TRANSACTION, openForLong } from './long-transaction.ts';
import type { TableSummary } from './portable-table.ts';
import { readPostgres } from './read-postgres.ts';
import { readSqlite } from './read-sqlite.ts';
import { differingTables, summarise } from './summarise.ts';

/** What a migration found or did. */
export interface MigratedStore {
  /** `complete`: an earlier run has done it, and nothing was written since. */
  readonly kind: 'copied' | 'complete';
  readonly tables: ReadonlyMap<string, TableSummary>;
}

/**
 * Copies a store on SQLite, whose schema is up to date, into an empty schema on PostgreSQL, in one transaction: whoever opens it finds all or
 * nothing, and a run that was cut off is repeated. Ids, revisions, numbers, digests and ciphertexts stay as they are, and all of it is read
 * back and compared. Until the end nobody can write to the SQLite store.
 *
 * @throws StartError when the target holds something else, or one of the two cannot be used; nothing is changed then
 */
export async function migrateStore(options: {
  readonly file: string;
  readonly target: PostgresStoreOptions;
  readonly clock: Clock;
}): Promise<MigratedStore> {
  const file = path.resolve(options.file);
  const opened: SqliteDatabase[] = [];
  const open = (readOnly: boolean): SqliteDatabase => {
    const source = new SqliteDatabase(file, { readOnly, busyTimeoutMs: 5_000 });
    opened.push(source);
    return source;
  };
  try {
    const lock = open(false);
    await beginImmediate(lock);
    const source = open(true);
    refuseNewerSchema(file, readSchemaVersion(source));
    return await copy(source, options);
  } catch (error) {
    throw startFailure(sqliteFailure(error, file), parseDatabaseUrl(options.target.url));
  } finally {
    for (const database of opened.toReversed()) database.close();
  }
}

async function copy(
  source: SqliteDatabase,
  { target, clock }: Pick<Parameters<typeof migrateStore>[0], 'target' | 'clock'>,
): Promise<MigratedStore> {
  const database = openForLong(target);
  const description = database.options.address.description;
  try {
    await database.lend((connection) => refuseUnfitServer(connection, description));
    return await runTransaction(database, target.timeoutMs, async (connection): Promise<MigratedStore> => {
      await connection.execute(LONG_TRANSACTION);
      const held = await summariseTarget(connection, target.schema, description);
      if (isFilled(held)) {
        const tables = await summarise(readSqlite(source));
        if (differingTables(tables, held).length === 0) return { kind: 'complete', tables };
        const contents = await describeContents(connection);
        throw new StartError(
          `The schema "${target.schema}" of ${description} holds another store (${contents}): name an empty database, or another schema with --database-schema.`,
        );
      }
      await migrateSchema(connection, { database: database.options, clock, migrations: MIGRATIONS });
      return { kind: 'copied', tables: await fillPostgres(connection, readSqlite(source)) };
    });
  } finally {
    await database.close();
  }
}

/** What the target has; empty for a new one. @throws StartError for what is not ours */
async function summariseTarget(
  connection: PostgresConnection,
  schema: string,
  database: string,
): Promise<ReadonlyMap<string, TableSummary>> {
  const state = await readSchemaState(connection, schema);
  refuseForeignSchema(state, { schema, database }, newestSchema());
  return state.kind === 'ours' ? summarise(readPostgres(connection)) : new Map();
}

function isFilled(tables: ReadonlyMap<string, TableSummary>): boolean {
  return [...tables.values()].some(({ rows }) => rows > 0);
}

function newestSchema(): number {
  return MIGRATIONS.at(-1)?.version ?? 0;
}

function refuseNewerSchema(file: string, version: number): void {
  if (version === 0) throw new StartError(`${file} holds no store of Portcullis: correct --data-dir.`);
  if (version > newestSchema()) {
    throw new StartError(`The database ${file} was written by a newer version of Portcullis: migrate it with that version.`);
  }
}
