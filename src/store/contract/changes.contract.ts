import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ResourceChange, ResourceKey, Store } from '../store.ts';
import { type MakeDatabase, makeTestBed } from './fresh-database.ts';
import { AUTHOR, consumerWrite, credentialWrite, idsOf, keyOf, putAll, remove, routeWrite, serviceWrite } from './sample-writes.ts';

/** What a publisher lives on: pages of everything, and what came after a revision. */
export function changeContract(makeDatabase: MakeDatabase): void {
  test('changes tell the last change of each resource, in the order they were made', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    await putAll(store, serviceWrite('b'), serviceWrite('a'), serviceWrite('gone'));
    await putAll(store, serviceWrite('again'));
    await remove(store, keyOf('service', 'gone'));
    await remove(store, keyOf('service', 'again'));
    await putAll(store, serviceWrite('b'), serviceWrite('again'));
    assert.deepEqual(await changes(store, 0), ['put a 1', 'delete gone 3', 'put b 5', 'put again 5']);
    assert.deepEqual(await changes(store, 3), ['put b 5', 'put again 5']);
    assert.deepEqual(await changes(store, 5), []);
    assert.equal((await store.changesSince('default', 2))?.revision, 5);
  });

  test('a cascade is a change for everything it took, owned before owner', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    await putAll(store, serviceWrite('s'), routeWrite('r1', 's'), routeWrite('r2', 's'));
    await remove(store, keyOf('service', 's'));
    assert.deepEqual(await changes(store, 1), ['delete r2 2', 'delete r1 2', 'delete s 2']);
  });

  test('changes hold no secret', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    await putAll(store, credentialWrite('alice', 'c1', 'clear-key'));
    assert.doesNotMatch(JSON.stringify(await store.changesSince('default', 0)), /clear-key/);
    assert.doesNotMatch(JSON.stringify(await store.pageOfResources('default', undefined, 9)), /clear-key/);
  });

  test('changes and pages hold the secrets that were asked for, and no others', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    const mixed = { username: 'bob', plugins: { 'key-auth': { key: 'clear-key' }, 'basic-auth': { password: 'clear-word', n: 1 } } };
    const secretPointers = ['/plugins/key-auth/key', '/plugins/basic-auth/password'];
    await putAll(store, credentialWrite('alice', 'c1', 'other-key'), { ...consumerWrite('bob'), document: mixed, secretPointers });
    const asked: string[] = [];
    const secrets = (key: ResourceKey, pointer: string): boolean => {
      asked.push(`${key.kind}/${key.id}${pointer}`);
      return pointer === '/plugins/basic-auth/password';
    };
    const since = await store.changesSince('default', 0, { secrets });
    const changed = since?.changes.map((change) => (change.op === 'put' ? change.resource.document : undefined));
    const expected = [
      { id: 'c1', plugins: { 'key-auth': {} } },
      { username: 'bob', plugins: { 'key-auth': {}, 'basic-auth': { password: 'clear-word', n: 1 } } },
    ];
    assert.deepEqual(changed, expected);
    assert.deepEqual(asked, [
      'credential/c1/plugins/key-auth/key',
      'consumer/bob/plugins/key-auth/key',
      'consumer/bob/plugins/basic-auth/password',
    ]);
    const page = await store.pageOfResources('default', undefined, 9, { secrets });
    assert.deepEqual(
      page.map((resource) => resource.document),
      expected.toReversed(),
    );
    assert.deepEqual((await store.pageOfResources('default', undefined, 1, { secrets: 'include' }))[0]?.document, mixed);
    assert.deepEqual((await store.getResource(keyOf('consumer', 'bob'), { secrets }))?.document, expected[1]);
  });

  test('changes from the future, of no group, or from before what is remembered are unknown', async (context) => {
    const { store, clock } = await makeTestBed(context, makeDatabase);
    await putAll(store, serviceWrite('a'), serviceWrite('b'));
    await remove(store, keyOf('service', 'a'));
    await putAll(store, serviceWrite('c'));
    assert.equal(await store.changesSince('default', 4), undefined);
    assert.equal(await store.changesSince('none', 0), undefined);
    clock.advance(10_000);
    const limits = { versionsBefore: 1_800_000_005, auditBefore: 0, limit: 100 };
    assert.equal(await store.pruneHistory(limits), 3);
    assert.equal(await store.pruneHistory(limits), 0);
    assert.equal(await store.changesSince('default', 1), undefined);
    assert.deepEqual(await changes(store, 2), ['put c 3']);
    assert.equal((await store.listVersions(keyOf('service', 'b'), 9)).length, 1);
    assert.deepEqual(await store.listVersions(keyOf('service', 'a'), 9), []);
  });

  test('pages together hold every live resource of the group once, whatever happens between them', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    const writes = Array.from({ length: 25 }, (_, index) => credentialWrite(`user${index % 3}`, `c${index}`, `key${index}`));
    await putAll(store, consumerWrite('user0'), serviceWrite('s'), ...writes);
    const seen: ResourceKey[] = [];
    for (let page = await store.pageOfResources('default', undefined, 4); page.length > 0; ) {
      seen.push(...page.map((resource) => resource.key));
      await putAll(store, serviceWrite('s'));
      page = await store.pageOfResources('default', seen.at(-1), 4);
    }
    assert.equal(seen.length, 27);
    assert.equal(new Set(seen.map((key) => JSON.stringify(key))).size, 27);
    assert.deepEqual(await store.pageOfResources('none', undefined, 4), []);
  });

  test('replaying changes onto an old copy gives the present, after any history', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    const copies: Map<string, string>[] = [new Map()];
    let seed = 1;
    const next = (bound: number) => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % bound;
    };
    for (let revision = 1; revision <= 40; revision += 1) {
      await store.transaction(AUTHOR, async (transaction) => {
        await transaction.putResource(serviceWrite(`s${next(4)}`, { revision }));
        for (let write = next(4); write > 0; write -= 1) {
          if (next(3) === 0) await transaction.deleteResource(keyOf('service', `s${next(4)}`));
          else await transaction.putResource(routeWrite(`r${next(8)}`, `s${next(4)}`));
        }
      });
      copies.push(await copyOf(store));
    }
    for (const [revision, copy] of copies.entries()) {
      const since = await store.changesSince('default', revision);
      for (const change of since?.changes ?? []) replay(copy, change);
      assert.deepEqual(copy, copies.at(-1), `from revision ${revision}`);
    }
    assert.ok(idsOf(await store.listResources({ groupId: 'default', kind: 'route' })).length > 0);
  });
}

async function changes(store: Store, since: number): Promise<readonly string[] | undefined> {
  const found = await store.changesSince('default', since);
  return found?.changes.map((change) =>
    change.op === 'put' ? `put ${change.resource.key.id} ${change.resource.revision}` : `delete ${change.key.id} ${change.revision}`,
  );
}

async function copyOf(store: Store): Promise<Map<string, string>> {
  const resources = await store.pageOfResources('default', undefined, 1000);
  return new Map(resources.map((resource) => [JSON.stringify(resource.key), JSON.stringify(resource)]));
}

function replay(copy: Map<string, string>, change: ResourceChange): void {
  if (change.op === 'put') copy.set(JSON.stringify(change.resource.key), JSON.stringify(change.resource));
  else copy.delete(JSON.stringify(change.key));
}
