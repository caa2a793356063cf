import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { mock, test } from 'node:test';
import fc from 'fast-check';
import { hashDigest } from './digest-record.ts';
import { EpochRegistry, EpochRow } from './epoch-registry.ts';
import { RecordArena, SharedTableFull } from './record-arena.ts';
import { SharedDigestTableReader } from './shared-digest-table-reader.ts';
import { SharedDigestTableWriter } from './shared-digest-table-writer.ts';
import { GENERATION_WORD, regionRow } from './slot-layout.ts';

const SEED = 0x1234567;
const MEBIBYTE = 1024 * 1024;

function makeTable(maxBytes = 256 * MEBIBYTE) {
  const epochs = new EpochRegistry(1);
  const reader = new EpochRow(epochs.buffer, epochs.register());
  const arena = new RecordArena(epochs, maxBytes);
  const writer = new SharedDigestTableWriter({ arena, seed: SEED, maxSlotBytes: maxBytes });
  return { epochs, epoch: reader, arena, writer, reader: new SharedDigestTableReader(writer.handles) };
}

function digestOf(key: number | string): Buffer {
  return hash('sha256', String(key), 'buffer');
}

function payloadOf(reader: SharedDigestTableReader, record: number): string | undefined {
  if (record < 0) return undefined;
  const start = reader.payloadStart(record);
  return reader.records.bytes.toString('latin1', start, start + reader.payloadLength(record));
}

test('a reader made before the table grew finds every key, through growth of slots and of records', () => {
  const { writer, reader } = makeTable();
  for (let key = 0; key < 20_000; key++) {
    writer.put(1, digestOf(key), Buffer.from(`payload ${key}`));
    if (key % 97 === 0) assert.equal(payloadOf(reader, reader.find(1, digestOf(key))), `payload ${key}`);
  }
  assert.equal(writer.size, 20_000);
  for (let key = 0; key < 20_000; key++) assert.equal(payloadOf(reader, reader.find(1, digestOf(key))), `payload ${key}`);
  for (let key = 20_000; key < 25_000; key++) assert.equal(reader.find(1, digestOf(key)), -1);
});

test('the same digest in two spaces is two keys', () => {
  const { writer, reader } = makeTable();
  writer.put(0, digestOf('k'), Buffer.from('zero'));
  writer.put(255, digestOf('k'), Buffer.from('last'));
  assert.equal(payloadOf(reader, reader.find(0, digestOf('k'))), 'zero');
  assert.equal(payloadOf(reader, reader.find(255, digestOf('k'))), 'last');
  assert.equal(reader.find(1, digestOf('k')), -1);
  assert.throws(() => writer.put(256, digestOf('k'), Buffer.alloc(0)), RangeError);
  assert.throws(() => writer.put(0, Buffer.alloc(31), Buffer.alloc(0)), RangeError);
});

test('digests that differ in one bit anywhere are different keys', () => {
  const { writer, reader } = makeTable();
  const digest = digestOf('k');
  writer.put(0, digest, Buffer.from('x'));
  for (let bit = 0; bit < 256; bit++) {
    const other = Buffer.from(digest);
    other[bit >>> 3] = (other[bit >>> 3] ?? 0) ^ (1 << (bit & 7));
    assert.equal(reader.find(0, other), -1);
  }
});

