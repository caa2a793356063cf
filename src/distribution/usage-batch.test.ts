import assert from 'node:assert/strict';
import test from 'node:test';
import { UsageBatch } from './usage-batch.ts';
import type { UsageEntry } from './usage-report.ts';

function entry(credential: string, requests: number, lastUsedAt = 5): UsageEntry {
  return { consumer: 'jack', credential, route: 'r', status: 200, requests, lastUsedAt };
}

test('a portion holds so many requests, an entry that has more is split, and all portions together are what was added', () => {
  const batch = new UsageBatch(100);
  batch.add(entry('a', 4));
  batch.add(entry('b', 25, 7));
  batch.add(entry('c', 1));
  batch.add(entry('a', 2, 9));
  assert.deepEqual([batch.size, batch.requests], [3, 32]);
  assert.deepEqual(batch.takePortion(10), [entry('a', 6, 9), entry('b', 4, 7)]);
  assert.deepEqual(batch.takePortion(10), [entry('b', 10, 7)]);
  assert.deepEqual([batch.size, batch.requests], [2, 12]);
  batch.add(entry('a', 1, 8));
  assert.deepEqual(batch.takePortion(), [entry('b', 11, 7), entry('c', 1), entry('a', 1, 8)]);
  assert.deepEqual([batch.size, batch.requests, batch.takePortion()], [0, 0, []]);
});

test('what is beyond the bound is added up without names, and counts in portions all the same', () => {
  const batch = new UsageBatch(2);
  for (const credential of ['a', 'b', 'c', 'd']) batch.add(entry(credential, 3));
  assert.deepEqual([batch.size, batch.requests], [3, 12]);
  assert.deepEqual(
    batch.takePortion(9).map(({ consumer, requests }) => [consumer, requests]),
    [
      ['jack', 3],
      ['jack', 3],
      ['*', 3],
    ],
  );
  assert.equal(batch.requests, 3);
});
