import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonObject } from '../../lib/json.ts';
import { type MakeDatabase, makeTestBed } from './fresh-database.ts';
import { credentialWrite, keyOf, putAll, remove, serviceWrite } from './sample-writes.ts';

/** What a document looks like when it comes back. */
export function documentContract(makeDatabase: MakeDatabase): void {
  test('a document comes back as it was written, its keys in their order and its secrets in their place', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    const document = { z: 1, plugins: { 'key-auth': { before: true, key: 's3cret', after: [1, { deep: 'two' }] } }, a: 'last' };
    const pointers = ['/plugins/key-auth/key', '/plugins/key-auth/after/1/deep', '/plugins/absent', '/z/nothing'];
    await putAll(store, { ...serviceWrite('one', document), secretPointers: pointers });
    const found = await store.getResource(keyOf('service', 'one'));
    assert.equal(JSON.stringify(found?.document), JSON.stringify(document));
  });

  test('a document read without its secrets lacks those fields and nothing else', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    const document = { a: 'x', list: ['p', 's1', 'q', 's2'], b: { c: 's3' }, number: 42 };
    await putAll(store, { ...serviceWrite('one', document), secretPointers: ['/list/1', '/list/3', '/b/c', '/number'] });
    const found = await store.getResource(keyOf('service', 'one'), { secrets: 'omit' });
    assert.deepEqual(found?.document, { a: 'x', list: ['p', 'q'], b: {} });
  });

  test('any document and any choice of secrets come back byte for byte', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    const text = fc.string({ unit: 'binary', maxLength: 20 });
    const document = fc.dictionary(
      text,
      fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value))),
    );
    await fc.assert(
      fc.asyncProperty(document, fc.infiniteStream(fc.boolean()), async (value: JsonObject, choices) => {
        const secretPointers = pointersIn(value, '').filter(() => choices.next().value);
        await putAll(store, { ...serviceWrite('any', value), secretPointers });
        const found = await store.getResource(keyOf('service', 'any'));
        assert.equal(JSON.stringify(found?.document), JSON.stringify(value));
      }),
      { numRuns: 60 },
    );
  });

  test('hostile and huge text is data like any other, in documents, ids and labels', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    const texts = [
      'n'.repeat(65_536),
      "'; DROP TABLE resources; --",
      'line\n',
      'nul\0byte',
      '\u{1f511}\u0301',
      '__proto__',
      'constructor',
      ' ',
    ];
    for (const text of texts) {
      const document: JsonObject = JSON.parse(
        `{"name":${JSON.stringify(text)},"labels":{${JSON.stringify(text)}:${JSON.stringify(text)}}}`,
      );
      await putAll(store, serviceWrite(text, document));
      const found = await store.getResource(keyOf('service', text));
      assert.deepEqual(found?.key, keyOf('service', text));
      assert.equal(JSON.stringify(found?.document), JSON.stringify(document));
      const labelled = await store.listResources({ groupId: 'default', kind: 'service', labels: new Map([[text, text]]) });
      assert.deepEqual(
        labelled.map((resource) => resource.key.id),
        [text],
      );
    }
    assert.equal((await store.listResources({ groupId: 'default', kind: 'service' })).length, texts.length);
  });

  test('half a surrogate pair survives in a document and is refused in a name', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    await putAll(store, { ...serviceWrite('one', { open: 'a\ud800b', shut: '\udfff' }), secretPointers: ['/shut'] });
    assert.deepEqual((await store.getResource(keyOf('service', 'one')))?.document, { open: 'a\ud800b', shut: '\udfff' });
    await assert.rejects(putAll(store, serviceWrite('\ud800')), { reason: 'admin_invalid' });
    await assert.rejects(store.getResource(keyOf('service', '\ud800')), { reason: 'admin_invalid' });
    assert.equal((await store.listResources({ groupId: 'default', kind: 'service' })).length, 1);
  });

  test('a document of any depth is kept and stands in the way of no list', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    const inner = Array.from({ length: 5000 }).reduce<JsonObject>((deeper) => ({ deeper }), {});
    await putAll(store, serviceWrite('deep', { inner, labels: { env: 'prod' } }));
    const [found] = await store.listResources({ groupId: 'default', kind: 'service', labels: new Map([['env', 'prod']]) });
    assert.equal(JSON.stringify(found?.document), JSON.stringify({ inner, labels: { env: 'prod' } }));
  });

  test('a label that is a secret is no label', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    await putAll(store, { ...serviceWrite('s', { labels: { open: 'a', shut: 'b' } }), secretPointers: ['/labels/shut'] });
    const ids = async (name: string, value: string) =>
      (await store.listResources({ groupId: 'default', kind: 'service', labels: new Map([[name, value]]) })).map(({ key }) => key.id);
    assert.deepEqual([await ids('open', 'a'), await ids('shut', 'b')], [['s'], []]);
  });

  test('history keeps every version with author and time, and never a secret', async (context) => {
    const { store, clock } = await makeTestBed(context, makeDatabase);
    await putAll(store, credentialWrite('alice', 'c1', 'first-key'));
    clock.advance(5000);
    await putAll(store, credentialWrite('alice', 'c1', 'second-key'));
    await remove(store, keyOf('credential', 'c1', 'alice'));
    const versions = await store.listVersions(keyOf('credential', 'c1', 'alice'), 10);
    assert.deepEqual(
      versions.map(({ op, revision, at }) => ({ op, revision, at })),
      [
        { op: 'delete', revision: 3, at: 1_800_000_005 },
        { op: 'put', revision: 2, at: 1_800_000_005 },
        { op: 'put', revision: 1, at: 1_800_000_000 },
      ],
    );
    assert.deepEqual(versions[1]?.author, { id: 'token-1', name: 'deploy' });
    assert.deepEqual(versions[1]?.document, { id: 'c1', plugins: { 'key-auth': {} } });
    assert.deepEqual(versions[1]?.secretPointers, ['/plugins/key-auth/key']);
    assert.equal(versions[0]?.document, undefined);
    assert.equal((await store.listVersions(keyOf('credential', 'c1', 'alice'), 1)).length, 1);
  });
}

function pointersIn(value: unknown, at: string): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.keys(value).flatMap((key) => {
    const pointer = `${at}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    return [pointer, ...pointersIn(Reflect.get(value, key), pointer)];
  });
}
