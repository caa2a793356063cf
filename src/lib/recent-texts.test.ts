import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RecentTexts } from './recent-texts.ts';

test('every text is decoded as it stands in the bytes, whatever was asked for before', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 12 }), { maxLength: 40 }), fc.nat(9), (texts, before) => {
      const recent = new RecentTexts(4, 24);
      for (const text of texts) {
        const bytes = Buffer.concat([Buffer.alloc(before, 0x78), Buffer.from(text), Buffer.from('behind')]);
        assert.equal(recent.textOf(bytes, before, before + Buffer.byteLength(text)), Buffer.from(text).toString());
      }
    }),
  );
});

test('bytes that are no UTF-8 become what decoding makes of them', () => {
  const bytes = Buffer.from([0xff, 0x41, 0xc3]);
  assert.equal(new RecentTexts(1, 8).textOf(bytes, 0, 3), bytes.toString('utf8'));
});

test('what was remembered does not change with the bytes that it came from', () => {
  const recent = new RecentTexts(1, 8);
  const bytes = Buffer.from('alice');
  recent.textOf(bytes, 0, 5);
  bytes.write('malle');
  assert.equal(recent.textOf(bytes, 0, 5), 'malle');
  assert.equal(recent.textOf(Buffer.from('alice'), 0, 5), 'alice');
});

test('an empty text is one, and longer ones than are remembered are decoded each time', () => {
  const recent = new RecentTexts(2, 4);
  assert.equal(recent.textOf(Buffer.from('ab'), 1, 1), '');
  assert.equal(recent.textOf(Buffer.from('longer'), 0, 6), 'longer');
});

test('sizes that cannot be are refused', () => {
  assert.throws(() => new RecentTexts(3, 8), RangeError);
  assert.throws(() => new RecentTexts(0, 8), RangeError);
  for (const maxBytes of [0, 255, Number.NaN]) assert.throws(() => new RecentTexts(4, maxBytes), RangeError);
});
