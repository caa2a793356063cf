import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Random } from '../../lib/random.ts';
import { MIN_REGION_BYTES } from './counter-region.ts';
import { CounterTables } from './counter-tables.ts';
import { LocalCounters } from './local-counters.ts';

const SECRET: Random = { bytes: (length) => Buffer.alloc(length, 7) };
const WALL_OFFSET_MS = 1_800_000_000_123;

/** Counters of two workers whose time a test owns. */
function twoWorkers(startMs = 5_000_000) {
  const time = { nowMs: startMs };
  const tables = new CounterTables({
    bytes: MIN_REGION_BYTES,
    rows: 3,
    random: SECRET,
    nowMs: startMs,
    wallMs: startMs + WALL_OFFSET_MS,
  });
  const [one, two] = [0, 1].map((row) => new LocalCounters({ handles: tables.handles, row, now: () => time.nowMs }));
  if (one === undefined || two === undefined) throw new Error('there are two');
  return { time, tables, one, two, workers: [one, two] as const };
}

const steps = fc.array(
  fc.record({
    afterMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 3000 })),
    worker: fc.constantFrom(0 as const, 1 as const),
    key: fc.constantFrom('a', 'b', 'ü'),
  }),
  { maxLength: 60 },
);

test('a fixed window counts like a plain map from its first request on', () => {
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 4000 }), (path, limit, windowMs) => {
      const { time, workers } = twoWorkers();
      const model = new Map<string, { count: number; endMs: number }>();
      for (const { afterMs, worker, key } of path) {
        time.nowMs += afterMs;
        let window = model.get(key);
        if (window === undefined || time.nowMs >= window.endMs) window = { count: 0, endMs: time.nowMs + windowMs };
        model.set(key, window);
        const resetMs = window.endMs - time.nowMs;
        const expected =
          window.count < limit ? { kind: 'allowed', remaining: limit - ++window.count, resetMs } : { kind: 'rejected', resetMs };
        assert.deepEqual(workers[worker].fixedWindow(key, limit, windowMs), expected);
      }
    }),
  );
});

test('a sliding window counts like two plain windows on the clock', () => {
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 4000 }), (path, limit, windowMs) => {
      const { time, workers } = twoWorkers();
      const model = new Map<string, number>();
      for (const { afterMs, worker, key } of path) {
        time.nowMs += afterMs;
        const dayMs = time.nowMs + WALL_OFFSET_MS;
        const number = Math.floor(dayMs / windowMs);
        const count = model.get(`${key} ${number}`) ?? 0;
        const previous = Math.min(limit, model.get(`${key} ${number - 1}`) ?? 0);
        const restMs = windowMs - (dayMs % windowMs);
        const estimate = (previous * restMs) / windowMs + count;
        const decision = workers[worker].slidingWindow(key, limit, windowMs);
        assert.equal(decision.kind, estimate < limit ? 'allowed' : 'rejected');
        if (decision.kind === 'allowed') {
          model.set(`${key} ${number}`, count + 1);
          assert.equal(decision.resetMs, restMs);
          assert.equal(decision.remaining, Math.max(0, Math.floor(limit - estimate - 1)));
        } else if (decision.kind === 'rejected') {
          const waitMs = count >= limit ? restMs : restMs - ((limit - count) / previous) * windowMs;
          assert.ok(Math.abs(decision.resetMs - waitMs) < 1e-6);
        }
      }
    }),
  );
});

test('a leaky bucket takes requests by the formula of APISIX', () => {
  const rates = fc.constantFrom(0.001, 0.25, 1, 2, 3, 7, 10, 333, 1000);
  fc.assert(
    fc.property(steps, rates, fc.constantFrom(0, 0.5, 1, 2, 10), (path, rate, burst) => {
      const { time, workers } = twoWorkers();
      const model = new Map<string, { excess: number; atMs: number }>();
      for (const { afterMs, worker, key } of path) {
        time.nowMs += afterMs;
        const last = model.get(key);
        const excess = last === undefined ? 0 : Math.max(0, Math.round(last.excess - rate * (time.nowMs - last.atMs) + 1000));
        const decision = workers[worker].leakyBucket(key, rate, burst);
        assert.deepEqual(decision, excess > burst * 1000 ? { kind: 'rejected' } : { kind: 'allowed', delayMs: excess / rate });
        if (decision.kind === 'allowed') model.set(key, { excess, atMs: time.nowMs });
      }
    }),
  );
});

test('a bucket is right about times days apart, and a slow one about years', () => {
  const { time, one } = twoWorkers();
  one.leakyBucket('quick', 10, 5);
  one.leakyBucket('slow', 1 / 86_400, 1000);
  for (let request = 0; request < 900; request++) assert.equal(one.leakyBucket('slow', 1 / 86_400, 1000).kind, 'allowed');
  for (let day = 0; day < 300; day += 30) {
    time.nowMs += 30 * 86_400_000;
    assert.deepEqual(one.leakyBucket('quick', 10, 5), { kind: 'allowed', delayMs: 0 });
  }
  const decision = one.leakyBucket('slow', 1 / 86_400, 1000);
  assert.ok(decision.kind === 'allowed' && Math.abs(decision.delayMs / 86_400_000 - 601) < 0.01);
});

