import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FoundLists } from './found-lists.ts';

const SELECTION = { groupId: 'default', kind: 'consumer', order: 'updated', direction: 'descending' } as const;

test('what was found is known for the same question, in either direction and for any part, and in the same state only', () => {
  const found = new FoundLists();
  found.set({ ...SELECTION, search: 'a' }, '7 1', [3, 1, 2]);
  const part = { kind: 'page', offset: 0, limit: 1 } as const;
  assert.deepEqual(Array.from(found.get({ ...SELECTION, search: 'a', direction: 'ascending', part }, '7 1') ?? []), [3, 1, 2]);
  for (const other of [
    { ...SELECTION, search: 'b' },
    { ...SELECTION, search: 'a', kind: 'route' },
    { ...SELECTION, search: 'a', groupId: 'other' },
    { ...SELECTION, search: 'a', order: 'name' as const },
    { ...SELECTION, search: 'a', owner: { kind: 'service', id: 's' } },
    { ...SELECTION, search: 'a', labels: new Map([['x', 'y']]) },
    { ...SELECTION, search: 'a', labelNames: ['x'] },
  ]) {
    assert.equal(found.get(other, '7 1'), undefined);
  }
  assert.equal(found.get({ ...SELECTION, search: 'a' }, '8 1'), undefined);
  assert.equal(found.get({ ...SELECTION, search: 'a' }, '7 1'), undefined, 'what is no longer true is gone');
});

test('the memory is bounded: what was not asked for the longest goes first, and what is too large is never kept', () => {
  const found = new FoundLists();
  const of = (number: number) => ({ ...SELECTION, search: String(number) });
  const many = Array.from({ length: 300_000 }, (_, row) => row);
  for (const number of [1, 2, 3]) found.set(of(number), '1', many);
  assert.equal(found.get(of(1), '1')?.length, 300_000);
  found.set(of(4), '1', many);
  assert.deepEqual(
    [1, 2, 3, 4].map((number) => found.get(of(number), '1') !== undefined),
    [true, false, true, true],
  );
  found.set(
    of(5),
    '1',
    Array.from({ length: 1_100_000 }, (_, row) => row),
  );
  assert.equal(found.get(of(5), '1'), undefined);
  for (let number = 10; number < 80; number += 1) found.set(of(number), '1', [number]);
  assert.equal(found.get(of(79), '1')?.length, 1);
  assert.equal(found.get(of(10), '1'), undefined);
});
