import { StartError } from '../../errors/index.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Migration } from '../migrations/index.ts';
import type { DatabaseOptions } from './client-settings.ts';
import type { PostgresConnection } from './postgres-connection.ts';
import { PostgresDatabase } from './postgres-database.ts';
import { runTransaction } from './run-transaction.ts';
import { createVersionTable, readSchemaState, recordMigration, refuseForeignSchema } from './schema-version.ts';

/** The oldest version that is tested, as `server_version_num`. */
const OLDEST_SERVER = 140_000;
/** Rewriting a large table may take its time, and other control planes that start wait for it. */
const TIMEOUT_MS = 600_000;

/**
 * Runs the migrations that a schema lacks, all in one transaction and under the write lock: of several control planes that start at
 * once one migrates, and the others find it done. Older ones that run on the schema wait as long as it takes.
 *
 * Returns the version that the schema had; 0 for a new one.
 *
 * @throws StartError, PostgresFailure; then nothing has changed.
 */
export async function migrate(options: {
  readonly database: DatabaseOptions;
  readonly clock: Clock;
  readonly migrations: readonly Migration[];
}): Promise<number> {
  // Not the store's own connections: those do not wait for so long.
  const database = new PostgresDatabase({ ...options.database, connections: 1, statementTimeoutMs: TIMEOUT_MS });
  try {
    await database.lend((connection) => refuseUnfitServer(connection, options.database.address.description));
    return await runTransaction(database, TIMEOUT_MS, (connection) => migrateSchema(connection, options));
  } finally {
    await database.close();
  }
}

/** Runs the migrations that the schema lacks in the transaction of the connection, which holds the write lock. Returns the version before. @throws StartError */
export async function migrateSchema(connection: PostgresConnection, options: Parameters<typeof migrate>[0]): Promise<number> {
  const { clock, migrations } = options;
  const { schema, address } = options.database;
  const known = migrations.at(-1)?.version ?? 0;
  const state = await readSchemaState(connection, schema);
  refuseForeignSchema(state, { schema, database: address.description }, known);
  if (state.kind === 'empty') await createVersionTable(connection, schema, state.exists);
  const version = state.kind === 'ours' ? state.version : 0;
  const at = Math.floor(clock.nowMs() / 1000);
  for (const migration of migrations) {
    if (migration.version <= version) continue;
    await connection.execute(migration.postgres);
    await recordMigration(connection, migration, at);
  }
  return version;
}

/** @throws StartError for a server that is too old, or a database that cannot hold all text */
export async function refuseUnfitServer(connection: PostgresConnection, database: string): Promise<void> {
  const server = await connection.get<{ version: number; name: string; encoding: string }>(
    `SELECT current_setting('server_version_num')::integer AS version, current_setting('server_version') AS name,
       current_setting('server_encoding') AS encoding`,
  );
  if (server === undefined) return;
  if (server.version < OLDEST_SERVER) {
    throw new StartError(`The server of ${database} is PostgreSQL ${server.name}: Portcullis needs 14 or newer.`);
  }
  if (server.encoding !== 'UTF8') {
    throw new StartError(`${database.replace(/^t/, 'T')} has the encoding ${server.encoding}: create one with ENCODING 'UTF8'.`);
  }
}
