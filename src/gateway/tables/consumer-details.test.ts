import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RecordingLogger } from '../../../test-support/recording-logger.ts';
import { ByteWriter } from '../../lib/byte-writer.ts';
import type { JsonObject } from '../../lib/json.ts';
import { digestKey } from '../../lib/key-digest.ts';
import { systemRandom } from '../../lib/random.ts';
import { Type } from '../../plugin-kit/index.ts';
import type { SnapshotItem } from '../../schema/snapshot.ts';
import { CredentialIndexReader } from './credential-index-reader.ts';
import { CredentialIndexWriter } from './credential-index-writer.ts';
import type { IdentifiedConsumer } from './identified-consumer.ts';

const SALT = Buffer.alloc(32, 7);
const LIMIT = { name: 'a-limit', schema: Type.Object({ count: Type.Integer(), policy: Type.Optional(Type.String({ default: 'local' })) }) };

function makeIndex(maxRecordBytes?: number) {
  const writer = new CredentialIndexWriter({
    plugins: ['key-auth', 'basic-auth'],
    consumerPlugins: [LIMIT],
    maxReaders: 2,
    random: systemRandom,
    log: new RecordingLogger(),
    ...(maxRecordBytes === undefined ? {} : { maxRecordBytes }),
  });
  const reader = new CredentialIndexReader(writer.handles, writer.registerReader());
  return { writer, reader };
}

function consumer(id: string, value: JsonObject, keys: readonly (readonly [string, JsonObject?])[] = []): SnapshotItem {
  return { kind: 'consumer', id, value: { username: id, ...value }, keys: keys.map(toKey) };
}

function credential(owner: string, id: string, keys: readonly (readonly [string, JsonObject?])[]): SnapshotItem {
  return { kind: 'credential', id, consumer: owner, value: {}, keys: keys.map(toKey) };
}

function toKey([value, data]: readonly [string, JsonObject?]) {
  const key = { plugin: 'basic-auth', digest: digestKey(SALT, Buffer.from(value)).toString('base64') };
  return data === undefined ? key : { ...key, data };
}

function linesOf(found: IdentifiedConsumer | undefined): string {
  const writer = new ByteWriter(Buffer.alloc(0), 64);
  found?.appendHeaderLines(writer);
  const logged = new ByteWriter(Buffer.alloc(0), 64);
  found?.appendLogText(logged);
  return `${writer.bytes.toString('utf8', 0, writer.position)}${logged.bytes.toString('utf8', 0, logged.position)}`;
}

const READ_LIMIT = { kind: 'ready', meta: { disabled: false }, configuration: { count: 2, policy: 'local' } };

test('labels and plugins of a consumer are found with it, by key and by name', () => {
  const { writer, reader } = makeIndex();
  const labels = { custom_id: '42', team: 'a', städte: '["Köln"]' };
  writer.applyPut(consumer('alice', { labels, plugins: { 'a-limit': { count: 2 }, 'from-the-future': {} } }));
  writer.applyPut(credential('alice', 'c1', [['key']]));
  for (const found of [reader.findByName('alice'), reader.findByKey('basic-auth', SALT, 'key')]) {
    assert.deepEqual(found?.labels, new Map(Object.entries(labels)));
    assert.deepEqual(JSON.parse(found?.pluginsText ?? ''), [
      ['a-limit', READ_LIMIT],
      ['from-the-future', { kind: 'invalid', problem: 'unknown to this version' }],
    ]);
    assert.deepEqual([found?.username, found?.customId, found?.credentialDataText], ['alice', '42', undefined]);
  }
  assert.equal(reader.findByName('alice')?.credentialId, undefined);
  assert.equal(reader.findByKey('basic-auth', SALT, 'key')?.credentialId, 'c1');
});

