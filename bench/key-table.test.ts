import assert from 'node:assert/strict';
import test from 'node:test';
import { KeyTable } from './key-table.ts';

test('a table names the same keys each time, and no key twice', () => {
  const keys = Array.from({ length: 1000 }, (_, index) => new KeyTable(1000).at(index).key);
  assert.deepEqual(
    keys,
    Array.from({ length: 1000 }, (_, index) => new KeyTable(5000).at(index).key),
  );
  assert.equal(new Set(keys).size, 1000);
  for (const key of keys) assert.match(key, /^[0-9a-f]{32}$/);
});

test('a sample is spread over the whole table and holds no more than there is', () => {
  assert.deepEqual(
    new KeyTable(10).sample(5),
    [0, 2, 4, 6, 8].map((index) => new KeyTable(10).at(index)),
  );
  assert.equal(new KeyTable(1).sample(2000).length, 1);
});
