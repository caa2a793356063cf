import path from 'node:path';
import type { TestContext } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { freshSchemaName, queryPostgres } from '../../../test-support/postgres-server.ts';
import { temporaryFolder } from '../../../test-support/temporary-folder.ts';
import type { Clock } from '../../lib/clock.ts';
import { systemRandom } from '../../lib/random.ts';
import type { StoreHistory } from '../history.ts';
import { openKeyring } from '../keyring.ts';
import type { StoreKeys } from '../keys/index.ts';
import { openPostgresStore, type PostgresStoreOptions } from '../postgres/postgres-store.ts';
import type { RevisionHints, Store } from '../store.ts';
import type { StoreUsage } from '../usage.ts';

/** A schema for one test, with a keyring; the stores opened through it are closed before it is dropped. */
export interface DatabaseSchema {
  /** Names the schema as the application too: connections of its stores bear it. */
  readonly url: string;
  readonly schema: string;
  readonly keyringFile: string;
  readonly options: PostgresStoreOptions;
  readonly open: (
    changed?: Partial<PostgresStoreOptions> & { readonly keyringFile?: string; readonly onProgress?: (message: string) => void },
  ) => Promise<Store & StoreHistory & StoreUsage & StoreKeys & RevisionHints>;
  /** A statement in the schema. */
  readonly query: (sql: string, values?: readonly unknown[]) => Promise<readonly Record<string, unknown>[]>;
}

export async function makeDatabaseSchema(
  test: Pick<TestContext, 'after'>,
  url: string,
  clock: Clock = new FakeClock(),
): Promise<DatabaseSchema> {
  const schema = freshSchemaName();
  const keyringFile = path.join(await temporaryFolder(test), 'keyring.json');
  // So that a test can tell its own connections from all others of the server.
  const named = new URL(url);
  named.searchParams.set('application_name', schema);
  const options = { url: named.href, schema, connections: 4, timeoutMs: 5000, statementTimeoutMs: 30_000, patienceMs: 0 };
  const opened: Store[] = [];
  test.after(async () => {
    await Promise.all(opened.map((store) => store.close()));
    await queryPostgres(url, `DROP SCHEMA IF EXISTS ${schema} CASCADE`);
  });
  const open: DatabaseSchema['open'] = async (changed = {}) => {
    const keyring = await openKeyring({ file: changed.keyringFile ?? keyringFile, random: systemRandom });
    const store = await openPostgresStore({ ...options, ...changed, keyring, clock });
    opened.push(store);
    return store;
  };
  const query: DatabaseSchema['query'] = async (sql, values) => {
    const inSchema = new URL(url);
    inSchema.searchParams.set('options', `-c search_path=${schema}`);
    return queryPostgres(inSchema.href, sql, values);
  };
  return { url: named.href, schema, keyringFile, options, open, query };
}
