import assert from 'node:assert/strict';
import { startHostileDatabaseWire } from '../../../test-support/hostile-wire.ts';
import { until } from '../../../test-support/running-instance.ts';
import { withPostgres } from '../../../test-support/with-postgres.ts';
import { PortcullisError } from '../../errors/index.ts';
import { AUTHOR, consumerWrite, putAll } from '../contract/sample-writes.ts';
import { type DatabaseSchema, makeDatabaseSchema } from '../testing/database-schema.ts';
import type { UsageRow } from '../usage.ts';
import { UsageInDoubt } from '../usage-in-doubt.ts';

const AT = 1_800_000_000 - (1_800_000_000 % 3600);
const ROW: UsageRow = {
  groupId: 'default',
  consumer: 'jack',
  credential: '',
  route: '',
  status: 200,
  at: AT,
  requests: 3,
  lastUsedAt: AT,
  instanceId: 'one',
};

withPostgres(
  'whether usage was added whose commit outlived its connection is told as soon as that is known, and never guessed',
  async (context, url) => {
    for (const ends of ['committed', 'aborted'] as const) {
      const wire = await startHostileDatabaseWire(context, url);
      const database = await makeDatabaseSchema(context, url);
      const store = await database.open({ url: wire.through(database.url) });
      await store.transaction(AUTHOR, (transaction) => transaction.putGroup({ id: 'default', name: 'default', description: '' }));
      await putAll(store, consumerWrite('jack'));
      await holdCommits(database);
      const recorded = store.usage.record([ROW]).then(
        () => undefined,
        (error: unknown) => error,
      );
      await until(async () => (await committing(database)) !== undefined, 'the commit waits');
      wire.reset();
      const doubt = await recorded;
      assert.ok(doubt instanceof UsageInDoubt);
      await assert.rejects(doubt.wasAdded(), (error) => error instanceof PortcullisError && error.reason === 'store_unavailable');
      if (ends === 'committed') await database.query('DELETE FROM gate');
      else await database.query('SELECT pg_terminate_backend($1)', [await committing(database)]);
      await until(async () => (await committing(database)) === undefined, 'the commit has ended');
      assert.equal(await doubt.wasAdded(), ends === 'committed');
      const query = { groupId: 'default', span: 'hour', from: AT, until: AT + 3600, equals: {}, splitBy: [], limit: 10 } as const;
      const sums = (await store.usage.find(query)).map(({ requests }) => requests);
      assert.deepEqual(sums, ends === 'committed' ? [3] : []);
    }
  },
);

/** From now on the commit of usage ends when the table `gate` is empty. */
async function holdCommits(database: DatabaseSchema): Promise<void> {
  await database.query(`
    CREATE TABLE gate AS SELECT 1 AS closed;
    CREATE FUNCTION wait_at_gate() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN WHILE EXISTS (SELECT FROM gate) LOOP PERFORM pg_sleep(0.01); END LOOP; RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER gate AFTER INSERT ON usage_counts DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW EXECUTE FUNCTION wait_at_gate()`);
}

/** The server's process that commits something of the schema's stores. */
async function committing(database: DatabaseSchema): Promise<number | undefined> {
  const sql = `SELECT pid FROM pg_stat_activity WHERE application_name = $1 AND state = 'active' AND query = 'COMMIT'`;
  const [row] = await database.query(sql, [database.schema]);
  return typeof row?.pid === 'number' ? row.pid : undefined;
}