test('at most the limit is in flight over all workers, and what has left makes room once', () => {
  const { one, two } = twoWorkers();
  const first = one.enter('key', 2);
  const second = two.enter('key', 2);
  assert.deepEqual([first.kind, second.kind], ['entered', 'entered']);
  assert.deepEqual([first.kind === 'entered' && first.inFlight, second.kind === 'entered' && second.inFlight], [1, 2]);
  assert.deepEqual(two.enter('key', 2), { kind: 'rejected', inFlight: 2 });
  assert.equal(two.enter('other', 1).kind, 'entered');
  if (first.kind === 'entered') {
    first.leave();
    first.leave();
  }
  assert.equal(two.enter('key', 2).kind, 'entered');
  assert.deepEqual(one.enter('key', 2), { kind: 'rejected', inFlight: 2 });
});

test('a dead worker has nothing in flight as soon as its row is cleared', () => {
  const { one, two, tables } = twoWorkers();
  one.enter('key', 3);
  one.enter('key', 3);
  two.enter('key', 3);
  tables.clearRow(0);
  const entry = two.enter('key', 2);
  assert.ok(entry.kind === 'entered' && entry.inFlight === 2);
});

test('what is in flight stays, however many other keys come', () => {
  const { one, two } = twoWorkers();
  one.enter('key', 1);
  for (let other = 0; other < 20_000; other++) {
    const entry = two.enter(`other ${other}`, 1);
    if (entry.kind === 'entered') entry.leave();
  }
  assert.equal(two.enter('key', 1).kind, 'rejected');
});

test('the kinds of counters do not meet under the same key', () => {
  const { one } = twoWorkers();
  assert.equal(one.fixedWindow('key', 1, 1000).kind, 'allowed');
  assert.equal(one.slidingWindow('key', 1, 1000).kind, 'allowed');
  assert.equal(one.leakyBucket('key', 1, 0).kind, 'allowed');
  assert.equal(one.enter('key', 1).kind, 'entered');
  assert.equal(one.record('key', 1000)?.add(0, 1), 0);
});

test('a limit of 2^53 - 1 and a window of as many seconds count as well', () => {
  const { time, one } = twoWorkers();
  for (const count of ['fixedWindow', 'slidingWindow'] as const) {
    assert.equal(one[count]('high', Number.MAX_SAFE_INTEGER, 1000).kind, 'allowed');
    assert.equal(one[count]('long', 1, Number.MAX_SAFE_INTEGER * 1000).kind, 'allowed');
    time.nowMs += 1000 * 86_400_000;
    assert.equal(one[count]('long', 1, Number.MAX_SAFE_INTEGER * 1000).kind, 'rejected');
  }
});

test('all workers see the same numbers of a record', () => {
  const { one, two } = twoWorkers();
  const ours = one.record('key', 1000);
  const theirs = two.record('key', 1000);
  assert.ok(ours && theirs);
  assert.deepEqual([0, 1, 2, 3].map((field) => theirs.load(field)), [0, 0, 0, 0]); // biome-ignore format: one line
  ours.store(1, -5);
  assert.equal(theirs.add(1, 7), -5);
  assert.equal(ours.load(1), 2);
  assert.equal(theirs.compareExchange(1, 3, 9), 2);
  assert.equal(theirs.compareExchange(1, 2, 2 ** 31 - 1), 2);
  assert.equal(ours.add(1, 1), 2 ** 31 - 1);
  assert.equal(ours.load(1), -(2 ** 31));
  assert.equal(one.record('other', 1000)?.load(1), 0);
  assert.throws(() => ours.load(4), RangeError);
});

test('a record is kept for its lifetime after the last look, and begins with zeros after that', () => {
  const { time, one, two } = twoWorkers();
  const old = one.record('key', 1000);
  old?.store(0, 1);
  assert.equal(two.find('other'), undefined);
  time.nowMs += 999;
  assert.equal(two.find('key')?.load(0), 1);
  assert.equal(two.record('key', 1000)?.load(0), 1);
  time.nowMs += 999;
  assert.equal(one.record('key', 1000)?.load(0), 1);
  time.nowMs += 1000;
  assert.equal(two.find('key'), undefined);
  const fresh = two.record('key', 1000);
  assert.equal(fresh?.load(0), 0);
  old?.store(0, 7);
  assert.deepEqual([old?.load(0), old?.add(0, 1), fresh?.load(0)], [0, 0, 0]);
});

test('a full table of records gives up the one that expires first', () => {
  const { one, tables } = twoWorkers();
  for (let key = 0; key < 5000; key++) one.record(`key ${key}`, 1000 + key)?.store(0, 1);
  assert.equal(one.record('key 4999', 1)?.load(0), 1);
  assert.ok(tables.usage(0).recordEvictions > 4000);
});

test('what could not be counted is itself counted', () => {
  const { time, one, tables } = twoWorkers();
  let unavailable = 0;
  for (let key = 0; key < 20_000; key++) if (one.fixedWindow(`key ${key}`, 1, 1000).kind === 'unavailable') unavailable++;
  const usage = tables.usage(time.nowMs);
  assert.equal(usage.unavailable, unavailable);
  assert.ok(unavailable > 16_000);
  assert.equal(usage.fill, 1);
  assert.equal(usage.exhausted, 1);
  assert.equal(tables.usage(time.nowMs + 1000).fill, 0);
});

test('a region that is too small is refused', () => {
  assert.throws(() => new CounterTables({ bytes: MIN_REGION_BYTES - 1, rows: 3, random: SECRET, nowMs: 0, wallMs: 0 }), RangeError);
});
