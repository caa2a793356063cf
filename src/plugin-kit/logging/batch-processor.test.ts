import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { BatchProcessor, type BatchSettings } from './batch-processor.ts';
import { PendingBudget } from './pending-budget.ts';

const SETTINGS: BatchSettings = { maxEntries: 3, inactiveTimeoutMs: 5000, bufferDurationMs: 12_000, maxRetries: 0, retryDelayMs: 1000 };

interface Sending {
  readonly entries: readonly number[];
  readonly atMs: number;
  succeed(): void;
  fail(error: Error): void;
}

/** A processor whose sendings a test decides about; `decide` settles them at once. */
function makeProcessor(settings: Partial<BatchSettings> = {}, decide?: (sending: Sending) => void) {
  const clock = new FakeClock();
  const budget = new PendingBudget();
  const sendings: Sending[] = [];
  const dropped: [number, string, unknown][] = [];
  const pending: number[] = [];
  const processor = new BatchProcessor<number>({
    settings: { ...SETTINGS, ...settings },
    clock,
    budget,
    send: (entries) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const sending = { entries: [...entries], atMs: clock.monotonicMs(), succeed: resolve, fail: reject };
      sendings.push(sending);
      decide?.(sending);
      return promise;
    },
    onDropped: (entries, why, error) => dropped.push([entries, why, error]),
    onPending: (entries) => pending.push(entries),
  });
  const add = (...entries: readonly number[]): void => {
    for (const entry of entries) processor.add(entry, 10, 100);
  };
  return { clock, budget, sendings, dropped, pending, processor, add, sent: () => sendings.map(({ entries }) => entries) };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a batch is sent when it is full, and with batches of one every entry at once', () => {
  const { add, sent } = makeProcessor();
  add(1, 2);
  assert.deepEqual(sent(), []);
  add(3, 4);
  assert.deepEqual(sent(), [[1, 2, 3]]);
  const single = makeProcessor({ maxEntries: 1 });
  single.add(1, 2);
  assert.deepEqual(single.sent(), [[1], [2]]);
  assert.equal(single.clock.pendingTasks, 0);
});

test('a batch is sent when nothing was added for a while', () => {
  const { add, clock, sent } = makeProcessor();
  add(1);
  clock.advance(4000);
  add(2);
  clock.advance(4999);
  assert.deepEqual(sent(), []);
  clock.advance(1);
  assert.deepEqual(sent(), [[1, 2]]);
});

test('a batch is sent when its first entry has waited long enough, however much follows', () => {
  const { add, clock, sent } = makeProcessor({ maxEntries: 100 });
  for (let entry = 0; entry < 8; entry++) {
    add(entry);
    clock.advance(1500);
  }
  assert.deepEqual(sent(), [[0, 1, 2, 3, 4, 5, 6, 7]]);
});

test('a batch of many bytes is sent before it is full of entries', () => {
  const { processor, sent } = makeProcessor({ maxEntries: 1000 });
  for (let entry = 0; entry < 9; entry++) processor.add(entry, 1024 * 1024, 1000);
  assert.deepEqual(sent(), [
    [0, 1, 2, 3],
    [4, 5, 6, 7],
  ]);
});

test('a batch that fails is dropped, and no other for it', async () => {
  const failure = new Error('no');
  const { add, dropped, sent, budget } = makeProcessor({}, ({ entries, succeed, fail }) => (entries[0] === 1 ? fail(failure) : succeed()));
  add(1, 2, 3, 4, 5, 6);
  await settle();
  assert.deepEqual(sent(), [
    [1, 2, 3],
    [4, 5, 6],
  ]);
  assert.deepEqual(dropped, [[3, 'failed', failure]]);
  assert.equal(budget.entries, 0);
});

test('a batch is sent again as often as the settings say, after delays that double up to a minute', async () => {
  const { add, dropped, sendings, clock } = makeProcessor({ maxRetries: 9 }, ({ fail }) => fail(new Error('no')));
  add(1, 2, 3);
  for (let second = 0; second < 400; second++) {
    await settle();
    clock.advance(1000);
  }
  const times = sendings.map(({ atMs }) => atMs / 1000);
  assert.deepEqual(times, [0, 1, 3, 7, 15, 31, 63, 123, 183, 243]);
  assert.equal(dropped.length, 1);
});

test('a delay of nothing tries again at once, and success ends the trying', async () => {
  const { add, dropped, sendings, clock } = makeProcessor({ maxRetries: 5, retryDelayMs: 0 }, ({ succeed, fail }) =>
    sendings.length < 3 ? fail(new Error('no')) : succeed(),
  );
  add(1, 2, 3);
  for (let round = 0; round < 5; round++) {
    await settle();
    clock.advance(0);
  }
  assert.equal(sendings.length, 3);
  assert.deepEqual(dropped, []);
});

test('what waits and is under way is bounded by entries and by bytes, over all that share the budget', async () => {
  const first = makeProcessor({ maxEntries: 2 });
  for (let entry = 0; entry < 7; entry++) first.processor.add(entry, 10, 5);
  assert.equal(first.budget.entries, 5);
  assert.deepEqual(first.dropped, [
    [1, 'full', undefined],
    [1, 'full', undefined],
  ]);
  first.sendings[0]?.succeed();
  await settle();
  assert.equal(first.budget.entries, 3);
  first.processor.add(7, 10, 5);
  assert.equal(first.dropped.length, 2);
  const large = makeProcessor({ maxEntries: 100 });
  for (let entry = 0; entry < 5; entry++) large.processor.add(entry, 10 * 1024 * 1024, 100);
  assert.equal(large.budget.entries, 3);
  assert.equal(large.dropped.length, 2);
});

