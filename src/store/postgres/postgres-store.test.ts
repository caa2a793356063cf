import { postgresForTests } from '../../../test-support/postgres-server.ts';
import { withPostgres } from '../../../test-support/with-postgres.ts';
import { runStoreContract } from '../store.contract.ts';
import { makeDatabaseSchema } from '../testing/database-schema.ts';

const postgres = await postgresForTests();
if (postgres.kind === 'none') withPostgres('the store contract on PostgreSQL', async () => undefined);
else runStoreContract('PostgreSQL', async (context, clock) => (await makeDatabaseSchema(context, postgres.url, clock)).open);
