import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import fc from 'fast-check';
import { RecordingLogger } from '../../../test-support/recording-logger.ts';
import { ByteWriter } from '../../lib/byte-writer.ts';
import type { JsonObject } from '../../lib/json.ts';
import { digestKey } from '../../lib/key-digest.ts';
import { systemRandom } from '../../lib/random.ts';
import type { KeyDigest, SnapshotItem } from '../../schema/snapshot.ts';
import { CredentialIndexReader } from './credential-index-reader.ts';
import { CredentialIndexWriter } from './credential-index-writer.ts';
import type { IdentifiedConsumer } from './identified-consumer.ts';

const SALT = Buffer.alloc(32, 7);

function makeIndex() {
  const log = new RecordingLogger();
  const writer = new CredentialIndexWriter({ plugins: ['key-auth', 'basic-auth'], maxReaders: 2, random: systemRandom, log });
  const reader = new CredentialIndexReader(structuredCloneOfHandles(writer), writer.registerReader());
  const find = (key: string, plugin = 'key-auth') => {
    const found = reader.findByKey(plugin, SALT, key);
    return found && { username: found.username, customId: found.customId, credentialId: found.credentialId };
  };
  return { log, writer, reader, find };
}

/** As a worker gets them. */
function structuredCloneOfHandles(writer: CredentialIndexWriter): CredentialIndexWriter['handles'] {
  return { ...writer.handles, plugins: structuredClone(writer.handles.plugins) };
}

function keysOf(keys: readonly string[], plugin = 'key-auth'): KeyDigest[] {
  return keys.map((key) => ({ plugin, digest: digestKey(SALT, Buffer.from(key)).toString('base64') }));
}

function consumer(id: string, options: { readonly labels?: JsonObject; readonly keys?: readonly KeyDigest[] } = {}): SnapshotItem {
  return { kind: 'consumer', id, value: { username: id, labels: options.labels ?? {} }, keys: options.keys ?? [] };
}

function credential(owner: string, id: string, keys: readonly string[]): SnapshotItem {
  return { kind: 'credential', id, consumer: owner, value: {}, keys: keysOf(keys) };
}

function identity(username: string, credentialId?: string, customId?: string) {
  return { username, customId, credentialId };
}

test('a key leads to its consumer, custom id and credential', () => {
  const { writer, reader, find } = makeIndex();
  writer.applyPut(consumer('alice', { labels: { custom_id: 'a-1' } }));
  writer.applyPut(credential('alice', 'first', ['secret']));
  assert.deepEqual(find('secret'), identity('alice', 'first', 'a-1'));
  assert.equal(find('Secret'), undefined);
  assert.equal(find(''), undefined);
  assert.equal(find('secret', 'basic-auth'), undefined);
  assert.equal(find('secret', 'no-such-plugin'), undefined);
  const found = reader.findByKey('key-auth', SALT, Buffer.from('secret'));
  assert.equal(linesOf(found), 'X-Consumer-Username: alice\r\nX-Consumer-Custom-ID: a-1\r\nX-Credential-Identifier: first\r\n');
  assert.deepEqual([writer.consumerCount, writer.credentialCount], [1, 1]);
});

function linesOf(consumer: IdentifiedConsumer | undefined): string {
  const writer = new ByteWriter(Buffer.alloc(0), 64);
  consumer?.appendHeaderLines(writer);
  return writer.bytes.toString('utf8', 0, writer.position);
}

test('keys are bytes: a byte string and a buffer are the same key, and any length works', () => {
  const { writer, reader } = makeIndex();
  writer.applyPut(consumer('alice'));
  const keys = ['ключ', 'x'.repeat(255), 'x'.repeat(256), 'x'.repeat(20_000)];
  writer.applyPut(credential('alice', 'c', keys));
  for (const key of keys) {
    assert.equal(reader.findByKey('key-auth', SALT, Buffer.from(key))?.credentialId, 'c');
    assert.equal(reader.findByKey('key-auth', SALT, Buffer.from(key).toString('latin1'))?.credentialId, 'c');
  }
  assert.equal(reader.findByKey('key-auth', Buffer.alloc(32, 8), keys[1] ?? ''), undefined);
  assert.equal(reader.findByKey('key-auth', SALT, keys[1] ?? '')?.credentialId, 'c');
});