test('no more than sixteen batches are under way, and the others wait their turn', async () => {
  const { processor, sendings } = makeProcessor({ maxEntries: 1 });
  for (let entry = 0; entry < 20; entry++) processor.add(entry, 1, 100);
  assert.equal(sendings.length, 16);
  sendings[3]?.succeed();
  await settle();
  assert.deepEqual(sendings[16]?.entries, [16]);
});

test('the oldest batch that waits can be dropped for a newer entry', () => {
  const { processor, sendings, dropped } = makeProcessor({ maxEntries: 1 });
  assert.equal(processor.dropOldest(), false);
  for (let entry = 0; entry < 18; entry++) processor.add(entry, 1, 100);
  assert.equal(processor.dropOldest(), true);
  assert.deepEqual(dropped, [[1, 'full', undefined]]);
  assert.equal(sendings.length, 16);
});

test('closing sends what waits, refuses what comes, and ends when all is sent', async () => {
  const { processor, add, sendings, dropped, clock } = makeProcessor();
  add(1, 2);
  let isClosed = false;
  const closing = processor.close(5000).then(() => {
    isClosed = true;
  });
  assert.deepEqual(sendings[0]?.entries, [1, 2]);
  add(3);
  assert.deepEqual(dropped, [[1, 'full', undefined]]);
  await settle();
  assert.equal(isClosed, false);
  sendings[0]?.succeed();
  await closing;
  assert.equal(clock.pendingTasks, 0);
});

test('closing is bounded: what hangs, waits for a retry or waits for its turn is given up', async () => {
  const { processor, sendings, dropped, clock, budget } = makeProcessor({ maxEntries: 1, maxRetries: 100, retryDelayMs: 60_000 });
  for (let entry = 0; entry < 20; entry++) processor.add(entry, 1, 100);
  sendings[0]?.fail(new Error('no'));
  await settle();
  const closing = processor.close(5000);
  clock.advance(5000);
  await closing;
  await settle();
  const lost = dropped.reduce((sum, [entries]) => sum + entries, 0);
  assert.equal(lost, 5);
  assert.equal(budget.entries, 15);
  for (const sending of sendings) sending.succeed();
  await settle();
  assert.equal(budget.entries, 0);
  assert.equal(clock.pendingTasks, 0);
});

test('closing what is empty is done at once', async () => {
  const { processor, clock } = makeProcessor();
  await processor.close(5000);
  assert.equal(clock.pendingTasks, 0);
});

test('what is pending is told whenever a batch begins or ends', async () => {
  const { add, sendings, pending } = makeProcessor();
  add(1, 2, 3, 4);
  assert.deepEqual(pending, [3]);
  sendings[0]?.succeed();
  await settle();
  assert.deepEqual(pending, [3, 1]);
});

test('times longer than a timer can take are no shorter for that', () => {
  const { add, clock, sent } = makeProcessor({ inactiveTimeoutMs: 2 ** 40, bufferDurationMs: 2 ** 41 });
  add(1);
  clock.advance(2 ** 40 - 1);
  assert.deepEqual(sent(), []);
  clock.advance(1);
  assert.deepEqual(sent(), [[1]]);
});

test('every entry is sent exactly once and in order, or dropped, whatever happens', async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('add' as const) }),
    fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 20_000 }) }),
    fc.record({ kind: fc.constant('settle' as const), index: fc.nat(40), ok: fc.boolean() }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 200 }), fc.nat(2), async (steps, maxRetries) => {
      const { processor, clock, sendings, dropped, budget } = makeProcessor({ maxRetries });
      const delivered: number[] = [];
      let added = 0;
      const settled = new Set<Sending>();
      const settleOne = async (sending: Sending | undefined, ok: boolean): Promise<void> => {
        if (sending === undefined || settled.has(sending)) return;
        settled.add(sending);
        if (ok) delivered.push(...sending.entries);
        if (ok) sending.succeed();
        else sending.fail(new Error('no'));
        await settle();
      };
      for (const each of steps) {
        if (each.kind === 'add') processor.add(added++, 1, 8);
        else if (each.kind === 'wait') clock.advance(each.ms);
        else await settleOne(sendings[each.index], each.ok);
        assert.ok(budget.entries <= 8);
      }
      const closing = processor.close(1000);
      for (let index = 0; index < sendings.length; index++) await settleOne(sendings[index], true);
      clock.advance(1000);
      await closing;
      await settle();
      for (const { entries } of sendings)
        assert.deepEqual(
          entries,
          [...entries].sort((a, b) => a - b),
        );
      const lost = dropped.reduce((sum, [entries]) => sum + entries, 0);
      assert.equal(new Set(delivered).size, delivered.length);
      assert.equal(delivered.length + lost, added);
      assert.equal(budget.entries, 0);
    }),
    { numRuns: 100 },
  );
});
