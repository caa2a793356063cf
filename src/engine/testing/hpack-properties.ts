import assert from 'node:assert/strict';
import fc from 'fast-check';
import { HpackEncoder } from '../http2/hpack/hpack-encoder.ts';
import { HPACK } from '../http2/hpack/hpack-outcome.ts';
import { type Field, LARGE_ENTRY, newDecoder, readBlock, tableOf, writeBlock } from './hpack-reading.ts';
import { ReferenceHpack } from './reference-hpack.ts';

/** Something that holds for all blocks of one connection, in the form that the tests and the longer runs share. */
interface HpackProperty {
  readonly name: string;
  readonly property: fc.IRawProperty<unknown>;
  /** How many inputs a test tries. */
  readonly runs: number;
}

/** Names and values of which some come again and again, as those of messages do. */
const text = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom('', 'a', ':status', '200', 'cookie', 'content-type', 'text/html', 'x'.repeat(50), 'y'.repeat(1500)),
  },
  { weight: 1, arbitrary: fc.string({ unit: fc.nat({ max: 255 }).map((byte) => String.fromCharCode(byte)), maxLength: 60 }) },
);
const fields = fc.array(fc.tuple(text, text), { maxLength: 30 });
const tableBytes = fc.oneof(fc.constantFrom(0, 31, 64, 4096, 8192), fc.nat({ max: 9000 }));
const messages = fc.array(fc.record({ sizes: fc.array(tableBytes, { maxLength: 3 }), fields }), { maxLength: 12 });
const change = fc.record({ at: fc.nat({ max: 400 }), removed: fc.nat({ max: 3 }), added: fc.uint8Array({ maxLength: 3 }) });
const mutatedBlocks = fc.tuple(messages, fc.array(change, { minLength: 1, maxLength: 4 })).map(([written, changes]) => {
  const encoder = new HpackEncoder(4096);
  return written.map(({ sizes, fields: list }, index) => {
    for (const size of sizes) encoder.resizeTable(size);
    const block = writeBlock(encoder, list);
    return index % 3 === 0 ? changes.reduce(mutate, block) : block;
  });
});
/** First bytes of each kind with small numbers behind them, so that much of it is read. */
const likelyByte = fc.oneof(
  fc.constantFrom(0, 1, 2, 3, 0x0f, 0x10, 0x1f, 0x20, 0x3f, 0x40, 0x7e, 0x7f, 0x80, 0x81, 0x82, 0xbe, 0xbf, 0xc0, 0xff),
  fc.nat({ max: 255 }),
);
const likelyBlocks = fc.array(
  fc.array(likelyByte, { maxLength: 40 }).map((bytes) => Uint8Array.from(bytes)),
  { maxLength: 6 },
);
const randomBlocks = fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 4 });

function mutate(block: Uint8Array, { at, removed, added }: { at: number; removed: number; added: Uint8Array }): Uint8Array {
  const start = block.length === 0 ? 0 : at % block.length;
  return Buffer.concat([block.subarray(0, start), added, block.subarray(start + removed)]);
}

function checkRoundTrips(most: number, written: readonly { sizes: readonly number[]; fields: readonly Field[] }[]): void {
  const encoder = new HpackEncoder(most);
  const decoder = newDecoder({ tableBytes: 9000 });
  const reference = new ReferenceHpack(9000);
  for (const { sizes, fields: list } of written) {
    for (const size of sizes) encoder.resizeTable(size);
    const block = writeBlock(encoder, list);
    assert.deepEqual(readBlock(decoder, block), { outcome: HPACK.done, fields: list });
    assert.deepEqual(reference.decode(block), list);
  }
  assert.deepEqual(tableOf(decoder), reference.table);
}

/** As the reference reads them, whole and under limits so near that lists reach them. */
function checkBlocks(blocks: readonly Uint8Array[]): void {
  const reference = new ReferenceHpack(4096);
  const wide = newDecoder({ listBytes: 1e6, pairs: 1e6 });
  const near = newDecoder({ listBytes: 300, pairs: 4 });
  for (const block of blocks) {
    const expected = reference.decode(block);
    const kept = readBlock(near, block);
    if (expected === undefined) {
      assert.equal(readBlock(wide, block).outcome, HPACK.failed);
      // What is left out is not looked at bit by bit.
      if (kept.outcome === HPACK.tooLarge) return;
      assert.equal(kept.outcome, HPACK.failed);
      return;
    }
    assert.deepEqual(readBlock(wide, block), { outcome: HPACK.done, fields: expected });
    const fitting = expected.findIndex((_, index) => index === 4 || sizeOf(expected.slice(0, index + 1)) > 300);
    const outcome = fitting === -1 ? HPACK.done : HPACK.tooLarge;
    assert.deepEqual(kept, { outcome, fields: fitting === -1 ? expected : expected.slice(0, fitting) });
  }
  const table = reference.table.map((entry) => (sizeOf([entry]) > 300 ? LARGE_ENTRY : entry));
  assert.deepEqual(tableOf(near), table);
}

function sizeOf(list: readonly Field[]): number {
  return list.reduce((sum, [name, value]) => sum + name.length + value.length + 32, 0);
}

/** Encoder and decoder against each other, and against the reference decoder. */
export const hpackProperties: readonly HpackProperty[] = [
  { name: 'what is written is read', runs: 300, property: fc.property(tableBytes, messages, checkRoundTrips) },
  { name: 'mutated blocks', runs: 700, property: fc.property(mutatedBlocks, checkBlocks) },
  { name: 'likely bytes', runs: 3000, property: fc.property(likelyBlocks, checkBlocks) },
  { name: 'random bytes', runs: 1000, property: fc.property(randomBlocks, checkBlocks) },
];
