import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Field, newDecoder, readBlock, tableOf, writeBlock } from '../../testing/hpack-reading.ts';
import { HpackEncoder } from './hpack-encoder.ts';
import { HPACK } from './hpack-outcome.ts';

const NEVER_INDEXED = 0x10;

test('what comes again is a byte', () => {
  const encoder = new HpackEncoder(4096);
  const fields: readonly Field[] = [
    [':status', '200'],
    ['content-type', 'application/json'],
    ['x-own', 'text'],
  ];
  writeBlock(encoder, fields);
  assert.equal(writeBlock(encoder, fields).length, 3);
});

test('values that change with every message drive nothing out, and are indexed once they stay', () => {
  const encoder = new HpackEncoder(4096);
  const decoder = newDecoder();
  const stays: Field = ['server', 'Portcullis'];
  for (let request = 0; request < 1000; request++) readBlock(decoder, writeBlock(encoder, [stays, ['request-id', `${request}`]]));
  assert.deepEqual(tableOf(decoder).at(-1), stays);
  assert.ok(tableOf(decoder).length < 6);
  const lengths = Array.from({ length: 4 }, () => writeBlock(encoder, [['request-id', 'the same']]).length);
  assert.deepEqual(lengths.slice(2), [1, 1]);
});

test('a date that many answers share is indexed, one after the other', () => {
  const encoder = new HpackEncoder(4096);
  for (let second = 0; second < 100; second++) {
    writeBlock(encoder, [['date', `${second}`]]);
    for (let answer = 0; answer < 3; answer++) assert.equal(writeBlock(encoder, [['date', `${second}`]]).length, 1);
  }
});

test('what proves who somebody is never goes to the table, here or further on', () => {
  const secrets: readonly (readonly [name: string, value: string, sensitive?: boolean])[] = [
    ['authorization', 'Bearer abcdefghijklmnopqrstuvwxyz'],
    ['proxy-authorization', 'x'],
    ['set-cookie', 'session=0123456789abcdefghijklmnopqrstuvwxyz'],
    ['apikey', 'x'],
    ['x-api-key', 'x'],
    ['cookie', 'short=1'],
    ['x-any', 'x', true],
    [':method', 'GET', true],
  ];
  const encoder = new HpackEncoder(4096);
  const decoder = newDecoder();
  for (const [name, value, sensitive] of [...secrets, ...secrets]) {
    encoder.begin();
    encoder.write(name, value, sensitive);
    const block = encoder.end();
    assert.equal((block[0] ?? 0) & 0xf0, NEVER_INDEXED, name);
    assert.deepEqual(readBlock(decoder, block), { outcome: HPACK.done, fields: [[name, value]] });
  }
  assert.deepEqual(tableOf(decoder), []);
  writeBlock(encoder, [['cookie', 'long=0123456789abcdefghijklmnop']]);
  assert.equal(writeBlock(encoder, [['cookie', 'long=0123456789abcdefghijklmnop']]).length, 1);
});

test('a change of the table is told at the beginning of the next block, the lowest size too', () => {
  const encoder = new HpackEncoder(4096);
  assert.equal(writeBlock(encoder, [[':status', '200']]).toString('hex'), '88');
  encoder.resizeTable(65_536);
  assert.equal(writeBlock(encoder, [[':status', '200']]).toString('hex'), '88', 'it takes no more than it wants');
  encoder.resizeTable(100);
  assert.equal(writeBlock(encoder, [[':status', '200']]).toString('hex'), '3f4588');
  encoder.resizeTable(0);
  encoder.resizeTable(4096);
  assert.equal(writeBlock(encoder, [[':status', '200']]).toString('hex'), '203fe11f88');
  encoder.resizeTable(0);
  encoder.resizeTable(50);
  encoder.resizeTable(31);
  assert.equal(writeBlock(encoder, []).toString('hex'), '203f00');
  assert.equal(writeBlock(encoder, []).length, 0);
});

test('a table below the initial size is told in the first block, a larger one when the peer offers it', () => {
  assert.equal(writeBlock(new HpackEncoder(0), [[':status', '200']]).toString('hex'), '2088');
  const encoder = new HpackEncoder(8192);
  assert.equal(writeBlock(encoder, []).length, 0);
  encoder.resizeTable(8192);
  assert.equal(writeBlock(encoder, []).toString('hex'), '3fe13f');
});

test('entries that a smaller table drove out are never named again', () => {
  const encoder = new HpackEncoder(4096);
  const decoder = newDecoder();
  const fields = Array.from({ length: 30 }, (_, index): Field => [`name-${index}`, 'value']);
  for (const size of [4096, 200, 0, 4096, 100, 4096, 0, 300]) {
    encoder.resizeTable(size);
    for (let round = 0; round < 2; round++)
      assert.deepEqual(readBlock(decoder, writeBlock(encoder, fields)), { outcome: HPACK.done, fields });
  }
});

test('no end of names costs no end of memory: those behind the first ones are written in full', () => {
  const encoder = new HpackEncoder(4096);
  const decoder = newDecoder();
  for (let index = 0; index < 1000; index++) {
    const fields: readonly Field[] = [[`name-${index}`, 'value']];
    assert.deepEqual(readBlock(decoder, writeBlock(encoder, fields)), { outcome: HPACK.done, fields });
  }
  assert.ok(tableOf(decoder).some(([name]) => name === 'name-127'));
  assert.ok(!tableOf(decoder).some(([name]) => name === 'name-128'));
});