test('consumers are found by name, without a credential', () => {
  const { writer, reader } = makeIndex();
  writer.applyPut(consumer('guest', { labels: { custom_id: 'g' } }));
  const guest = reader.findByName('guest');
  assert.deepEqual([guest?.username, guest?.customId, guest?.credentialId], ['guest', 'g', undefined]);
  assert.equal(reader.findByName('Guest'), undefined);
  assert.equal(reader.findByName('__proto__'), undefined);
});

test('a key written on the consumer is a credential without id', () => {
  const { writer, find } = makeIndex();
  writer.applyPut(consumer('alice', { keys: keysOf(['inline']) }));
  writer.applyPut(credential('alice', 'c', ['other']));
  assert.deepEqual(find('inline'), identity('alice'));
  writer.applyPut(consumer('alice', { keys: keysOf(['changed']) }));
  assert.equal(find('inline'), undefined);
  assert.deepEqual(find('changed'), identity('alice'));
  assert.deepEqual(find('other'), identity('alice', 'c'));
});

test('a changed credential forgets its old keys and keeps the others', () => {
  const { writer, find } = makeIndex();
  writer.applyPut(consumer('alice'));
  writer.applyPut(credential('alice', 'c', ['one', 'two']));
  writer.applyPut(credential('alice', 'c', ['two', 'three']));
  assert.equal(find('one'), undefined);
  assert.deepEqual(find('two'), identity('alice', 'c'));
  assert.deepEqual(find('three'), identity('alice', 'c'));
  writer.applyDelete({ kind: 'credential', parentId: 'alice', id: 'c' });
  assert.deepEqual([find('two'), find('three')], [undefined, undefined]);
  assert.equal(writer.credentialCount, 0);
});

test('a credential that comes before its consumer matches nothing until the consumer comes', () => {
  const { writer, find } = makeIndex();
  writer.applyPut(credential('alice', 'c', ['secret']));
  assert.equal(find('secret'), undefined);
  writer.applyPut(consumer('alice'));
  assert.deepEqual(find('secret'), identity('alice', 'c'));
});

test('when a consumer goes none of its keys matches, whatever the order of the deletions', () => {
  for (const consumerFirst of [true, false]) {
    const { writer, reader, find } = makeIndex();
    writer.applyPut(consumer('alice', { keys: keysOf(['inline']) }));
    writer.applyPut(credential('alice', 'c', ['secret']));
    const deletions = [
      () => writer.applyDelete({ kind: 'consumer', parentId: '', id: 'alice' }),
      () => writer.applyDelete({ kind: 'credential', parentId: 'alice', id: 'c' }),
    ];
    for (const deletion of consumerFirst ? deletions : deletions.toReversed()) {
      deletion();
      assert.equal(find('secret'), undefined);
    }
    assert.deepEqual(
      [find('inline'), reader.findByName('alice'), writer.consumerCount, writer.credentialCount],
      [undefined, undefined, 0, 0],
    );
    writer.applyPut(consumer('alice'));
    assert.equal(find('secret'), undefined);
  }
});

test('a key that moves from one credential to another works in both orders of the changes', () => {
  for (const giverFirst of [true, false]) {
    const { writer, find } = makeIndex();
    writer.applyPut(consumer('alice'));
    writer.applyPut(consumer('bob'));
    writer.applyPut(credential('alice', 'a', ['moving', 'staying']));
    const changes = [credential('alice', 'a', ['staying']), credential('bob', 'b', ['moving'])];
    for (const change of giverFirst ? changes : changes.toReversed()) writer.applyPut(change);
    assert.deepEqual(find('moving'), identity('bob', 'b'));
    assert.deepEqual(find('staying'), identity('alice', 'a'));
  }
});

