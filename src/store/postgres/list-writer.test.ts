import assert from 'node:assert/strict';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { withPostgres } from '../../../test-support/with-postgres.ts';
import { listingOf, type ResourceListing } from '../lists/resource-listing.ts';
import { MIGRATIONS } from '../migrations/index.ts';
import { makeDatabaseSchema } from '../testing/database-schema.ts';
import { parseDatabaseUrl } from './database-url.ts';
import { ListWriter } from './list-writer.ts';
import { migrate } from './migrate.ts';
import type { PostgresConnection } from './postgres-connection.ts';
import { PostgresDatabase } from './postgres-database.ts';

withPostgres('a thousand writes of a transaction take as many statements for their lists as one', async (context, url) => {
  const { options } = await makeDatabaseSchema(context, url);
  const settings = { ...options, address: parseDatabaseUrl(options.url) };
  await migrate({ database: settings, clock: new FakeClock(), migrations: MIGRATIONS });
  const database = new PostgresDatabase(settings);
  context.after(() => database.close());
  await database.lend(async (connection) => {
    let statements = 0;
    const counting = new Proxy(connection, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return (...values: readonly unknown[]) => {
          statements += 1;
          return Reflect.apply(value, target, values);
        };
      },
    });
    const cost = async (listings: readonly ResourceListing[]) => {
      const before = statements;
      await settle(counting, listings);
      return statements - before;
    };
    const one = await cost([listing(1, 1)]);
    assert.ok(one <= 4, `${one}`);
    assert.equal(await cost(Array.from({ length: 999 }, (_, number) => listing(2 + number, 2 + number))), one);
    // Beyond 1,024 entries a list gets blocks, and from then on they are counted.
    await cost(Array.from({ length: 100 }, (_, number) => listing(1_001 + number, 1_001 + number)));
    assert.equal(await cost([listing(1, 2_000)]), one + 1);
    assert.equal(await cost(Array.from({ length: 50 }, (_, number) => listing(number + 1, 2_001 + number))), one + 1);
  });
});

async function settle(connection: PostgresConnection, listings: readonly ResourceListing[]): Promise<void> {
  const writer = new ListWriter();
  for (const each of listings) await writer.list(connection, each);
  await writer.settle(connection);
}

function listing(row: number, revision: number): ResourceListing {
  return listingOf({
    ...{ row, group_id: 'default', kind: 'consumer', parent_id: '', id: `u${row}`, owner_kind: null, owner_id: null },
    ...{ revision, position: 0, document: JSON.stringify({ username: `u${row}`, labels: { team: 'a' } }) },
  });
}
