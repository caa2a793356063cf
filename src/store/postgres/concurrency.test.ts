import assert from 'node:assert/strict';
import { withPostgres } from '../../../test-support/with-postgres.ts';
import { UniqueConflict } from '../conflicts.ts';
import { AUTHOR, consumerWrite, credentialWrite, keyOf, putAll, remove, routeWrite, serviceWrite } from '../contract/sample-writes.ts';
import type { Store } from '../store.ts';
import { makeDatabaseSchema } from '../testing/database-schema.ts';

const TRANSACTIONS = 400;

withPostgres(
  'two stores that write at once give each of 400 transactions a revision of its own, without gaps and never backwards',
  async (context, url) => {
    const database = await makeDatabaseSchema(context, url);
    const stores = [await database.open(), await database.open()] as const;
    await putDefaultGroup(stores[0]);
    const seen: number[] = [];
    let isWriting = true;
    const watching = (async () => {
      while (isWriting) seen.push((await stores[1].getGroup('default'))?.revision ?? -1);
    })();
    const writes = Array.from({ length: TRANSACTIONS }, (_, index) =>
      putAll(stores[index % 2 === 0 ? 0 : 1], serviceWrite(`s${index % 7}`, { index }), serviceWrite(`t${index}`)),
    );
    const stored = await Promise.all(writes);
    isWriting = false;
    await watching;
    const revisions = stored.map(([first, second]) => {
      assert.equal(first?.revision, second?.revision);
      return first?.revision ?? 0;
    });
    assert.deepEqual(
      revisions.toSorted((a, b) => a - b),
      Array.from({ length: TRANSACTIONS }, (_, index) => index + 1),
    );
    // Each store alone keeps the order in which it was asked.
    for (const parity of [0, 1]) {
      const own = revisions.filter((_, index) => index % 2 === parity);
      assert.deepEqual(
        own,
        own.toSorted((a, b) => a - b),
      );
    }
    assert.deepEqual(
      seen,
      seen.toSorted((a, b) => a - b),
    );
    const since = await stores[1].changesSince('default', 0);
    assert.equal(since?.revision, TRANSACTIONS);
    assert.equal(since?.changes.length, TRANSACTIONS + 7);
  },
);

withPostgres('what a transaction has read is still so when it commits, whoever writes meanwhile', async (context, url) => {
  const database = await makeDatabaseSchema(context, url);
  const stores = [await database.open(), await database.open(), await database.open()];
  const [first] = stores;
  assert.ok(first);
  await putDefaultGroup(first);
  await putAll(first, serviceWrite('counter', { count: 0 }));
  const count = (store: Store) =>
    store.transaction(AUTHOR, async (transaction) => {
      const found = await transaction.getResource(keyOf('service', 'counter'));
      await transaction.putResource(serviceWrite('counter', { count: Number(found?.document.count) + 1 }));
    });
  await Promise.all(Array.from({ length: 90 }, (_, index) => count(stores[index % 3] ?? first)));
  assert.deepEqual((await first.getResource(keyOf('service', 'counter')))?.document, { count: 90 });
});

withPostgres('of two stores that take the same keys at once each key goes to exactly one, and both know to which', async (context, url) => {
  const database = await makeDatabaseSchema(context, url);
  const stores = [await database.open(), await database.open()] as const;
  await putDefaultGroup(stores[0]);
  const contend = (store: Store, username: string) =>
    Promise.all(
      Array.from({ length: 40 }, async (_, round) => {
        try {
          await putAll(store, credentialWrite(username, `c${round}`, `key-${round}`));
          return username;
        } catch (error) {
          if (error instanceof UniqueConflict) return error.holder.parentId;
          throw error;
        }
      }),
    );
  const [one, other] = await Promise.all([contend(stores[0], 'alice'), contend(stores[1], 'bob')]);
  assert.deepEqual(one, other);
  assert.equal((await stores[0].getGroup('default'))?.revision, 40);
});

withPostgres(
  'writes of one transaction that are asked for at once do not mix, and those nobody waited for are part of it',
  async (context, url) => {
    const store = await (await makeDatabaseSchema(context, url)).open();
    await putDefaultGroup(store);
    await store.transaction(AUTHOR, async (transaction) => {
      const same = Array.from({ length: 5 }, (_, index) => transaction.putResource(credentialWrite('alice', `c${index}`, 'one-key')));
      const outcomes = await Promise.allSettled(same);
      assert.deepEqual(
        outcomes.map(({ status }) => status),
        ['fulfilled', 'rejected', 'rejected', 'rejected', 'rejected'],
      );
      void transaction.putResource(serviceWrite('unawaited'));
    });
    assert.notEqual(await store.getResource(keyOf('service', 'unawaited')), undefined);
    const abandoned = store.transaction(AUTHOR, async (transaction) => {
      for (const id of ['x', 'y', 'z']) transaction.putResource(serviceWrite(id)).catch(() => undefined);
      throw new Error('changed my mind');
    });
    await assert.rejects(abandoned, { message: 'changed my mind' });
    for (const id of ['x', 'y', 'z']) assert.equal(await store.getResource(keyOf('service', id)), undefined);
    assert.equal((await store.getGroup('default'))?.revision, 1);
  },
);

withPostgres('a cascade over thousands of resources is one revision, in which everything goes before its owner', async (context, url) => {
  const store = await (await makeDatabaseSchema(context, url)).open();
  await putDefaultGroup(store);
  const routes = Array.from({ length: 2000 }, (_, index) => routeWrite(`r${index}`, 's'));
  await putAll(store, serviceWrite('s'), consumerWrite('s'), ...routes);
  await remove(store, keyOf('service', 's'));
  const since = await store.changesSince('default', 1);
  assert.equal(since?.revision, 2);
  assert.equal(since?.changes.length, 2001);
  assert.ok(since?.changes.every((change) => change.op === 'delete' && change.revision === 2));
  const last = since?.changes.at(-1);
  assert.deepEqual(last?.op === 'delete' && last.key, keyOf('service', 's'));
  assert.equal((await store.listVersions(keyOf('route', 'r1999'), 1))[0]?.op, 'delete');
  assert.notEqual(await store.getResource(keyOf('consumer', 's')), undefined);
});

withPostgres('a name too long for an index is refused as such, and the store goes on', async (context, url) => {
  const store = await (await makeDatabaseSchema(context, url)).open();
  await putDefaultGroup(store);
  let seed = 1;
  const random = Array.from({ length: 20_000 }, () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return String.fromCharCode(33 + (seed % 90));
  }).join('');
  await assert.rejects(putAll(store, serviceWrite(random)), { reason: 'admin_invalid', publicMessage: 'a name is too long' });
  await putAll(store, serviceWrite('short'));
  assert.equal((await store.getGroup('default'))?.revision, 1);
});

async function putDefaultGroup(store: Store): Promise<void> {
  await store.transaction(AUTHOR, (transaction) => transaction.putGroup({ id: 'default', name: 'default', description: '' }));
}
