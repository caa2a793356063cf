import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createdKey, formatCursor, nameKey, parseCursor, updatedKey } from './sort-key.ts';

const number = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const position = fc.nat({ max: 2 ** 32 });
const orderOf = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

test('keys of writes and creations are in the order of their numbers, up to the largest safe integer', () => {
  fc.assert(
    fc.property(number, position, number, position, (revision, place, otherRevision, otherPlace) => {
      const expected = Math.sign(revision - otherRevision) || Math.sign(place - otherPlace);
      assert.equal(orderOf(updatedKey(revision, place), updatedKey(otherRevision, otherPlace)), expected);
      assert.equal(orderOf(createdKey(revision), createdKey(otherRevision)), Math.sign(revision - otherRevision));
    }),
  );
  assert.equal(createdKey(Number.MAX_SAFE_INTEGER).length, createdKey(0).length);
});

test('a name comes before those that it begins, and equal ones are in the order of their creation', () => {
  const keys = [nameKey('a', 7), nameKey('A', 8), nameKey('a\0', 1), nameKey('a b', 1), nameKey('B', 1)];
  assert.deepEqual([...keys].sort(orderOf), [nameKey('a', 7), nameKey('A', 8), nameKey('a b', 1), nameKey('a\0', 1), nameKey('B', 1)]);
});

test('a key of a name is short, however long the name, and never ends inside a character', () => {
  const key = nameKey('\u{1F600}'.repeat(65_536), 1);
  assert.ok(Buffer.byteLength(key) < 600);
  assert.ok(key.isWellFormed());
});

test('a cursor comes back as the key it was made of, in its own order only', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), number, (name, row) => {
      const key = nameKey(name, row);
      const cursor = formatCursor('name', key);
      assert.match(cursor, /^[A-Za-z0-9_-]+$/);
      assert.equal(parseCursor(cursor, 'name'), key);
      assert.throws(() => parseCursor(cursor, 'created'), { reason: 'admin_invalid' });
    }),
  );
});
