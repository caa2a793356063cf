import path from 'node:path';
import type { KeyringCheck } from '../keyring-checks.ts';
import { KEYRING_STATE_SETTING, parseKeyringState } from '../keys/keyring-state.ts';
import { parseDatabaseUrl } from '../postgres/database-url.ts';
import { startFailure as postgresFailure } from '../postgres/failures.ts';
import type { PostgresStoreOptions } from '../postgres/index.ts';
import { readOneState } from '../postgres/run-transaction.ts';
import { startFailure as sqliteFailure } from '../sqlite/failures.ts';
import { readSchemaVersion } from '../sqlite/schema-version.ts';
import { SqliteDatabase } from '../sqlite/sqlite-database.ts';
import { LONG_TRANSACTION, openForLong } from './long-transaction.ts';
import type { StorePart } from './portable-table.ts';
import { readPostgres } from './read-postgres.ts';
import { readSqlite } from './read-sqlite.ts';

/** Where a store lies. */
export type StorePlace =
  | { readonly kind: 'sqlite'; readonly file: string }
  | { readonly kind: 'postgres'; readonly options: PostgresStoreOptions };

/** A store in one state, whatever is written meanwhile. */
export interface StoreState {
  /** The version of its schema. */
  readonly schema: number;
  readonly keyringChecks: readonly KeyringCheck[];
  /** Id of the key that encrypts; undefined in a store of a version that does not say. */
  readonly currentKeyId: string | undefined;
  readonly parts: AsyncIterable<StorePart>;
}

const BUSY_TIMEOUT_MS = 5_000;
/** Lends one state of the store that lies at a place. Writers are not kept waiting. @throws StartError when it cannot be read */
export async function withStoreState<Result>(place: StorePlace, work: (state: StoreState) => Promise<Result>): Promise<Result> {
  if (place.kind === 'sqlite') return withSqliteState(path.resolve(place.file), work);
  const database = openForLong(place.options);
  try {
    return await readOneState(database, async (connection) => {
      await connection.execute(LONG_TRANSACTION);
      const version = await connection.get<{ version: number }>('SELECT coalesce(max(version), 0) AS version FROM schema_migrations');
      const state = await connection.get<{ value: Buffer }>('SELECT value FROM settings WHERE name = $1', KEYRING_STATE_SETTING);
      return work({
        schema: version?.version ?? 0,
        currentKeyId: parseKeyringState(state?.value.toString())?.current,
        keyringChecks: await connection.all<KeyringCheck>('SELECT key_id, sealed FROM keyring_checks'),
        parts: readPostgres(connection),
      });
    });
  } catch (error) {
    throw postgresFailure(error, parseDatabaseUrl(place.options.url));
  } finally {
    await database.close();
  }
}

async function withSqliteState<Result>(file: string, work: (state: StoreState) => Promise<Result>): Promise<Result> {
  let database: SqliteDatabase | undefined;
  try {
    database = new SqliteDatabase(file, { readOnly: true, busyTimeoutMs: BUSY_TIMEOUT_MS });
    database.execute('BEGIN');
    const state = database.get<{ value: Buffer }>('SELECT value FROM settings WHERE name = ?', KEYRING_STATE_SETTING);
    return await work({
      schema: readSchemaVersion(database),
      currentKeyId: parseKeyringState(state?.value.toString())?.current,
      keyringChecks: database.all<KeyringCheck>('SELECT key_id, sealed FROM keyring_checks'),
      parts: readSqlite(database),
    });
  } catch (error) {
    throw sqliteFailure(error, file);
  } finally {
    database?.close();
  }
}
