import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RevisionConflict, SharedConflict, UniqueConflict } from '../conflicts.ts';
import type { ResourceKey } from '../store.ts';
import { type MakeDatabase, makeTestBed } from './fresh-database.ts';
import {
  AUTHOR,
  consumerWrite,
  credentialWrite,
  digestOf,
  idsOf,
  keyOf,
  putAll,
  remove,
  routeWrite,
  serviceWrite,
  uniqueKey,
} from './sample-writes.ts';

/** Putting, deleting, finding: revisions, unique values, owners. */
export function resourceContract(makeDatabase: MakeDatabase): void {
  test('a replaced resource keeps its time of creation, a deleted and recreated one starts anew', async (context) => {
    const { store, clock } = await makeTestBed(context, makeDatabase);
    await putAll(store, serviceWrite('s'));
    clock.advance(1000);
    const [replaced] = await putAll(store, serviceWrite('s'));
    assert.deepEqual([replaced?.createdAt, replaced?.updatedAt, replaced?.revision], [1_800_000_000, 1_800_000_001, 2]);
    await remove(store, keyOf('service', 's'));
    await putAll(store, serviceWrite('s'));
    const found = await store.getResource(keyOf('service', 's'));
    assert.deepEqual([found?.createdAt, found?.updatedAt, found?.revision], [1_800_000_001, 1_800_000_001, 4]);
  });

  test('the writes of one transaction share one revision per group, and groups count on their own', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    await store.transaction(AUTHOR, (transaction) => transaction.putGroup({ id: 'other', name: 'other', description: 'x' }));
    const stored = await putAll(store, serviceWrite('a'), serviceWrite('b'), serviceWrite('a', {}, 'other'));
    assert.deepEqual(
      stored.map((resource) => resource.revision),
      [1, 1, 1],
    );
    await putAll(store, serviceWrite('c'));
    assert.deepEqual([(await store.getGroup('default'))?.revision, (await store.getGroup('other'))?.revision], [2, 1]);
    assert.deepEqual((await store.getResource(keyOf('service', 'a', '', 'other')))?.document, {});
  });

  test('a write over an expected revision happens only at that revision', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    await putAll(store, { ...serviceWrite('s', { at: 1 }), expectedRevision: 0 });
    await assert.rejects(putAll(store, { ...serviceWrite('s', { at: 2 }), expectedRevision: 0 }), conflictAt(1));
    await assert.rejects(putAll(store, { ...serviceWrite('new'), expectedRevision: 7 }), conflictAt(0));
    await putAll(store, { ...serviceWrite('s', { at: 2 }), expectedRevision: 1 });
    const stale = store.transaction(AUTHOR, (transaction) => transaction.deleteResource(keyOf('service', 's'), 1));
    await assert.rejects(stale, conflictAt(2));
    assert.deepEqual((await store.getResource(keyOf('service', 's')))?.document, { at: 2 });
    assert.equal((await store.getGroup('default'))?.revision, 2);
  });

  test('a unique value has one holder in a group, and the refusal names it', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    await store.transaction(AUTHOR, (transaction) => transaction.putGroup({ id: 'other', name: 'other', description: '' }));
    const [stored] = await putAll(store, credentialWrite('alice', 'c1', 'key'), credentialWrite('alice', 'c1', 'key', 'other'));
    assert.deepEqual(stored?.unique, [uniqueKey('key')]);
    await assert.rejects(putAll(store, credentialWrite('bob', 'c2', 'key')), heldBy(keyOf('credential', 'c1', 'alice')));
    assert.deepEqual(await store.findUnique('default', uniqueKey('key')), keyOf('credential', 'c1', 'alice'));
    assert.equal(await store.findUnique('default', { ...uniqueKey('key'), space: 'basic-auth' }), undefined);
    await putAll(store, credentialWrite('alice', 'c1', 'key'));
    const found = await store.getResource(keyOf('credential', 'c1', 'alice'), { secrets: 'omit' });
    assert.deepEqual(found?.unique, [uniqueKey('key')]);
  });

  test('a unique value that is given up is free at once, within the transaction too', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    await putAll(store, credentialWrite('alice', 'c1', 'key'));
    await putAll(store, credentialWrite('alice', 'c1', 'new'), credentialWrite('bob', 'c2', 'key'));
    assert.equal((await store.findUnique('default', uniqueKey('key')))?.id, 'c2');
    await store.transaction(AUTHOR, async (transaction) => {
      await transaction.deleteResource(keyOf('credential', 'c2', 'bob'));
      assert.equal(await transaction.findUnique('default', uniqueKey('key')), undefined);
      await transaction.putResource(credentialWrite('carol', 'c3', 'key'));
    });
    assert.equal((await store.findUnique('default', uniqueKey('key')))?.id, 'c3');
  });

  test('all who use a shared name have the same value, whoever changes or goes', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    await store.transaction(AUTHOR, (transaction) => transaction.putGroup({ id: 'other', name: 'other', description: '' }));
    const write = (id: string, value: string, name = 'n', groupId = 'default') => ({
      ...serviceWrite(id, {}, groupId),
      shared: [{ space: 'limits', name: digestOf(name), value: digestOf(value) }],
    });
    const [stored] = await putAll(store, write('a', '1'), write('b', '1'), write('c', '2', 'another'), write('d', '2', 'n', 'other'));
    assert.deepEqual(stored?.unique, []);
    for (const value of ['2', '3', '4'])
      await assert.rejects(putAll(store, write('new', value)), (error) => error instanceof SharedConflict && error.space === 'limits');
    await assert.rejects(putAll(store, write('a', '2')), (error) => error instanceof SharedConflict && error.holder.id === 'b');
    await putAll(store, write('a', '1'));
    await remove(store, keyOf('service', 'b'));
    await putAll(store, write('a', '2'), write('b', '2'));
    await putAll(store, serviceWrite('a'), serviceWrite('b'), write('new', '3'));
    assert.deepEqual((await store.getResource(keyOf('service', 'new')))?.unique, []);
  });

  test('deleting takes along what is owned, transitively, and what it held', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    const grandchild = { ...serviceWrite('g'), key: keyOf('note', 'g'), owner: { kind: 'route', id: 'r1' } };
    await putAll(store, serviceWrite('s'), routeWrite('r1', 's'), routeWrite('r2', 's'), routeWrite('r3', 'elsewhere'), grandchild);
    await putAll(store, consumerWrite('s'), credentialWrite('s', 'c1', 'key'), credentialWrite('t', 'c1', 'other'));
    assert.equal(await remove(store, keyOf('service', 's')), true);
    assert.deepEqual(idsOf(await store.listResources({ groupId: 'default', kind: 'route' })), ['r3']);
    assert.equal(await store.getResource(keyOf('note', 'g')), undefined);
    assert.notEqual(await store.getResource(keyOf('consumer', 's')), undefined);
    await remove(store, keyOf('consumer', 's'));
    assert.deepEqual(await store.findUnique('default', uniqueKey('key')), undefined);
    assert.deepEqual(idsOf(await store.listResources({ groupId: 'default', kind: 'credential' })), ['c1']);
    const [version] = await store.listVersions(keyOf('note', 'g'), 1);
    assert.deepEqual([version?.op, version?.revision], ['delete', 3]);
  });

  test('only what has no parent owns: a credential takes nothing along by its id', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    const note = { ...serviceWrite('n'), key: keyOf('note', 'n'), owner: { kind: 'credential', id: 'c1' } };
    await putAll(store, credentialWrite('alice', 'c1', 'key'), credentialWrite('bob', 'c1', 'other'), note);
    await remove(store, keyOf('credential', 'c1', 'alice'));
    assert.notEqual(await store.getResource(keyOf('note', 'n')), undefined);
  });

  test('deleting what is not there changes nothing', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    assert.equal(await remove(store, keyOf('service', 'none')), false);
    assert.equal(await remove(store, keyOf('service', 'none', '', 'no-group')), false);
    assert.equal((await store.getGroup('default'))?.revision, 0);
  });

  test('owners in a ring are deleted together', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    await putAll(
      store,
      { ...serviceWrite('a'), owner: { kind: 'service', id: 'b' } },
      { ...serviceWrite('b'), owner: { kind: 'service', id: 'a' } },
    );
    await remove(store, keyOf('service', 'a'));
    assert.deepEqual(await store.listResources({ groupId: 'default', kind: 'service' }), []);
  });

  test('a resource that moved to another owner goes with that one', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    await putAll(store, routeWrite('r', 'old'), serviceWrite('old'), serviceWrite('new'));
    await putAll(store, routeWrite('r', 'new'));
    await remove(store, keyOf('service', 'old'));
    const owner = { kind: 'service', id: 'new' };
    assert.deepEqual(idsOf(await store.listResources({ groupId: 'default', kind: 'route', owner })), ['r']);
    await remove(store, keyOf('service', 'new'));
    assert.equal(await store.getResource(keyOf('route', 'r')), undefined);
  });

  test('a write to an unknown group is refused', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    await assert.rejects(putAll(store, serviceWrite('s', {}, 'none')), { reason: 'admin_not_found' });
  });

  test('lists hold what matches kind, parent, owner and labels, the most recently updated first', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    await putAll(store, serviceWrite('a', { labels: { env: 'prod', team: 'x' } }), serviceWrite('b', { labels: { env: 'prod' } }));
    await putAll(store, serviceWrite('c', { labels: { env: 'test' } }), serviceWrite('d', {}), serviceWrite('e', { labels: 'prod' }));
    await putAll(
      store,
      serviceWrite('a', { labels: { env: 'prod', team: 'x' } }),
      credentialWrite('a', 'c1', 'k'),
      credentialWrite('b', 'c2', 'l'),
    );
    const ids = async (query: object) => idsOf(await store.listResources({ groupId: 'default', kind: 'service', ...query }));
    assert.deepEqual(await ids({}), ['a', 'e', 'd', 'c', 'b']);
    assert.deepEqual(await ids({ labels: new Map([['env', 'prod']]) }), ['a', 'b']);
    assert.deepEqual(
      await ids({
        labels: new Map([
          ['env', 'prod'],
          ['team', 'x'],
        ]),
      }),
      ['a'],
    );
    assert.deepEqual(await ids({ labels: new Map([['env', 'pro']]) }), []);
    assert.deepEqual(await ids({ labels: new Map() }), ['a', 'e', 'd', 'c', 'b']);
    assert.deepEqual(await ids({ kind: 'credential', parentId: 'b' }), ['c2']);
    assert.deepEqual(await ids({ kind: 'credential', owner: { kind: 'consumer', id: 'a' } }), ['c1']);
    assert.deepEqual(await ids({ groupId: 'none' }), []);
  });
}

function conflictAt(current: number): (error: unknown) => boolean {
  return (error) => error instanceof RevisionConflict && error.current === current;
}

function heldBy(holder: ResourceKey): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof UniqueConflict);
    assert.deepEqual(error.holder, holder);
    return true;
  };
}
