import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findPlace } from './find-place.ts';

/** Runs a search and tells how many keys it looked at, and how often. */
function search(keys: readonly string[], cursor: string, direction: 'ascending' | 'descending') {
  const rows = Float64Array.from(keys.keys());
  const running = findPlace(rows, cursor, direction);
  let rounds = 0;
  let step = running.next();
  while (step.done !== true) {
    rounds += 1;
    assert.ok(step.value.length <= 700);
    step = running.next(new Map(step.value.map((row) => [row, keys[row] ?? ''])));
  }
  return { place: step.value, rounds };
}

test('the place of a cursor is what counting gives, for any keys and both directions', () => {
  const key = fc.string({ unit: 'binary', maxLength: 3 }).filter((text) => text.isWellFormed());
  const bytes = (text: string) => Buffer.from(text);
  fc.assert(
    fc.property(fc.uniqueArray(key, { maxLength: 40 }), key, (unsorted, cursor) => {
      const keys = unsorted.toSorted((a, b) => Buffer.compare(bytes(a), bytes(b)));
      const below = keys.filter((each) => Buffer.compare(bytes(each), bytes(cursor)) < 0).length;
      assert.equal(search(keys, cursor, 'descending').place, below);
      assert.equal(search(keys, cursor, 'ascending').place, keys.includes(cursor) ? below + 1 : below);
    }),
  );
});

test('a place among a hundred thousand is found in two rounds', () => {
  const keys = Array.from({ length: 100_000 }, (_, index) => String(index * 2).padStart(8, '0'));
  for (const wanted of [0, 1, 299, 300, 333, 50_000, 99_999]) {
    const cursor = String(wanted * 2).padStart(8, '0');
    for (const direction of ['descending', 'ascending'] as const) {
      const { place, rounds } = search(keys, cursor, direction);
      assert.equal(place, direction === 'ascending' ? wanted + 1 : wanted);
      assert.ok(rounds <= 2, `${rounds} rounds`);
    }
  }
  assert.equal(search(keys, 'z', 'ascending').place, 100_000);
  assert.equal(search(keys, '', 'ascending').place, 0);
});
