import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { Counters } from '../../../plugin-kit/index.ts';
import { redisOfEnvironment, until } from '../testing/redis-servers.ts';
import { freshKey, redisSettings, serverCounters } from '../testing/server-settings.ts';

/** Counters of two workers on the Redis of the environment. */
function twoWorkers(t: TestContext): readonly [Counters, Counters] | undefined {
  const redis = redisOfEnvironment(t);
  if (redis === undefined) return undefined;
  const [one, two] = [0, 1].map(() => serverCounters(t).servers.lease(redisSettings(redis)).counters);
  if (one === undefined || two === undefined) throw new Error('there are two');
  return [one, two];
}

async function kindsOf(calls: number, call: (index: number) => Promise<{ readonly kind: string }> | { readonly kind: string }) {
  const decisions = await Promise.all(Array.from({ length: calls }, (_, index) => call(index)));
  return decisions.map(({ kind }) => kind);
}

function countOf(kinds: readonly string[], kind: string): number {
  return kinds.filter((each) => each === kind).length;
}

test('of many requests at once over two workers a fixed window lets exactly the limit through', async (t) => {
  const workers = twoWorkers(t);
  if (workers === undefined) return;
  const key = freshKey();
  const kinds = await kindsOf(1000, (index) => workers[index % 2 === 0 ? 0 : 1].fixedWindow(key, 123, 60_000));
  assert.deepEqual([countOf(kinds, 'allowed'), countOf(kinds, 'rejected')], [123, 877]);
});

test('a fixed window counts down, rejects without counting, and begins anew when it is over', async (t) => {
  const workers = twoWorkers(t);
  if (workers === undefined) return;
  const [one, two] = workers;
  const key = freshKey();
  const first = await one.fixedWindow(key, 2, 300);
  assert.deepEqual(first, { kind: 'allowed', remaining: 1, resetMs: 300 });
  const second = await two.fixedWindow(key, 2, 300);
  assert.ok(second.kind === 'allowed' && second.remaining === 0 && second.resetMs <= 300);
  const third = await two.fixedWindow(key, 2, 300);
  assert.ok(third.kind === 'rejected' && third.resetMs > 0 && third.resetMs <= 300);
  assert.equal((await one.fixedWindow(key, 3, 300)).kind, 'allowed');
  await until(async () => (await one.fixedWindow(key, 2, 300)).kind === 'allowed');
});

test('a sliding window lets the limit through and then makes wait', async (t) => {
  const workers = twoWorkers(t);
  if (workers === undefined) return;
  const key = freshKey();
  // An hour: the test does not meet its end but once in a thousand times, and then what was counted before counts on.
  const kinds = await kindsOf(300, (index) => workers[index % 2 === 0 ? 0 : 1].slidingWindow(key, 45, 3_600_000));
  assert.deepEqual([countOf(kinds, 'allowed'), countOf(kinds, 'rejected')], [45, 255]);
  const decision = await workers[0].slidingWindow(key, 45, 3_600_000);
  assert.ok(decision.kind === 'rejected' && decision.resetMs > 0 && decision.resetMs <= 3_600_000);
});

test('a sliding window takes over the share of the window before', async (t) => {
  const workers = twoWorkers(t);
  if (workers === undefined) return;
  const [one] = workers;
  const key = freshKey();
  const windowMs = 1000;
  // To begin with the beginning of a window.
  await until(async () => {
    const decision = await one.slidingWindow(freshKey(), 1, windowMs);
    return decision.kind === 'allowed' && decision.resetMs > 800;
  });
  for (let request = 0; request < 10; request++) assert.equal((await one.slidingWindow(key, 10, windowMs)).kind, 'allowed');
  const full = await one.slidingWindow(key, 10, windowMs);
  assert.equal(full.kind, 'rejected');
  // Right behind the end of the window nearly all of the ten still count: no more than a few get through.
  await until(async () => (await one.slidingWindow(key, 10, windowMs)).kind === 'allowed');
  assert.ok(countOf(await kindsOf(10, () => one.slidingWindow(key, 10, windowMs)), 'rejected') >= 5);
});

test('a leaky bucket takes the burst, delays it, and leaks', async (t) => {
  const workers = twoWorkers(t);
  if (workers === undefined) return;
  const [one, two] = workers;
  const key = freshKey();
  assert.deepEqual(await one.leakyBucket(key, 0.1, 2), { kind: 'allowed', delayMs: 0 });
  for (const expectedMs of [10_000, 20_000]) {
    const decision = await two.leakyBucket(key, 0.1, 2);
    assert.ok(decision.kind === 'allowed' && Math.abs(decision.delayMs - expectedMs) < 1000);
  }
  assert.deepEqual(await one.leakyBucket(key, 0.1, 2), { kind: 'rejected' });
  await until(async () => (await one.leakyBucket(key, 5, 2)).kind === 'allowed');
});

test('of many requests at once a bucket takes one and the burst', async (t) => {
  const workers = twoWorkers(t);
  if (workers === undefined) return;
  const key = freshKey();
  const kinds = await kindsOf(200, (index) => workers[index % 2 === 0 ? 0 : 1].leakyBucket(key, 0.001, 20));
  assert.equal(countOf(kinds, 'allowed'), 21);
});

test('at most the limit is in flight, and what leaves makes room', async (t) => {
  const workers = twoWorkers(t);
  if (workers === undefined) return;
  const [one, two] = workers;
  const key = freshKey();
  const entries = await Promise.all(Array.from({ length: 50 }, (_, index) => workers[index % 2 === 0 ? 0 : 1].enter(key, 7)));
  const entered = entries.filter((entry) => entry.kind === 'entered');
  assert.equal(entered.length, 7);
  assert.deepEqual(await one.enter(key, 7), { kind: 'rejected', inFlight: 7 });
  entered[0]?.leave();
  await until(async () => (await two.enter(key, 7)).kind === 'entered');
});

test('what a crashed instance never left drops out after its lifetime', async (t) => {
  const workers = twoWorkers(t);
  if (workers === undefined) return;
  const [one, two] = workers;
  const key = freshKey();
  assert.equal((await one.enter(key, 1, 300)).kind, 'entered');
  assert.equal((await two.enter(key, 1, 300)).kind, 'rejected');
  await until(async () => (await two.enter(key, 1, 300)).kind === 'entered');
});

test('limits and windows up to 2^53 - 1 are counted', async (t) => {
  const workers = twoWorkers(t);
  if (workers === undefined) return;
  const [one] = workers;
  const most = Number.MAX_SAFE_INTEGER;
  assert.deepEqual(await one.fixedWindow(freshKey(), most, 1000), { kind: 'allowed', remaining: most - 1, resetMs: 1000 });
  assert.equal((await one.slidingWindow(freshKey(), most, 1000)).kind, 'allowed');
  const key = freshKey();
  assert.equal((await one.fixedWindow(key, 1, most * 1000)).kind, 'allowed');
  assert.equal((await one.fixedWindow(key, 1, most * 1000)).kind, 'rejected');
});

test('keys with any characters are counted apart', async (t) => {
  const workers = twoWorkers(t);
  if (workers === undefined) return;
  const [one] = workers;
  const key = freshKey();
  for (const ending of ['', ' ', '\r\n', '{', '{}', '{a}', '\u00e4', '\u20ac', '\0']) {
    assert.deepEqual(
      [(await one.fixedWindow(key + ending, 1, 60_000)).kind, (await one.fixedWindow(key + ending, 1, 60_000)).kind],
      ['allowed', 'rejected'],
    );
  }
});
