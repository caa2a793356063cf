import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { until } from '../../../test-support/running-instance.ts';
import { withPostgres } from '../../../test-support/with-postgres.ts';
import { AUTHOR, putAll, serviceWrite } from '../contract/sample-writes.ts';
import { type DatabaseSchema, makeDatabaseSchema } from '../testing/database-schema.ts';
import { RevisionListener } from './revision-listener.ts';

withPostgres(
  'a store that watches hears of the revisions of others, not of its own, and not of what was rolled back',
  async (context, url) => {
    const database = await makeDatabaseSchema(context, url);
    const [watching, writing] = [await database.open(), await database.open()];
    const other = await (await makeDatabaseSchema(context, url)).open();
    for (const store of [writing, other]) {
      await store.transaction(AUTHOR, async (transaction) => {
        for (const id of ['default', 'second', 'g'.repeat(9000)]) await transaction.putGroup({ id, name: id, description: '' });
      });
    }
    const hints: (string | undefined)[] = [];
    const stop = watching.watchRevisions((groupId) => hints.push(groupId));
    await until(() => hints.length === 1, 'it listens');
    await putAll(other, serviceWrite('elsewhere'));
    await putAll(watching, serviceWrite('own'));
    const failing = writing.transaction(AUTHOR, async (transaction) => {
      await transaction.putResource(serviceWrite('never'));
      throw new Error('no');
    });
    await assert.rejects(failing);
    await database.query("SELECT pg_notify('portcullis_revision', 'no json'), pg_notify('portcullis_revision', '7')");
    await putAll(writing, serviceWrite('a', {}, 'second'));
    await putAll(writing, serviceWrite('b', {}, 'g'.repeat(9000)));
    await until(() => hints.length === 3, 'two hints have come');
    assert.deepEqual(hints, [undefined, 'second', undefined]);
    await stop();
    await until(async () => (await listeners(database)).length === 0, 'nobody listens');
    await putAll(writing, serviceWrite('c'));
  },
);

withPostgres(
  'a listener whose connection ends takes a new one after a pause, and takes that as a hint about every group',
  async (context, url) => {
    const clock = new FakeClock();
    const database = await makeDatabaseSchema(context, url, clock);
    const store = await database.open();
    const hints: (string | undefined)[] = [];
    store.watchRevisions((groupId) => hints.push(groupId));
    await until(() => hints.length === 1, 'it listens');
    for (let round = 2; round < 5; round += 1) {
      await database.query(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND application_name = $1",
        [database.schema],
      );
      await until(() => {
        clock.advance(10_000);
        return hints.length >= round;
      }, 'it listens again');
    }
    assert.ok(hints.every((hint) => hint === undefined));
    await store.close();
    assert.equal(clock.pendingTasks, 0);
  },
);

test('however long a database is away, it is listened to within a second after it is back', async () => {
  const clock = new FakeClock();
  let attempts = 0;
  let isAway = true;
  const listen = async () => {
    attempts += 1;
    if (isAway) throw new Error('nobody is there');
    return { close: async () => undefined };
  };
  const hints: (string | undefined)[] = [];
  const listener = new RevisionListener({ options: { schema: 'away' }, listen }, clock);
  listener.watch((groupId) => hints.push(groupId));
  for (let second = 1; second <= 100; second += 1) {
    const before = attempts;
    await until(() => clock.pendingTasks === 1, 'it waits');
    clock.advance(1_000);
    await until(() => attempts > before, 'it asks again');
  }
  assert.ok(attempts < 110, `${attempts} attempts`);
  await until(() => clock.pendingTasks === 1, 'it waits');
  isAway = false;
  clock.advance(1_000);
  await until(() => hints.length === 1, 'it listens');
  await listener.close();
  assert.equal(clock.pendingTasks, 0);
});

async function listeners({ query, schema }: DatabaseSchema): Promise<readonly unknown[]> {
  return query("SELECT pid FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND application_name = $1", [schema]);
}
