import assert from 'node:assert/strict';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { startHostileDatabaseWire } from '../../../test-support/hostile-wire.ts';
import { withOwnPostgres, withPostgres } from '../../../test-support/with-postgres.ts';
import { PortcullisError } from '../../errors/index.ts';
import { AUTHOR, idsOf, putAll, serviceWrite } from '../contract/sample-writes.ts';
import type { Store } from '../store.ts';
import { type DatabaseSchema, makeDatabaseSchema } from '../testing/database-schema.ts';

const SERVICES = { groupId: 'default', kind: 'service' };

withPostgres('a store whose idle connections were all ended goes on without an error', async (context, url) => {
  const database = await makeDatabaseSchema(context, url);
  const store = await openWithGroup(database);
  for (let round = 0; round < 3; round += 1) {
    await Promise.all(Array.from({ length: 8 }, () => store.listGroups()));
    await endConnections(database);
    await putAll(store, serviceWrite(`s${round}`));
    await endConnections(database);
    assert.equal((await store.listResources(SERVICES)).length, round + 1);
  }
});

withPostgres(
  'a transaction whose connection is ended leaves nothing behind, is told as an unavailable store, and the next one succeeds',
  async (context, url) => {
    const database = await makeDatabaseSchema(context, url);
    const store = await openWithGroup(database);
    let isEnded = false;
    const cut = store.transaction(AUTHOR, async (transaction) => {
      await transaction.putResource(serviceWrite('lost'));
      await endConnections(database);
      isEnded = true;
      await new Promise(setImmediate);
      await transaction.putResource(serviceWrite('lost too'));
    });
    await assert.rejects(cut, isUnavailable);
    assert.equal(isEnded, true);
    const careless = store.transaction(AUTHOR, async (transaction) => {
      await transaction.putResource(serviceWrite('careless'));
      await endConnections(database);
      await transaction.putResource(serviceWrite('careless too')).catch(() => undefined);
    });
    await assert.rejects(careless, isUnavailable);
    await putAll(store, serviceWrite('kept'));
    assert.deepEqual(idsOf(await store.listResources(SERVICES)), ['kept']);
    assert.equal((await store.getGroup('default'))?.revision, 1);
  },
);

withPostgres('a cut network refuses at once what was under way, and the store finds its way back by itself', async (context, url) => {
  const wire = await startHostileDatabaseWire(context, url);
  const database = await makeDatabaseSchema(context, url);
  const store = await openWithGroup(database, { url: wire.through(url) });
  const cut = store.transaction(AUTHOR, async (transaction) => {
    await transaction.putResource(serviceWrite('lost'));
    wire.reset();
    await transaction.putResource(serviceWrite('lost too'));
  });
  await assert.rejects(cut, isUnavailable);
  wire.use('cut');
  await assert.rejects(putAll(store, serviceWrite('refused')), isUnavailable);
  await assert.rejects(store.listGroups(), isUnavailable);
  wire.use('open');
  await putAll(store, serviceWrite('kept'));
  assert.deepEqual(idsOf(await store.listResources(SERVICES)), ['kept']);
});

withPostgres(
  'a network that swallows everything ends in an unavailable store after the time-outs, not in a wait for ever',
  async (context, url) => {
    const wire = await startHostileDatabaseWire(context, url);
    const database = await makeDatabaseSchema(context, url);
    const store = await openWithGroup(database, { url: wire.through(url), timeoutMs: 300, statementTimeoutMs: 300, connections: 2 });
    wire.use('half-open');
    // Connections that are known are given up last; new ones are not to be had.
    const outcomes = await Promise.allSettled([
      store.listGroups(),
      store.listGroups(),
      store.listGroups(),
      putAll(store, serviceWrite('s')),
    ]);
    for (const outcome of outcomes) assert.ok(outcome.status === 'rejected' && isUnavailable(outcome.reason));
    wire.use('open');
    await putAll(store, serviceWrite('kept'));
  },
);

withOwnPostgres('a server that is stopped and started again is found again by the same store', {}, async (context, server) => {
  const database = await makeDatabaseSchema(context, server.url);
  const store = await openWithGroup(database);
  await putAll(store, serviceWrite('before'));
  await server.stop();
  await assert.rejects(putAll(store, serviceWrite('while away')), isUnavailable);
  await assert.rejects(store.listResources(SERVICES), isUnavailable);
  await server.start();
  await putAll(store, serviceWrite('after'));
  assert.deepEqual(idsOf(await store.listResources(SERVICES)), ['after', 'before']);
  assert.equal((await store.getGroup('default'))?.revision, 2);
});

withPostgres('a holder of the lock that idles is ended by the server, and the writers behind it go on', async (context, url) => {
  const database = await makeDatabaseSchema(context, url);
  const store = await openWithGroup(database);
  const second = await database.open();
  const { promise: idle, resolve: wake } = Promise.withResolvers<void>();
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const holder = store.transaction(AUTHOR, async (transaction) => {
    await transaction.putResource(serviceWrite('never'));
    begin();
    await idle;
  });
  await begun;
  const waiting = putAll(second, serviceWrite('waiting'));
  waiting.catch(() => undefined);
  // What the server does after ten idle seconds, at once.
  await database.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction' AND application_name = $1",
    [database.schema],
  );
  await waiting;
  wake();
  await assert.rejects(holder, isUnavailable);
  assert.deepEqual(idsOf(await second.listResources(SERVICES)), ['waiting']);
});

withPostgres('writers behind a lock that is never released are refused together after the time-out', async (context, url) => {
  const clock = new FakeClock();
  const database = await makeDatabaseSchema(context, url, clock);
  const store = await openWithGroup(database, { timeoutMs: 200 });
  const other = await database.open();
  const { promise: held, resolve: release } = Promise.withResolvers<void>();
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const holder = other.transaction(AUTHOR, async () => {
    begin();
    await held;
  });
  await begun;
  const writes = Array.from({ length: 10 }, (_, index) => putAll(store, serviceWrite(`s${index}`)));
  clock.advance(200);
  for (const outcome of await Promise.allSettled(writes)) assert.ok(outcome.status === 'rejected' && isUnavailable(outcome.reason));
  assert.deepEqual(await store.listResources(SERVICES), []);
  release();
  await holder;
  await putAll(store, serviceWrite('late'));
});

async function openWithGroup(database: DatabaseSchema, changed: Parameters<DatabaseSchema['open']>[0] = {}): Promise<Store> {
  const store = await database.open(changed);
  await store.transaction(AUTHOR, (transaction) => transaction.putGroup({ id: 'default', name: 'default', description: '' }));
  return store;
}

/** Ends every connection of the schema's stores, and waits until the server knows none any more. */
async function endConnections(database: DatabaseSchema): Promise<void> {
  await database.query('SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = $1', [database.schema]);
}

function isUnavailable(error: unknown): boolean {
  assert.ok(error instanceof PortcullisError, String(error));
  assert.equal(error.reason, 'store_unavailable');
  assert.equal(error.code.retry, 'yes');
  return true;
}