test('a changed consumer is seen through all its credentials, and what a request holds stays what it was', () => {
  const { writer, reader, find } = makeIndex();
  writer.applyPut(consumer('alice', { labels: { custom_id: 'old' } }));
  writer.applyPut(credential('alice', 'c', ['secret']));
  const held = reader.findByKey('key-auth', SALT, 'secret');
  writer.applyPut(consumer('alice', { labels: { custom_id: 'new' } }));
  assert.deepEqual(find('secret'), identity('alice', 'c', 'new'));
  for (let round = 0; round < 100; round++) {
    reader.passEpoch();
    writer.applyPut(consumer('alice', { labels: { custom_id: `${round}` } }));
  }
  assert.equal(held?.customId, 'old');
  assert.equal(linesOf(held), 'X-Consumer-Username: alice\r\nX-Consumer-Custom-ID: old\r\nX-Credential-Identifier: c\r\n');
});

test('a custom id of any text cannot break out of its header', () => {
  const { writer, reader, log } = makeIndex();
  const customIds: ReadonlyMap<string, string> = new Map([
    ['plain', 'X-Consumer-Custom-ID: plain\r\n'],
    ['Zoë 東京', 'X-Consumer-Custom-ID: Zoë 東京\r\n'],
    ['a\r\nX-Admin: 1', ''],
    ['nul\0', ''],
    ['del\x7f', ''],
    ['tab\there', 'X-Consumer-Custom-ID: tab\there\r\n'],
  ]);
  for (const [customId, line] of customIds) {
    writer.applyPut(consumer('alice', { labels: { custom_id: customId } }));
    const found = reader.findByName('alice');
    assert.equal(linesOf(found), `X-Consumer-Username: alice\r\n${line}`);
    assert.equal(found?.customId, customId);
  }
  assert.equal(log.lines.filter((line) => line.level === 'warn').length, 3);
});

test('only an own label of text is a custom id', () => {
  const { writer, reader } = makeIndex();
  for (const labels of [{}, { custom_id: '' }, { custom_id: 7 }, JSON.parse('{"__proto__":{"custom_id":"x"}}')]) {
    writer.applyPut(consumer('alice', { labels }));
    assert.equal(reader.findByName('alice')?.customId, undefined);
  }
});

test('a name that no header can carry is no consumer', () => {
  const { writer, reader, find, log } = makeIndex();
  writer.applyPut(consumer('a\r\nX-Admin: 1', { keys: keysOf(['secret']) }));
  assert.equal(find('secret'), undefined);
  assert.equal(reader.findByName('a\r\nX-Admin: 1'), undefined);
  assert.equal(log.lines.length, 1);
});

test('keys of unknown plugins and broken digests are left out with a warning, the others work', () => {
  const { writer, find, log } = makeIndex();
  const keys = [...keysOf(['x'], 'other-auth'), { plugin: 'key-auth', digest: 'AAAA' }, ...keysOf(['y'])];
  writer.applyPut(consumer('alice', { keys }));
  assert.deepEqual(find('y'), identity('alice'));
  assert.equal(log.lines.filter((line) => line.level === 'warn').length, 2);
  assert.equal(writer.credentialCount, 1);
});

