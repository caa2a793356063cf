import assert from 'node:assert/strict';
import test from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import type { UsageReport } from '../../distribution/gateway-side.ts';
import { systemRandom } from '../../lib/random.ts';
import { identified } from './testing/identified.ts';
import { UsageCollector } from './usage-collector.ts';
import { UsageCounter } from './usage-counter.ts';

const ROUTE = { number: 1, id: 'r' };
const INTERVAL_MS = 10_000;

function makeCollector(rows = 2) {
  const clock = new FakeClock();
  const sent: UsageReport[] = [];
  const state = { takes: true };
  const collector = new UsageCollector({
    rows,
    limits: { entries: 100, textBytes: 10_000 },
    intervalMs: INTERVAL_MS,
    clock,
    random: systemRandom,
    yieldTurn: () => Promise.resolve(),
    link: () => ({
      acknowledges: false,
      kept: 0,
      send: (report) => {
        if (state.takes) sent.push(report);
        return state.takes;
      },
    }),
  });
  collector.start();
  const counters = Array.from({ length: rows }, (_, row) => new UsageCounter(collector.handles, row));
  /** As many checks as fall into this time. */
  const pass = async (durationMs: number): Promise<void> => {
    for (let passedMs = 0; passedMs < durationMs; passedMs += 250) {
      clock.advance(250);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const entries = () => sent.flatMap((report) => report.entries);
  return { clock, sent, state, collector, counters, pass, entries };
}

test('what all workers have counted is sent once an interval, added up, and nothing where nothing was counted', async () => {
  const { sent, counters, pass, entries } = makeCollector();
  for (const counter of counters) counter.count(identified('jack', 'c'), ROUTE, 200, 5);
  counters[1]?.count(identified('jack', 'c'), ROUTE, 200, 6);
  await pass(INTERVAL_MS - 250);
  assert.deepEqual(sent, []);
  await pass(250);
  assert.deepEqual(entries(), [['jack', 'c', 'r', 200, 3, 6]]);
  await pass(INTERVAL_MS * 2);
  assert.equal(sent.length, 1);
  counters[0]?.count(undefined, ROUTE, 401, 7);
  await pass(INTERVAL_MS);
  assert.deepEqual(entries()[1], ['', '', 'r', 401, 1, 7]);
  assert.deepEqual(
    sent.map(({ sequence }) => sequence),
    [1, 2],
  );
  assert.equal(new Set(sent.map(({ epoch }) => epoch)).size, 1);
});

test('while nobody takes it, it is kept in one batch and sent when somebody does', async () => {
  const { state, counters, pass, entries } = makeCollector(1);
  state.takes = false;
  for (let interval = 0; interval < 5; interval++) {
    counters[0]?.count(identified('jack', 'c'), ROUTE, 200, interval);
    await pass(INTERVAL_MS);
  }
  state.takes = true;
  await pass(INTERVAL_MS);
  assert.deepEqual(entries(), [['jack', 'c', 'r', 200, 5, 4]]);
});

test('a worker that meets many credentials is emptied before its room is used up', async () => {
  const { counters, pass, entries } = makeCollector(1);
  for (let index = 0; index < 400; index++) {
    counters[0]?.count(identified('jack', `c${index}`), ROUTE, 200, 1);
    if (index % 50 === 0) await pass(250);
  }
  await pass(INTERVAL_MS);
  assert.equal(entries().length, 400);
  assert.equal(
    entries().some(([consumer]) => consumer === '*'),
    false,
  );
});

test('a large batch goes in several messages, each small enough', async () => {
  const { sent, counters, pass, entries } = makeCollector(1);
  for (let index = 0; index < 600; index++) {
    counters[0]?.count(identified(`jack-${'x'.repeat(150)}`, `c${index}`), ROUTE, 200, 1);
    if (index % 25 === 0) await pass(250);
  }
  await pass(INTERVAL_MS);
  assert.equal(
    entries().reduce((sum, [, , , , requests]) => sum + requests, 0),
    600,
  );
  assert.ok(sent.length > 2);
  for (const report of sent) assert.ok(JSON.stringify({ kind: 'usage', ...report }).length <= 48 * 1024);
});

test('what was counted until the end is sent at the end', async () => {
  const { clock, collector, counters, entries } = makeCollector(1);
  counters[0]?.count(undefined, ROUTE, 200, 1);
  await collector.stop();
  await collector.stop();
  assert.deepEqual(entries(), [['', '', 'r', 200, 1, 1]]);
  assert.equal(clock.pendingTasks, 0);
});