test('a consumer has the labels it has, and no plugins where it has none', () => {
  const { writer, reader } = makeIndex();
  const cases: readonly (readonly [JsonObject, ReadonlyMap<string, string> | undefined, boolean])[] = [
    [{}, undefined, false],
    [{ labels: {}, plugins: {} }, undefined, false],
    [{ labels: { custom_id: '1' } }, new Map([['custom_id', '1']]), false],
    [{ labels: { team: 'a' } }, new Map([['team', 'a']]), false],
    [{ labels: { n: 7 }, plugins: { 'a-limit': { _meta: { disable: true } } } }, undefined, true],
  ];
  for (const [value, labels, hasPlugins] of cases) {
    writer.applyPut(consumer('alice', value));
    const found = reader.findByName('alice');
    assert.deepEqual([found?.labels, found?.pluginsText !== undefined], [labels, hasPlugins]);
  }
});

test('the data of a credential is found with its key, and stands in no header and no log line', () => {
  const { writer, reader } = makeIndex();
  writer.applyPut(consumer('alice', { labels: { team: 'a' } }, [['inline', { password_digest: 'i' }]]));
  writer.applyPut(credential('alice', 'c1', [['foo', { password_digest: 'päss', rounds: 3 }], ['plain']]));
  const foo = reader.findCredential('basic-auth', SALT, 'foo');
  assert.equal(foo?.credentialDataText, '{"password_digest":"päss","rounds":3}');
  assert.equal(linesOf(foo), 'X-Consumer-Username: alice\r\nX-Credential-Identifier: c1\r\n,"consumer":"alice","credential":"c1"');
  const inline = reader.findCredential('basic-auth', SALT, Buffer.from('inline'));
  assert.deepEqual([inline?.credentialDataText, inline?.credentialId], ['{"password_digest":"i"}', undefined]);
  assert.equal(linesOf(inline), 'X-Consumer-Username: alice\r\n,"consumer":"alice"');
  assert.deepEqual([reader.findCredential('basic-auth', SALT, 'plain')?.credentialDataText, writer.credentialCount], [undefined, 3]);
  assert.equal(reader.findCredential('key-auth', SALT, 'foo'), undefined);
});

test('a credential whose data changes keeps its key, and what a request holds stays what it was', () => {
  const { writer, reader } = makeIndex();
  writer.applyPut(consumer('alice', { labels: { team: 'old' }, plugins: { 'a-limit': { count: 1 } } }));
  writer.applyPut(credential('alice', 'c1', [['foo', { n: -1 }], ['bar']]));
  const held = reader.findCredential('basic-auth', SALT, 'foo');
  for (let round = 0; round < 100; round++) {
    reader.passEpoch();
    writer.applyPut(credential('alice', 'c1', [['foo', { n: round }], ['bar']]));
    writer.applyPut(consumer('alice', { labels: { team: `${round}` } }));
    const found = reader.findCredential('basic-auth', SALT, 'foo');
    assert.deepEqual([found?.credentialDataText, found?.labels?.get('team')], [`{"n":${round}}`, `${round}`]);
  }
  assert.equal(writer.credentialCount, 2);
  assert.deepEqual([held?.credentialDataText, held?.labels], ['{"n":-1}', new Map([['team', 'old']])]);
  assert.ok(held?.pluginsText?.includes('"count":1'));
  writer.applyPut(credential('alice', 'c1', [['foo']]));
  assert.equal(reader.findCredential('basic-auth', SALT, 'foo')?.credentialDataText, undefined);
  writer.applyDelete({ kind: 'credential', parentId: 'alice', id: 'c1' });
  assert.deepEqual([reader.findCredential('basic-auth', SALT, 'foo'), writer.credentialCount], [undefined, 0]);
});

