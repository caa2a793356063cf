import assert from 'node:assert/strict';
import test from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { MIN_REGION_BYTES } from './counter-region.ts';
import type { RaceTask } from './testing/race-task.ts';
import { gateFor, machineNow, runRace, startThread, sumOf, tablesFor } from './testing/run-race.ts';

const THREADS = 2;
const CALLS = 5000;
const LIMIT = 777;

function onAll(task: RaceTask): readonly RaceTask[] {
  return Array.from({ length: THREADS }, () => task);
}

for (const counter of ['fixed', 'sliding', 'bucket'] as const) {
  test(`of 10,000 requests at once over two workers a ${counter} counter lets exactly the limit through, ten times`, async () => {
    for (let round = 0; round < 10; round++) {
      const { tables } = tablesFor(THREADS, MIN_REGION_BYTES);
      const reports = await runRace(tables, onAll({ kind: 'burst', counter, limit: LIMIT, calls: CALLS }));
      assert.equal(sumOf(reports, 'allowed'), LIMIT);
      assert.equal(sumOf(reports, 'rejected'), THREADS * CALLS - LIMIT);
    }
  });
}

test('of 10,000 entries at once over two workers exactly the limit is let in', async () => {
  for (let round = 0; round < 10; round++) {
    const { tables, counters } = tablesFor(THREADS, MIN_REGION_BYTES);
    const reports = await runRace(tables, onAll({ kind: 'crowd', limit: LIMIT, calls: CALLS }));
    assert.equal(sumOf(reports, 'allowed'), LIMIT);
    assert.deepEqual(counters.enter('key', LIMIT), { kind: 'rejected', inFlight: LIMIT });
  }
});

test('of two that want the last place at the same moment one gets it', async () => {
  const { tables } = tablesFor(THREADS, MIN_REGION_BYTES);
  const rounds = 20_000;
  const board = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const reports = await runRace(tables, onAll({ kind: 'duel', rounds, board }));
  assert.deepEqual([sumOf(reports, 'allowed'), sumOf(reports, 'rejected')], [rounds, rounds]);
});

test('while windows turn over under both workers, each lets exactly the limit through', async () => {
  const { tables } = tablesFor(THREADS, MIN_REGION_BYTES);
  const limit = 500;
  const reports = await runRace(tables, onAll({ kind: 'turning', limit, windowMs: 5, forMs: 2000 }));
  const byWindow = new Map<number, number>();
  for (const { windows } of reports) for (const [endMs, count] of windows) byWindow.set(endMs, (byWindow.get(endMs) ?? 0) + count);
  const counts = [...byWindow.values()];
  assert.ok(counts.length > 50, `only ${counts.length} windows`);
  assert.deepEqual(
    counts.filter((count) => count > limit),
    [],
  );
  assert.ok(counts.filter((count) => count === limit).length > 10, 'hardly any window was used up');
});

test('however slots change their keys, no more are in flight than the limit says', async () => {
  const { tables } = tablesFor(THREADS, MIN_REGION_BYTES);
  const keys = 3000;
  const shadow = new SharedArrayBuffer(keys * Int32Array.BYTES_PER_ELEMENT);
  const reports = await runRace(tables, onAll({ kind: 'in-flight', limit: 1, keys, calls: 400_000, shadow }));
  assert.equal(sumOf(reports, 'wrong'), 0);
  assert.equal(sumOf(reports, 'unavailable'), 0);
  assert.ok(sumOf(reports, 'allowed') > 400_000);
});

test('ten million new keys move neither memory nor time, and an exhausted client stays refused', { timeout: 180_000 }, async () => {
  const { tables, counters } = tablesFor(THREADS, 4 * 1024 * 1024);
  for (let request = 0; request < 3; request++) assert.equal(counters.fixedWindow('exhausted', 3, 3_600_000).kind, 'allowed');
  const before = process.memoryUsage();
  const reports = await runRace(tables, onAll({ kind: 'flood', keys: 5_000_000, exhausted: 'exhausted' }));
  const after = process.memoryUsage();
  assert.equal(sumOf(reports, 'wrong'), 0);
  assert.equal(sumOf(reports, 'allowed'), 10_000_000);
  assert.ok(after.arrayBuffers - before.arrayBuffers < 1024 * 1024, 'buffers grew');
  assert.equal(counters.fixedWindow('exhausted', 3, 3_600_000).kind, 'rejected');
  const usage = tables.usage(machineNow());
  assert.ok(usage.fill > 0.9 && usage.evictions > 9_000_000);
});

test('workers that are ended at any moment leave nothing behind that stays', { timeout: 120_000 }, async () => {
  const { tables, counters } = tablesFor(THREADS, MIN_REGION_BYTES);
  for (let round = 0; round < 15; round++) {
    const gate = gateFor(THREADS);
    const threads = onAll({ kind: 'churn', keys: 4000 }).map((task, row) => startThread(tables, row, task, gate));
    const ready = new Int32Array(gate);
    while (Atomics.load(ready, 0) < THREADS) await delay(1);
    await delay(20);
    await Promise.all(threads.map((thread) => thread.terminate()));
    for (let row = 0; row < THREADS; row++) tables.clearRow(row);
  }
  await delay(5);
  // As many as fit beside each other once they are exhausted.
  for (let key = 0; key < 500; key++) {
    const name = `key ${key}`;
    assert.deepEqual([counters.fixedWindow(name, 1, 60_000).kind, counters.fixedWindow(name, 1, 60_000).kind], ['allowed', 'rejected']);
    assert.equal(counters.leakyBucket(name, 1000, 2).kind, 'allowed');
    assert.ok(counters.record(name, 1000));
    const entry = counters.enter(name, 1);
    assert.ok(entry.kind === 'entered' && entry.inFlight === 1);
    entry.leave();
  }
});

test('all threads have the same time', async () => {
  const { tables } = tablesFor(THREADS, MIN_REGION_BYTES);
  const reports = await runRace(tables, onAll({ kind: 'time' }));
  for (const { times } of reports) {
    const [before = 0, seen = 0, after = 0] = times;
    assert.ok(seen > before - 0.2 && seen < after + 0.2, `${before} ${seen} ${after}`);
  }
});
