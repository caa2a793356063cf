import { parseDatabaseUrl } from './database-url.ts';
import { startFailure } from './failures.ts';
import { PostgresDatabase } from './postgres-database.ts';
import type { PostgresStoreOptions } from './postgres-store.ts';
import { readSchemaState } from './schema-version.ts';

/** Whether anything lies in the schema: only a control plane, or who fills one, makes a store where there is none. @throws StartError when nobody can tell */
export async function holdsPostgresStore(options: PostgresStoreOptions): Promise<boolean> {
  const address = parseDatabaseUrl(options.url);
  const database = new PostgresDatabase({ ...options, address, connections: 1 });
  try {
    return (await database.lend((connection) => readSchemaState(connection, options.schema))).kind !== 'empty';
  } catch (error) {
    throw startFailure(error, address);
  } finally {
    await database.close();
  }
}
