import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesOf, newDecoder, readBlock, tableOf, writeBlock } from '../../testing/hpack-reading.ts';
import { fieldBlock, integer } from '../../testing/http2-frames.ts';
import { HpackEncoder } from './hpack-encoder.ts';
import { HPACK } from './hpack-outcome.ts';

/** A literal with indexing: `x` with a value of so many bytes. */
function indexedLiteral(valueBytes: number): Buffer {
  return Buffer.concat([bytesOf('40 01 78'), integer(valueBytes, 7), Buffer.alloc(valueBytes, 0x79)]);
}

test('what is no block is refused', () => {
  const rows: readonly (readonly [what: string, block: string])[] = [
    ['index 0', '80'],
    ['an index behind both tables', 'be'],
    ['the name of an index behind both tables', '7e 01 61'],
    ['an index cut off', 'ff'],
    ['an index cut off later', 'ff 80 80'],
    ['an integer of more than 28 bits', 'ff 80 80 80 80 01'],
    ['an integer with zeros in front of nothing', 'ff 80 80 80 80 00'],
    ['an integer of more bits than a number has', 'ff ff ff ff ff ff ff ff ff ff ff ff ff ff 7f'],
    ['a literal without its name', '40'],
    ['a literal without its value', '40 01 61'],
    ['a name cut off', '40 05 61'],
    ['a value cut off', '40 01 61 02 62'],
    ['a length far behind the block', '00 01 61 7f ff ff ff 7f'],
    ['a Huffman string cut off', '00 01 61 82 1f'],
    ['a byte of padding', '00 01 61 82 1f ff'],
    ['padding of zeros', '00 01 61 81 18'],
    ['padding with a zero in it', '00 01 61 81 1d'],
    ['the end of a string', '00 01 61 84 ff ff ff ff'],
    ['the end of a string behind a byte', '00 01 61 85 1f ff ff ff ff'],
    ['a byte of ones alone', '00 01 61 81 ff'],
    ['a size above the one advertised', '3f e2 1f'],
    ['a size behind a field', '82 20'],
    ['a third size', '20 3f e1 1f 20'],
    ['a size cut off', '3f'],
  ];
  for (const [what, block] of rows) assert.equal(readBlock(newDecoder(), bytesOf(block)).outcome, HPACK.failed, what);
});

test('what is unusual and right is read', () => {
  const rows: readonly (readonly [block: string, fields: readonly (readonly [string, string])[]])[] = [
    ['', []],
    ['20', []],
    ['20 3f e1 1f 82', [[':method', 'GET']]],
    ['00 00 00', [['', '']]],
    ['00 01 61 81 1f', [['a', 'a']]],
    ['00 80 80', [['', '']]],
    ['00 01 00 01 ff', [['\0', '\xff']]],
    ['1f 00 01 62', [['accept-charset', 'b']]],
  ];
  for (const [block, fields] of rows) assert.deepEqual(readBlock(newDecoder(), bytesOf(block)), { outcome: HPACK.done, fields }, block);
});

test('every byte is read back from Huffman code', () => {
  const all = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte)).join('');
  for (const text of [all, ...all]) {
    const block = writeBlock(new HpackEncoder(4096), [[`${text.length}`, text.repeat(9)]]);
    assert.deepEqual(readBlock(newDecoder(), block).fields, [[`${text.length}`, text.repeat(9)]]);
  }
});

test('a string of any length is read, also one that is longer than the room that is kept', () => {
  for (const length of [126, 127, 128, 254, 255, 16_000, 26_000, 300_000]) {
    const fields = [['a', '1'.repeat(length)]] as const;
    const decoder = newDecoder({ listBytes: 1e6 });
    assert.deepEqual(readBlock(decoder, writeBlock(new HpackEncoder(4096), fields)), { outcome: HPACK.done, fields });
    assert.deepEqual(readBlock(decoder, fieldBlock(fields)), { outcome: HPACK.done, fields });
  }
});