test('a new snapshot leaves exactly what it holds, and never takes away what stays', () => {
  const { writer, reader, find } = makeIndex();
  for (let index = 0; index < 3000; index++) {
    writer.applyPut(consumer(`user-${index}`, { keys: keysOf([`inline-${index}`]) }));
    writer.applyPut(credential(`user-${index}`, 'c', [`key-${index}`]));
  }
  writer.beginReplace();
  for (let index = 1500; index < 3500; index++) {
    writer.applyPut(consumer(`user-${index}`));
    writer.applyPut(credential(`user-${index}`, 'c', [`key-${index}`]));
  }
  assert.deepEqual(find('key-1'), identity('user-1', 'c'));
  let steps = 1;
  while (!writer.finishReplace(500)) {
    steps += 1;
    assert.deepEqual(find('key-2000'), identity('user-2000', 'c'));
  }
  assert.ok(steps > 5);
  assert.deepEqual([writer.consumerCount, writer.credentialCount], [2000, 2000]);
  assert.deepEqual(
    [find('key-1'), find('inline-1'), find('inline-2000'), reader.findByName('user-1')],
    [undefined, undefined, undefined, undefined],
  );
  assert.deepEqual(find('key-3499'), identity('user-3499', 'c'));
});

test('a consumer that takes the place of another is never seen through the other one’s key', () => {
  const { writer, reader } = makeIndex();
  writer.applyPut(consumer('alice'));
  writer.applyPut(credential('alice', 'c', ['secret']));
  const consumersBuffer = writer.handles.consumers;
  const load = Atomics.load.bind(Atomics) as (words: Uint32Array, index: number) => number;
  let interrupted = false;
  const mocked = mock.method(Atomics, 'load', (words: Uint32Array, index: number): number => {
    if (words.buffer === consumersBuffer && !interrupted) {
      interrupted = true;
      writer.applyDelete({ kind: 'credential', parentId: 'alice', id: 'c' });
      writer.applyDelete({ kind: 'consumer', parentId: '', id: 'alice' });
      for (let count = 0; count < 10; count++) {
        writer.reclaim();
        writer.applyPut(consumer(`mallory-${count}`));
      }
    }
    return load(words, index);
  });
  try {
    assert.equal(reader.findByKey('key-auth', SALT, 'secret'), undefined);
  } finally {
    mocked.mock.restore();
  }
  assert.ok(interrupted);
  const before = writer.consumerCount;
  reader.passEpoch();
  writer.reclaim();
  writer.applyPut(consumer('oscar'));
  assert.equal(reader.findByName('oscar')?.username, 'oscar');
  assert.equal(writer.consumerCount, before + 1);
});

test('consumers and keys that come and go cost no more memory than those that are there', () => {
  const { writer, reader } = makeIndex();
  const churn = (from: number, to: number) => {
    for (let index = from; index < to; index++) {
      writer.applyPut(consumer(`user-${index}`, { labels: { custom_id: 'x'.repeat(index % 200) } }));
      writer.applyPut(credential(`user-${index}`, `credential-${index % 77}`, [`key-${index}`]));
      writer.applyDelete({ kind: 'consumer', parentId: '', id: `user-${index - 100}` });
      writer.applyDelete({ kind: 'credential', parentId: `user-${index - 100}`, id: `credential-${(index - 100) % 77}` });
      if (index % 20 === 0) reader.passEpoch();
    }
  };
  churn(100, 3000);
  const { recordBytes } = writer.usage;
  const consumerBytes = writer.handles.consumers.byteLength;
  churn(3000, 9000);
  assert.ok(writer.usage.recordBytes <= recordBytes * 1.2, `${recordBytes} -> ${writer.usage.recordBytes}`);
  assert.equal(writer.handles.consumers.byteLength, consumerBytes);
  assert.deepEqual([writer.consumerCount, writer.credentialCount], [100, 100]);
});

/** What the tables must say, kept in the simplest way. */
class Model {
  readonly consumers = new Set<string>();
  /** key → owner and credential. */
  readonly keys = new Map<string, { readonly owner: string; readonly id: string | undefined }>();

  put(owner: string, id: string | undefined, keys: readonly string[]): void {
    if (id === undefined) this.consumers.add(owner);
    for (const [key, holder] of this.keys) if (holder.owner === owner && holder.id === id) this.keys.delete(key);
    for (const key of keys) this.keys.set(key, { owner, id });
  }

