import assert from 'node:assert/strict';
import test from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { systemRandom } from '../../lib/random.ts';
import { identified } from './testing/identified.ts';
import { TestLink } from './testing/test-link.ts';
import { UsageCollector } from './usage-collector.ts';
import { UsageCounter } from './usage-counter.ts';

const ROUTE = { number: 1, id: 'r' };
const INTERVAL_MS = 10_000;

function makeCollector(rows = 2, to = new TestLink(false)) {
  const clock = new FakeClock();
  const link = { isThere: true, to };
  const collector = new UsageCollector({
    rows,
    limits: { entries: 100, textBytes: 10_000 },
    intervalMs: INTERVAL_MS,
    clock,
    random: systemRandom,
    yieldTurn: () => Promise.resolve(),
    link: () => (link.isThere ? to : undefined),
  });
  collector.start();
  const counters = Array.from({ length: rows }, (_, row) => new UsageCounter(collector.handles, row));
  /** As many checks as fall into this time. */
  const pass = async (durationMs: number, checkMs = 250): Promise<void> => {
    for (let passedMs = 0; passedMs < durationMs; passedMs += checkMs) {
      clock.advance(checkMs);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const { sent } = to;
  const entries = () => sent.flatMap((report) => report.entries);
  return { clock, sent, link, collector, counters, pass, entries };
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
  const { link, counters, pass, entries } = makeCollector(1);
  link.to.takes = false;
  for (let interval = 0; interval < 5; interval++) {
    counters[0]?.count(identified('jack', 'c'), ROUTE, 200, interval);
    await pass(INTERVAL_MS);
  }
  link.to.takes = true;
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

test('an outage is told in portions of the fullest interval, each as soon as the one before is written, and the rest at the end', async () => {
  const { collector, counters, pass, link } = makeCollector(1, new TestLink());
  link.isThere = false;
  const count = (requests: number): void => {
    for (let request = 0; request < requests; request++) counters[0]?.count(identified('jack', 'c'), ROUTE, 200, 1);
  };
  for (let interval = 0; interval < 5; interval++) {
    count(1500);
    await pass(INTERVAL_MS);
  }
  link.isThere = true;
  await pass(250);
  assert.deepEqual(link.to.requests, [1500]);
  await pass(INTERVAL_MS * 2);
  assert.deepEqual(link.to.requests, [1500]);
  link.to.keepAll();
  await pass(50, 50);
  assert.deepEqual(link.to.requests, [1500, 1500]);
  await collector.stop();
  assert.deepEqual(link.to.requests, [1500, 1500, 4500]);
});

test('what was counted until the end is sent at the end', async () => {
  const { clock, collector, counters, entries } = makeCollector(1);
  counters[0]?.count(undefined, ROUTE, 200, 1);
  await collector.stop();
  await collector.stop();
  assert.deepEqual(entries(), [['', '', 'r', 200, 1, 1]]);
  assert.equal(clock.pendingTasks, 0);
});
