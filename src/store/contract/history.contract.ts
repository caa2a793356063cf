import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ResourceVersion, StoreHistory } from '../history.ts';
import type { Author } from '../store.ts';
import { type MakeDatabase, makeTestBed } from './fresh-database.ts';
import { AUTHOR, consumerWrite, credentialWrite, keyOf, putAll, remove, routeWrite, serviceWrite } from './sample-writes.ts';

const FULL_ORIGIN = { source: 'api', address: '192.0.2.1', userAgent: 'curl/8', reason: 'ticket 7', requestId: 'r-1' } as const;
const C1 = keyOf('credential', 'c1', 'alice');

/** What can be told of the past: versions, revisions, states, and since when each secret holds. */
export function historyContract(makeDatabase: MakeDatabase): void {
  test('a version and a revision tell by whom, when, from where and why they were made', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    const author: Author = { ...AUTHOR, origin: FULL_ORIGIN };
    await store.transaction(author, async (transaction) => {
      await transaction.putResource(serviceWrite('a'));
      await transaction.putResource(serviceWrite('b'));
    });
    await store.transaction({ id: 'cli', name: 'command line' }, (transaction) => transaction.deleteResource(keyOf('service', 'a')));
    const [deleted, put] = await store.listVersions(keyOf('service', 'a'), 9);
    assert.deepEqual([put?.author, put?.origin], [AUTHOR, FULL_ORIGIN]);
    assert.equal(deleted?.origin.source, 'cli');
    const revisions = await store.listRevisions('default', 9);
    assert.deepEqual(
      revisions.map(({ revision, changes, at, author: { id }, origin: { reason } }) => ({ revision, changes, at, id, reason })),
      [
        { revision: 2, changes: 1, at: 1_800_000_000, id: 'cli', reason: undefined },
        { revision: 1, changes: 2, at: 1_800_000_000, id: 'token-1', reason: 'ticket 7' },
      ],
    );
    assert.equal((await store.listRevisions('default', 9, 2)).length, 1);
    const changed = await store.listVersionsOfRevision('default', 1, 9);
    assert.deepEqual(
      changed.map(({ key }) => key.id),
      ['a', 'b'],
    );
  });

  test('versions come in pages, the latest first, and each is found by any revision at which it was in force', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    for (const n of [1, 2, 3]) await putAll(store, serviceWrite('a', { n }), serviceWrite('other', { n }));
    await remove(store, keyOf('service', 'a'));
    const key = keyOf('service', 'a');
    const first = await store.listVersions(key, 2);
    const rest = await store.listVersions(key, 9, first.at(-1)?.number);
    assert.deepEqual(
      [...first, ...rest].map(({ revision }) => revision),
      [4, 3, 2, 1],
    );
    assert.equal(await store.countVersions(key), 4);
    const heads = rest.map(({ document: _document, ...head }) => head);
    assert.deepEqual(await store.listVersionHeads(key, 9, first.at(-1)?.number), heads);
    const documents = [];
    for (const revision of [0, 1, 2, 4, 9]) documents.push((await store.versionAt(key, revision))?.document);
    assert.deepEqual(documents, [undefined, { n: 1 }, { n: 2 }, undefined, undefined]);
    assert.equal((await store.versionAt(key, 9))?.op, 'delete');
    assert.deepEqual(
      (await store.listChangedKeys('default', 3)).map(({ id }) => id),
      ['a'],
    );
  });

  test('since when a secret holds is told by the revision that first wrote it, and nothing of the secret itself', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    await putAll(store, credentialWrite('alice', 'c1', 'first'));
    await putAll(store, { ...credentialWrite('alice', 'c1', 'first'), document: { n: 2, plugins: { 'key-auth': { key: 'first' } } } });
    await putAll(store, credentialWrite('alice', 'c1', 'second'));
    await putAll(store, credentialWrite('alice', 'c1', 'first'));
    await remove(store, C1);
    await putAll(store, credentialWrite('alice', 'c1', 'first'));
    assert.deepEqual(sinceOf(await store.listVersions(C1, 9)), ['6:6', '5:', '4:4', '3:3', '2:1', '1:1']);
    assert.doesNotMatch(JSON.stringify(await store.listVersions(C1, 9)), /first|second/);
  });

  test('reads of the past inside a transaction see its own writes', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    await store.transaction(AUTHOR, async (transaction) => {
      await transaction.putResource(serviceWrite('a'));
      assert.equal((await transaction.versionAt(keyOf('service', 'a'), 1))?.op, 'put');
      assert.deepEqual(await transaction.listChangedKeys('default', 0), [keyOf('service', 'a')]);
    });
  });

  test('a resource that is deleted alone leaves what it owns', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    await putAll(store, serviceWrite('s'), routeWrite('r', 's'));
    const results = await store.transaction(AUTHOR, async (transaction) => [
      await transaction.deleteResourceAlone(keyOf('service', 's')),
      await transaction.deleteResourceAlone(keyOf('service', 's')),
    ]);
    assert.deepEqual(results, [true, false]);
    assert.ok(await store.getResource(keyOf('route', 'r')));
    assert.equal((await store.changesSince('default', 1))?.changes.length, 1);
  });

  test('what was in force within the time kept can be told whole, and the store knows from which revision on', async (context) => {
    const { store, clock } = await makeTestBed(context, makeDatabase);
    await putAll(store, serviceWrite('old', { n: 1 }), serviceWrite('gone'), serviceWrite('same'));
    clock.advance(100_000);
    await putAll(store, serviceWrite('old', { n: 2 }));
    await remove(store, keyOf('service', 'gone'));
    clock.advance(100_000);
    await putAll(store, serviceWrite('old', { n: 3 }));
    // The first version of `old` is 200 s old, but was in force until 100 s ago.
    await pruneAll(store, 1_800_000_050);
    assert.equal(await store.historyKeptFrom('default'), 0);
    assert.deepEqual((await store.versionAt(keyOf('service', 'old'), 1))?.document, { n: 1 });
    await pruneAll(store, 1_800_000_150);
    assert.equal(await store.historyKeptFrom('default'), 3);
    assert.equal(await store.versionAt(keyOf('service', 'old'), 1), undefined);
    assert.deepEqual((await store.versionAt(keyOf('service', 'old'), 3))?.document, { n: 2 });
    assert.equal(await store.countVersions(keyOf('service', 'gone')), 0);
    assert.equal((await store.versionAt(keyOf('service', 'same'), 3))?.op, 'put');
  });

  test('history is bounded by its size too, and never forgets what is in force', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    const text = 'x'.repeat(10_000);
    for (const n of [1, 2, 3, 4, 5]) await putAll(store, serviceWrite('a', { n, text }), consumerWrite(`u${n}`));
    let step = await store.measureHistory('versions', { below: undefined, bytes: 0 }, 25_000, 2);
    let steps = 1;
    for (; step.cut === undefined && step.below !== undefined; steps += 1) {
      step = await store.measureHistory('versions', step, 25_000, 2);
    }
    assert.ok(step.cut !== undefined && steps > 1);
    assert.equal(await store.pruneHistory({ versionsBefore: 0, versionsBelow: step.cut, auditBefore: 0, limit: 100 }), 3);
    assert.deepEqual(
      (await store.listVersions(keyOf('service', 'a'), 9)).map(({ revision }) => revision),
      [5, 4],
    );
    assert.equal(await store.countVersions(keyOf('consumer', 'u1')), 1);
    const whole = await store.measureHistory('versions', { below: undefined, bytes: 0 }, 1e9, 100);
    assert.deepEqual([whole.below, whole.cut], [undefined, undefined]);
  });
}

function sinceOf(versions: readonly ResourceVersion[]): readonly string[] {
  return versions.map(({ revision, secretsSince }) => `${revision}:${secretsSince.join()}`);
}

async function pruneAll(store: Pick<StoreHistory, 'pruneHistory'>, versionsBefore: number): Promise<void> {
  while ((await store.pruneHistory({ versionsBefore, auditBefore: 0, limit: 1 })) > 0);
}