  delete(owner: string, id: string | undefined): void {
    this.put(owner, id, []);
    if (id === undefined) this.consumers.delete(owner);
  }

  find(key: string): ReturnType<typeof identity> | undefined {
    const holder = this.keys.get(key);
    return holder !== undefined && this.consumers.has(holder.owner) ? identity(holder.owner, holder.id) : undefined;
  }
}

test('any sequence of items leaves what the simplest model says', () => {
  const keyNames = ['k0', 'k1', 'k2', 'k3', 'k4', 'k5'];
  const step = fc.record({
    op: fc.constantFrom('put', 'put', 'delete', 'pass'),
    owner: fc.constantFrom('alice', 'bob', 'carol'),
    id: fc.constantFrom(undefined, 'c1', 'c2'),
    keys: fc.uniqueArray(fc.constantFrom(...keyNames), { maxLength: 3 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const { writer, reader, find } = makeIndex();
      const model = new Model();
      for (const { op, owner, id, keys } of steps) {
        if (op === 'pass') reader.passEpoch();
        else if (op === 'put') {
          model.put(owner, id, keys);
          writer.applyPut(id === undefined ? consumer(owner, { keys: keysOf(keys) }) : credential(owner, id, keys));
        } else {
          model.delete(owner, id);
          writer.applyDelete(
            id === undefined ? { kind: 'consumer', parentId: '', id: owner } : { kind: 'credential', parentId: owner, id },
          );
        }
      }
      for (const key of keyNames) assert.deepEqual(find(key), model.find(key));
      assert.equal(writer.consumerCount, model.consumers.size);
      assert.equal(writer.credentialCount, model.keys.size);
    }),
    { numRuns: 150 },
  );
});

test('what was found is current until it is removed, goes to another, or proves something else', () => {
  const { writer, reader } = makeIndex();
  const found = (key: string, plugin = 'key-auth'): IdentifiedConsumer => reader.findByKey(plugin, SALT, key) ?? assert.fail(key);
  const password = (data: JsonObject): SnapshotItem => {
    const keys = keysOf(['alice'], 'basic-auth').map((key) => ({ ...key, data }));
    return { kind: 'credential', id: 'login', consumer: 'alice', value: {}, keys };
  };
  writer.applyPut(consumer('alice', { keys: keysOf(['own']) }));
  writer.applyPut(credential('alice', 'first', ['secret', 'second']));
  writer.applyPut(password({ password: 'a' }));
  const all = [found('secret'), found('second'), found('own'), found('alice', 'basic-auth'), reader.findByName('alice') ?? assert.fail()];
  const current = (): readonly boolean[] => all.map((one) => reader.isCurrent(one));
  assert.deepEqual(current(), [true, true, true, true, true]);
  // What says nothing else about who they are, and what concerns others.
  writer.applyPut(consumer('alice', { labels: { team: 'blue', custom_id: 'a-1' }, keys: keysOf(['own']) }));
  writer.applyPut(credential('alice', 'another', ['third']));
  writer.applyPut(consumer('bob'));
  for (let index = 0; index < 2_000; index++) writer.applyPut(credential('bob', `b-${index}`, [`key-${index}`]));
  assert.deepEqual(current(), [true, true, true, true, true]);
  writer.applyPut(credential('alice', 'first', ['second']));
  assert.deepEqual(current(), [false, true, true, true, true]);
  writer.applyPut(credential('bob', 'taken', ['second']));
  assert.deepEqual(current(), [false, false, true, true, true]);
  writer.applyPut(password({ password: 'b' }));
  assert.deepEqual(current(), [false, false, true, false, true]);
  writer.applyDelete({ kind: 'consumer', parentId: '', id: 'alice' });
  assert.deepEqual(current(), [false, false, false, false, false]);
});