test('what has no details and no data takes no more memory than its record', () => {
  const measure = (count: number, value: JsonObject) => {
    const { writer } = makeIndex();
    const before = writer.usage.recordBytes;
    for (let index = 0; index < count; index++) {
      writer.applyPut(consumer(`user-${1000 + index}`, value));
      writer.applyPut(credential(`user-${1000 + index}`, 'credential', [[`key-${index}`]]));
    }
    return (writer.usage.recordBytes - before) / count;
  };
  // A name's record (40), the consumer's (4 + 8 + 9 + 32), the credential's (36 + 4 + 10), each in units of eight bytes.
  assert.equal(measure(1000, {}), 40 + 56 + 56);
  // Four for the reference, and the details.
  assert.equal(measure(1000, { labels: { a: 'b' } }), 40 + 64 + 56 + 24);
});

test('details and data that come and go cost no more memory than those that are there', () => {
  const { writer, reader } = makeIndex();
  const churn = (from: number, to: number) => {
    for (let index = from; index < to; index++) {
      const labels = { team: 'x'.repeat(index % 300) };
      writer.applyPut(consumer('alice', index % 3 === 0 ? {} : { labels, plugins: { 'a-limit': { count: index } } }));
      writer.applyPut(credential('alice', 'c1', [['foo', { text: 'y'.repeat(index % 200) }]]));
      if (index % 20 === 0) reader.passEpoch();
    }
  };
  churn(0, 3000);
  const { recordBytes } = writer.usage;
  churn(3000, 9000);
  assert.ok(writer.usage.recordBytes <= recordBytes * 1.2, `${recordBytes} -> ${writer.usage.recordBytes}`);
});

test('a table that is full refuses the details and leaves the consumer as it was', () => {
  const { writer, reader } = makeIndex(64 * 1024);
  writer.applyPut(consumer('alice', { labels: { team: 'a' } }));
  assert.throws(() => writer.applyPut(consumer('alice', { labels: { team: 'x'.repeat(70_000) } })), /no room left/);
  assert.equal(reader.findByName('alice')?.labels?.get('team'), 'a');
});

test('any sequence of items leaves the data and details that came last', () => {
  const step = fc.record({
    owner: fc.constantFrom('alice', 'bob'),
    id: fc.constantFrom(undefined, 'c1', 'c2'),
    labels: fc.dictionary(fc.constantFrom('a', 'b', 'custom_id'), fc.string({ minLength: 1, unit: 'grapheme' })),
    keys: fc.dictionary(fc.constantFrom('k0', 'k1', 'k2'), fc.option(fc.dictionary(fc.string(), fc.jsonValue()), { nil: undefined })),
    pass: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { writer, reader } = makeIndex();
      const labelsOf = new Map<string, object>();
      const keys = new Map<string, { readonly owner: string; readonly id: string | undefined; readonly data: string | undefined }>();
      for (const { owner, id, labels, keys: own, pass } of steps) {
        const put = Object.entries(own).map(([key, data]) => [key, data as JsonObject | undefined] as const);
        const pairs = put.map(([key, data]) => (data === undefined ? ([key] as const) : ([key, data] as const)));
        writer.applyPut(id === undefined ? consumer(owner, { labels }, pairs) : credential(owner, id, pairs));
        if (id === undefined) labelsOf.set(owner, labels);
        for (const [key, holder] of keys) if (holder.owner === owner && holder.id === id) keys.delete(key);
        for (const [key, data] of put) keys.set(key, { owner, id, data: data === undefined ? undefined : JSON.stringify(data) });
        if (pass) reader.passEpoch();
      }
      assert.equal(writer.credentialCount, keys.size);
      for (const key of ['k0', 'k1', 'k2']) {
        const holder = keys.get(key);
        const labels = labelsOf.get(holder?.owner ?? '');
        const found = reader.findCredential('basic-auth', SALT, key);
        if (holder === undefined || labels === undefined) {
          assert.equal(found, undefined);
          continue;
        }
        const expected = Object.keys(labels).length === 0 ? undefined : new Map(Object.entries(labels));
        assert.deepEqual(
          [found?.username, found?.credentialId, found?.credentialDataText, found?.labels],
          [holder.owner, holder.id, holder.data, expected],
        );
      }
    }),
    { numRuns: 200 },
  );
});