test('a list is as long as the limits say, 32 bytes and the text for each field', () => {
  const block = fieldBlock([
    ['a', 'bc'],
    ['d', 'ef'],
  ]);
  assert.equal(readBlock(newDecoder({ listBytes: 70 }), block).outcome, HPACK.done);
  assert.deepEqual(readBlock(newDecoder({ listBytes: 69 }), block), { outcome: HPACK.tooLarge, fields: [['a', 'bc']] });
  assert.equal(readBlock(newDecoder({ pairs: 2 }), block).outcome, HPACK.done);
  assert.deepEqual(readBlock(newDecoder({ pairs: 1 }), block), { outcome: HPACK.tooLarge, fields: [['a', 'bc']] });
});

test('a small block that refers again and again to a large field stops at the limit', () => {
  const decoder = newDecoder();
  const bomb = Buffer.concat([indexedLiteral(4000), Buffer.alloc(16_000, 0x80 | 62)]);
  const { outcome, fields } = readBlock(decoder, bomb);
  assert.equal(outcome, HPACK.tooLarge);
  assert.equal(fields.length, Math.floor(65_536 / (4001 + 32)));
  assert.deepEqual(readBlock(decoder, bytesOf('be')), { outcome: HPACK.done, fields: [['x', 'y'.repeat(4000)]] });
});

test('the table stays right behind a list that is too long', () => {
  const encoder = new HpackEncoder(4096);
  const decoder = newDecoder({ pairs: 3 });
  const long = Array.from({ length: 20 }, (_, index) => [`name-${index}`, 'value'] as const);
  assert.equal(readBlock(decoder, writeBlock(encoder, long)).outcome, HPACK.tooLarge);
  const block = writeBlock(encoder, long.slice(10, 13));
  assert.deepEqual([...block], [0x80 | 71, 0x80 | 70, 0x80 | 69]);
  assert.deepEqual(readBlock(decoder, block), { outcome: HPACK.done, fields: long.slice(10, 13) });
});

test('of what is left out of a list the bytes are still held to the form', () => {
  const decoder = newDecoder({ pairs: 0 });
  assert.equal(readBlock(decoder, bytesOf('82 00 01 61 05 62')).outcome, HPACK.failed);
  assert.equal(readBlock(decoder, bytesOf('82 80')).outcome, HPACK.failed);
  assert.equal(readBlock(decoder, bytesOf('82 40 01 61 81 ff')).outcome, HPACK.failed);
});

test('the table holds no more than its size, and an entry that is larger than that empties it', () => {
  const decoder = newDecoder({ listBytes: 1e6, pairs: 1e6 });
  const empty = fieldBlock([['', '']]);
  empty[0] = 0x40;
  readBlock(decoder, Buffer.concat(Array.from({ length: 300 }, () => empty)));
  assert.equal(tableOf(decoder).length, 4096 / 32);
  readBlock(decoder, indexedLiteral(4096 - 33));
  assert.equal(tableOf(decoder).length, 1);
  assert.equal(readBlock(decoder, indexedLiteral(4096 - 32)).outcome, HPACK.done);
  assert.equal(tableOf(decoder).length, 0);
});

test('a field may take its name from an entry that it drives out', () => {
  const decoder = newDecoder();
  readBlock(decoder, bytesOf('3f 1f 40 03 61 62 63 01 31'));
  assert.deepEqual(readBlock(decoder, bytesOf('7e 01 32')).fields, [['abc', '2']]);
  assert.deepEqual(tableOf(decoder), [['abc', '2']]);
});

test('a size update drives out the oldest entries, and a larger table may be used where it was advertised', () => {
  const decoder = newDecoder({ tableBytes: 8192 });
  readBlock(decoder, Buffer.concat([integer(8192, 5, 0x20), indexedLiteral(4000), indexedLiteral(4001)]));
  assert.equal(tableOf(decoder).length, 2);
  readBlock(decoder, integer(4100, 5, 0x20));
  assert.deepEqual(
    tableOf(decoder).map(([, value]) => value.length),
    [4001],
  );
  readBlock(decoder, bytesOf('20'));
  assert.equal(tableOf(decoder).length, 0);
});
