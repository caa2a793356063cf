import { freshSchemaName, postgresForTests, queryPostgres } from '../../../test-support/postgres-server.ts';
import type { PostgresStoreOptions } from '../../store/index.ts';

/** A database for one test. */
interface TestDatabase {
  readonly options: PostgresStoreOptions;
  drop(): Promise<void>;
}

/** With `PORTCULLIS_TEST_STORE=postgres` a schema of the tests' PostgreSQL server; else undefined, for a store in a file. */
export async function testDatabase(): Promise<TestDatabase | undefined> {
  if (process.env.PORTCULLIS_TEST_STORE !== 'postgres') return undefined;
  const postgres = await postgresForTests();
  if (postgres.kind === 'none') {
    if (process.env.PORTCULLIS_FORBID_SKIPS === '1') throw new Error(postgres.reason);
    process.stderr.write(`${postgres.reason}\n`);
    return undefined;
  }
  const { url } = postgres;
  const schema = freshSchemaName();
  return {
    options: { url, schema, connections: 4, timeoutMs: 5000, statementTimeoutMs: 15_000, patienceMs: 0 },
    drop: async () => {
      await queryPostgres(url, `DROP SCHEMA IF EXISTS ${schema} CASCADE`);
    },
  };
}
