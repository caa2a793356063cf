import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RateLimit } from './rate-limit.ts';

function takeMany(limit: RateLimit, key: string, nowMs: number, count: number): number {
  let taken = 0;
  for (let index = 0; index < count; index += 1) if (limit.take(key, nowMs) === 0) taken += 1;
  return taken;
}

test('a burst is let in whole, then so many a second as are due, and each key has its own', () => {
  const limit = new RateLimit(100, 10);
  assert.equal(takeMany(limit, 'a', 5, 2_000), 1_000);
  assert.equal(takeMany(limit, 'b', 5, 1), 1);
  assert.equal(takeMany(limit, 'a', 1_005, 2_000), 100);
  assert.equal(takeMany(limit, 'a', 60_000, 2_000), 1_000);
});

test('a refusal tells how long to wait, costs nothing, and after that time the next is let in', () => {
  const limit = new RateLimit(3, 1);
  assert.equal(takeMany(limit, 'a', 0, 100), 3);
  const waitMs = limit.take('a', 0);
  assert.ok(waitMs > 0 && waitMs <= 334, String(waitMs));
  assert.ok(limit.take('a', waitMs - 1) > 0);
  assert.equal(limit.take('a', waitMs), 0);
});

test('at the rate itself nobody is ever refused, however odd the rate', () => {
  for (const perSecond of [1, 3, 7, 1_000, 3_333]) {
    const limit = new RateLimit(perSecond, 1);
    for (let count = 0; count < 20_000; count += 1) assert.equal(limit.take('a', (count * 1_000) / perSecond), 0);
  }
});

test('a flood of keys takes bounded memory and does not make a greedy one forgotten', () => {
  const limit = new RateLimit(1, 60);
  assert.equal(takeMany(limit, 'greedy', 0, 100), 60);
  for (let index = 0; index < 50_000; index += 1) limit.take(`flood ${index}`, index / 1_000);
  assert.equal(limit.size, 10_000);
  assert.equal(takeMany(limit, 'greedy', 50, 100), 0);
});

test('who asks for nothing any more is forgotten when others need the place', () => {
  const limit = new RateLimit(10, 1);
  for (let index = 0; index < 10_000; index += 1) limit.take(`before ${index}`, 0);
  for (let index = 0; index < 5_000; index += 1) limit.take(`after ${index}`, 10_000);
  assert.ok(limit.size <= 10_000);
  for (let index = 0; index < 5_000; index += 1) assert.equal(takeMany(limit, `after ${index}`, 10_000, 20), 9);
});