test('any sequence of puts and removals leaves what a map would hold', () => {
  const step = fc.record({
    op: fc.constantFrom('put', 'put', 'remove', 'pass'),
    key: fc.integer({ min: 0, max: 60 }),
    payload: fc.string({ maxLength: 40 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const { writer, reader, epoch } = makeTable(4 * MEBIBYTE);
      const expected = new Map<number, string>();
      for (const { op, key, payload } of steps) {
        const text = Buffer.from(payload).toString('latin1');
        if (op === 'put') {
          writer.put(0, digestOf(key), Buffer.from(payload));
          expected.set(key, text);
        } else if (op === 'remove') {
          assert.equal(writer.remove(0, digestOf(key)), expected.delete(key));
        } else epoch.pass();
      }
      assert.equal(writer.size, expected.size);
      for (let key = 0; key <= 60; key++) assert.equal(payloadOf(reader, reader.find(0, digestOf(key))), expected.get(key));
    }),
    { numRuns: 60 },
  );
});

test('keys that come and go for ever cost no more memory than those that are there', () => {
  const { writer, reader, epoch, arena } = makeTable();
  const churn = (from: number, to: number) => {
    for (let key = from; key < to; key++) {
      writer.put(0, digestOf(key), Buffer.from(`${key}`.padStart(24)));
      if (key >= 500) assert.ok(writer.remove(0, digestOf(key - 500)));
      if (key % 50 === 0) epoch.pass();
    }
  };
  churn(0, 5000);
  const { byteLength } = writer.handles.slots;
  const used = arena.usedBytes;
  churn(5000, 40_000);
  assert.equal(writer.size, 500);
  assert.ok(writer.handles.slots.byteLength <= byteLength * 2);
  assert.ok(arena.usedBytes <= used + 8192, `${used} -> ${arena.usedBytes}`);
  for (let key = 39_500; key < 40_000; key++) assert.notEqual(reader.find(0, digestOf(key)), -1);
});

test('a record that was found stays as it was until the reader passes an epoch, whatever the writer does', () => {
  const { writer, reader, epoch } = makeTable();
  writer.put(0, digestOf('k'), Buffer.from('old payload'));
  const record = reader.find(0, digestOf('k'));
  writer.remove(0, digestOf('k'));
  for (let key = 0; key < 3000; key++) writer.put(0, digestOf(key), Buffer.from('new payload'));
  assert.equal(payloadOf(reader, record), 'old payload');
  epoch.pass();
  for (let key = 3000; key < 3010; key++) writer.put(0, digestOf(key), Buffer.from('new payload'));
  assert.equal(payloadOf(reader, record), 'new payload');
});

/** First slot of the region that readers are sent to. */
function currentRegion(writer: SharedDigestTableWriter): number {
  const control = new Int32Array(writer.handles.control);
  return control[regionRow(control[GENERATION_WORD] ?? 0)] ?? -1;
}

function homeOf(space: number, digest: Buffer, capacity: number): number {
  return hashDigest(SEED, space, digest.readUInt32LE(0), digest.readUInt32LE(4)) & (capacity - 1);
}

/** Digests for space 1, the one at position p with its home in slot p of a region of this capacity. */
function digestsByHome(capacity: number): Buffer[] {
  const digests: Buffer[] = [];
  for (let count = 0; count < capacity * 8; count++) {
    const digest = Buffer.alloc(32);
    digest.writeInt32LE(Math.imul(count, 0x9e3779b1), 0);
    digest.writeUInt32LE(count, 4);
    digests[homeOf(1, digest, capacity)] = digest;
  }
  return digests.filter((digest) => digest !== undefined);
}

/** Leaves deleted slots that the table cannot empty at once, because the slot behind them is in use, until it must clean up. */
function wearOut(writer: SharedDigestTableWriter, capacity: number): void {
  const digests = digestsByHome(capacity);
  const run = capacity / 16;
  for (let from = 0; from < digests.length; from += run) {
    const some = digests.slice(from, from + run);
    for (const digest of some) writer.put(1, digest, Buffer.alloc(8));
    for (const digest of some.slice(0, -1)) writer.remove(1, digest);
  }
  for (const digest of digests) writer.remove(1, digest);
}

test('deleted slots are cleaned away without growing, and region after region is used again', () => {
  const { writer, reader } = makeTable();
  writer.put(0, digestOf('k'), Buffer.from('payload'));
  const regions = new Set<number>();
  for (let round = 0; round < 40; round++) {
    wearOut(writer, 1024);
    regions.add(currentRegion(writer));
    assert.equal(payloadOf(reader, reader.find(0, digestOf('k'))), 'payload');
  }
  assert.equal(writer.size, 1);
  assert.deepEqual([...regions].sort(), [0, 1024]);
});

test('a key is found even when its region is replaced and cleared in the middle of the search', () => {
  const { writer, reader } = makeTable();
  // A key that lies elsewhere in the larger region than in the first one.
  const wanted =
    Array.from({ length: 100 }, (_, key) => digestOf(`k${key}`)).find((digest) => homeOf(0, digest, 8192) >= 1024) ?? assert.fail();
  writer.put(0, wanted, Buffer.from('payload'));
  for (let key = 0; key < 100; key++) writer.put(0, digestOf(key), Buffer.alloc(8));
  assert.notEqual(reader.find(0, wanted), -1);
  const load = Atomics.load.bind(Atomics) as (words: Uint32Array, index: number) => number;
  let interrupted = false;
  const interrupting = (words: Uint32Array, index: number): number => {
    if (words instanceof Uint32Array && !interrupted) {
      interrupted = true;
      for (let key = 0; key < 3000; key++) writer.put(1, digestOf(key), Buffer.alloc(8));
      for (let key = 0; key < 3000; key++) writer.remove(1, digestOf(key));
      for (let round = 0; round < 4; round++) wearOut(writer, 8192);
    }
    return load(words, index);
  };
  const firstRegion = currentRegion(writer);
  const mocked = mock.method(Atomics, 'load', interrupting);
  try {
    assert.equal(payloadOf(reader, reader.find(0, wanted)), 'payload');
  } finally {
    mocked.mock.restore();
  }
  assert.equal(firstRegion, 0);
  assert.ok(interrupted);
});

test('a full table refuses new keys and keeps the old ones', () => {
  const { writer, reader } = makeTable(64 * 1024);
  let count = 0;
  assert.throws(() => {
    for (; ; count++) writer.put(0, digestOf(count), Buffer.alloc(20));
  }, SharedTableFull);
  assert.ok(count > 500);
  assert.equal(writer.size, count);
  for (let key = 0; key < count; key++) assert.notEqual(reader.find(0, digestOf(key)), -1);
});

test('a million keys cost at most 100 bytes each, and none of the changes stalls the writer', () => {
  const { writer, reader, arena } = makeTable(1024 * MEBIBYTE);
  const digest = Buffer.alloc(32);
  const payload = Buffer.alloc(24);
  const count = 1_000_000;
  const setKey = (key: number) => {
    for (let word = 0; word < 8; word++) digest.writeInt32LE(Math.imul(key + 1, 0x9e3779b1 + word * 0x3c6ef372) ^ (key >>> word), word * 4);
  };
  let longestMs = 0;
  for (let key = 0; key < count; key += 1000) {
    const before = process.threadCpuUsage();
    for (let offset = 0; offset < 1000; offset++) {
      setKey(key + offset);
      writer.put(0, digest, payload);
    }
    const { user, system } = process.threadCpuUsage(before);
    longestMs = Math.max(longestMs, (user + system) / 1000);
  }
  assert.equal(writer.size, count);
  const bytesPerKey = (arena.usedBytes + writer.handles.slots.byteLength) / count;
  assert.ok(bytesPerKey <= 100, `${bytesPerKey} bytes a key`);
  // This thread's own time, which a busy machine does not stretch: a rebuild done at once would take far longer than its share of one batch.
  assert.ok(longestMs < 200, `${longestMs} ms for a batch of 1000`);
  for (let key = 0; key < count; key += 101) {
    setKey(key);
    assert.notEqual(reader.find(0, digest), -1);
  }
});
