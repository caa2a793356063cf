import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeText, encodeText } from './text-encoding.ts';

const text = fc.string({ unit: fc.constantFrom('\0', '\u0001', '\u0002', '\u0003', 'a', '\u{1f511}'), maxLength: 8 });

test('any text comes back, and none of it holds a NUL on the way', () => {
  fc.assert(
    fc.property(text, (given) => {
      assert.equal(encodeText(given).includes('\0'), false);
      assert.equal(decodeText(encodeText(given)), given);
    }),
  );
});

test('encoded texts stand in the order of the texts themselves', () => {
  const compare = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
  fc.assert(fc.property(text, text, (a, b) => assert.equal(compare(encodeText(a), encodeText(b)), compare(a, b))));
});
