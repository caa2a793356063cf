import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SharedConflict, UniqueConflict } from '../conflicts.ts';
import type { StoreTransaction } from '../store.ts';
import { type MakeDatabase, makeTestBed } from './fresh-database.ts';
import { AUTHOR, credentialWrite, digestOf, idsOf, keyOf, putAll, serviceWrite, uniqueKey } from './sample-writes.ts';

const SERVICES = { groupId: 'default', kind: 'service' };

/** All or nothing, one after the other, in one process and in several. */
export function transactionContract(makeDatabase: MakeDatabase): void {
  test('a transaction that throws leaves nothing behind', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    const failing = store.transaction(AUTHOR, async (transaction) => {
      await transaction.putResource(serviceWrite('s'));
      await transaction.putSetting('name', Buffer.from('x'), { secret: false });
      throw new Error('changed my mind');
    });
    await assert.rejects(failing, { message: 'changed my mind' });
    assert.equal(await store.getResource(keyOf('service', 's')), undefined);
    assert.equal(await store.getSetting('name'), undefined);
    assert.equal((await store.getGroup('default'))?.revision, 0);
    assert.deepEqual(await store.listVersions(keyOf('service', 's'), 1), []);
    await putAll(store, serviceWrite('s'));
    assert.equal((await store.getGroup('default'))?.revision, 1);
  });

  test('work may catch a conflict and go on, for the refused write changed nothing', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    await putAll(store, credentialWrite('alice', 'c1', 'key'));
    await store.transaction(AUTHOR, async (transaction) => {
      await assert.rejects(transaction.putResource(credentialWrite('bob', 'c2', 'key')), UniqueConflict);
    });
    assert.equal((await store.getGroup('default'))?.revision, 1);
    assert.equal(await store.getResource(keyOf('credential', 'c2', 'bob')), undefined);
  });

  test('two resources exchange their unique values in one transaction that releases those of the second first', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    await putAll(store, credentialWrite('alice', 'c1', 'one'), credentialWrite('bob', 'c2', 'two'));
    await store.transaction(AUTHOR, async (transaction) => {
      await transaction.releaseValues(keyOf('credential', 'c2', 'bob'));
      await transaction.putResource(credentialWrite('alice', 'c1', 'two'));
      await transaction.putResource(credentialWrite('bob', 'c2', 'one'));
    });
    assert.deepEqual(await store.findUnique('default', uniqueKey('one')), keyOf('credential', 'c2', 'bob'));
    assert.deepEqual(await store.findUnique('default', uniqueKey('two')), keyOf('credential', 'c1', 'alice'));
    await store.transaction(AUTHOR, async (transaction) => {
      await transaction.releaseValues(keyOf('credential', 'c2', 'bob'));
      await transaction.releaseValues(keyOf('credential', 'none', 'bob'));
      await transaction.deleteResource(keyOf('credential', 'c2', 'bob'));
    });
    assert.equal(await store.findUnique('default', uniqueKey('one')), undefined);
  });

  test('a transaction that releases values and does not write their resource cannot be committed', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    await putAll(store, credentialWrite('alice', 'c1', 'one'));
    const careless = store.transaction(AUTHOR, (transaction) => transaction.releaseValues(keyOf('credential', 'c1', 'alice')));
    await assert.rejects(careless, /released/);
    assert.deepEqual(await store.findUnique('default', uniqueKey('one')), keyOf('credential', 'c1', 'alice'));
  });

  test('work may catch a conflict about a shared value and go on', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    const shared = (value: string) => [{ space: 'limit-count', name: digestOf('name'), value: digestOf(value) }];
    await putAll(store, { ...serviceWrite('one'), shared: shared('a') });
    await store.transaction(AUTHOR, async (transaction) => {
      await assert.rejects(transaction.putResource({ ...serviceWrite('two'), shared: shared('b') }), SharedConflict);
      await transaction.putResource(serviceWrite('three'));
    });
    assert.deepEqual(idsOf(await store.listResources(SERVICES)).toSorted(), ['one', 'three']);
  });

  test('a transaction in which a write failed half-way cannot be committed', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    const careless = store.transaction(AUTHOR, async (transaction) => {
      await transaction.putResource(serviceWrite('s'));
      await transaction.putResource(serviceWrite('s', {}, 'no-group')).catch(() => undefined);
    });
    await assert.rejects(careless, { reason: 'admin_not_found' });
    assert.equal(await store.getResource(keyOf('service', 's')), undefined);
  });

  test('a transaction sees its own writes, others see them when it has ended', async (context) => {
    const { store, open } = await makeTestBed(context, makeDatabase);
    const second = await open();
    await store.transaction(AUTHOR, async (transaction) => {
      await transaction.putResource(serviceWrite('s'));
      assert.deepEqual(idsOf(await transaction.listResources(SERVICES)), ['s']);
      assert.equal((await transaction.changesSince('default', 0))?.changes.length, 1);
      assert.equal((await transaction.getGroup('default'))?.revision, 1);
      assert.deepEqual(await store.listResources(SERVICES), []);
      assert.deepEqual(await second.listResources(SERVICES), []);
    });
    assert.deepEqual(idsOf(await store.listResources(SERVICES)), ['s']);
    assert.deepEqual(idsOf(await second.listResources(SERVICES)), ['s']);
  });

  test('transactions run one after the other in the order they were asked for', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    const steps: string[] = [];
    const step = (name: string) =>
      store.transaction(AUTHOR, async (transaction) => {
        steps.push(`${name} begins`);
        await new Promise(setImmediate);
        await transaction.putResource(serviceWrite(name));
        await new Promise(setImmediate);
        steps.push(`${name} ends`);
      });
    await Promise.all([step('a'), step('b'), step('c')]);
    assert.deepEqual(steps, ['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  });

  test('a transaction inside a transaction of the same store is refused, and the outer one can go on', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    await store.transaction(AUTHOR, async (transaction) => {
      await assert.rejects(putAll(store, serviceWrite('inner')), /inside another/);
      await assert.rejects(store.close(), /inside another/);
      await transaction.putResource(serviceWrite('outer'));
    });
    assert.deepEqual(idsOf(await store.listResources(SERVICES)), ['outer']);
  });

  test('a transaction object throws once its transaction is over', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    const kept: StoreTransaction[] = [];
    await store.transaction(AUTHOR, async (transaction) => kept.push(transaction));
    const failing = store.transaction(AUTHOR, async (transaction) => {
      kept.push(transaction);
      throw new Error('no');
    });
    await assert.rejects(failing);
    for (const transaction of kept) {
      await assert.rejects(transaction.putResource(serviceWrite('late')), /is over/);
      await assert.rejects(transaction.getGroup('default'), /is over/);
    }
    assert.equal(kept.length, 2);
  });

  test('of two stores that write the same unique value at once exactly one wins', async (context) => {
    const { store, open } = await makeTestBed(context, makeDatabase);
    const second = await open();
    for (let round = 0; round < 10; round += 1) {
      const outcomes = await Promise.allSettled([
        putSlowly(store, `a${round}`, `key${round}`),
        putSlowly(second, `b${round}`, `key${round}`),
      ]);
      const [lost, ...others] = outcomes.filter((outcome) => outcome.status === 'rejected');
      assert.equal(others.length, 0);
      assert.ok(lost?.reason instanceof UniqueConflict);
      assert.match(lost.reason.holder.id, /^[ab]\d$/);
    }
    assert.equal((await store.getGroup('default'))?.revision, 10);
  });

  test('two stores on one database count revisions without gaps', async (context) => {
    const { store, open } = await makeTestBed(context, makeDatabase);
    const second = await open();
    const writes = Array.from({ length: 20 }, (_, index) => putAll(index % 2 === 0 ? store : second, serviceWrite(`s${index}`)));
    const revisions = (await Promise.all(writes)).map(([resource]) => resource?.revision ?? 0);
    assert.deepEqual(
      revisions.sort((a, b) => a - b),
      Array.from({ length: 20 }, (_, index) => index + 1),
    );
  });

  test('closing lets the transactions that were asked for end, and refuses later use', async (context) => {
    const { store, open } = await makeTestBed(context, makeDatabase);
    const writing = [putAll(store, serviceWrite('a')), putAll(store, serviceWrite('b'))];
    const closing = store.close();
    await assert.rejects(putAll(store, serviceWrite('late')), { reason: 'store_unavailable' });
    await Promise.all([...writing, closing, store.close()]);
    await assert.rejects(store.getGroup('default'), { reason: 'store_unavailable' });
    assert.deepEqual(idsOf(await (await open()).listResources(SERVICES)), ['b', 'a']);
  });
}

// Gives the other store a turn while the transaction is open.
async function putSlowly(store: Parameters<typeof putAll>[0], id: string, apiKey: string): Promise<void> {
  await store.transaction(AUTHOR, async (transaction) => {
    await new Promise(setImmediate);
    await transaction.putResource(credentialWrite('alice', id, apiKey));
    await new Promise(setImmediate);
  });
}
