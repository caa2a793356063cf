import assert from 'node:assert/strict';
import test from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import type { AgentMessage, RuntimeChange } from '../worker/worker-messages.ts';
import { type ChangeRound, type RoundThread, runChangeRound } from './change-round.ts';
import type { PrepareOutcome } from './worker-thread.ts';

/** A thread whose answers the test gives, and that remembers what it was told. */
class FakeThread implements RoundThread {
  readonly told: string[] = [];
  readonly ended = false;
  readonly #outcome: Promise<PrepareOutcome>;

  constructor(outcome: PrepareOutcome | Promise<PrepareOutcome>) {
    this.#outcome = Promise.resolve(outcome);
  }

  post(message: AgentMessage): void {
    this.told.push(message.kind === 'changes' ? `changes ${message.changes.length}` : message.kind);
  }

  prepare(): Promise<PrepareOutcome> {
    this.told.push('prepare');
    return this.#outcome;
  }

  async commit(): Promise<void> {
    this.told.push('commit');
  }
}

const changes: readonly RuntimeChange[] = Array.from({ length: 450 }, (_, index) => ({ op: 'delete-route', id: `r${index}` }));

function round(threads: readonly FakeThread[], clock = new FakeClock(), onPrepared = () => {}): ChangeRound {
  return {
    number: 1,
    threads,
    changes,
    prepareTimeoutMs: 1000,
    schedule: (delayMs, task) => clock.schedule(delayMs, task),
    yieldTurn: () => Promise.resolve(),
    onPrepared,
  };
}

test('all workers compile before any of them swaps, and new credentials are entered in between', async () => {
  const threads = [new FakeThread({ kind: 'prepared' }), new FakeThread({ kind: 'prepared' })];
  const clock = new FakeClock();
  const outcome = await runChangeRound(round(threads, clock, () => threads.map((thread) => thread.told.push('entered'))));
  assert.deepEqual(outcome, { kind: 'committed' });
  for (const thread of threads) {
    assert.deepEqual(thread.told, ['changes 200', 'changes 200', 'changes 50', 'prepare', 'entered', 'commit']);
  }
  assert.equal(clock.pendingTasks, 0);
});

test('one worker that cannot compile keeps the change from all', async () => {
  const threads = [new FakeThread({ kind: 'prepared' }), new FakeThread({ kind: 'refused', message: 'why' })];
  let entered = false;
  const outcome = await runChangeRound(
    round(threads, new FakeClock(), () => {
      entered = true;
    }),
  );
  assert.deepEqual(outcome, { kind: 'refused', message: 'why' });
  assert.equal(entered, false);
  for (const thread of threads) assert.equal(thread.told.at(-1), 'abandon');
});

test('a worker that dies over a change is no refusal', async () => {
  const threads = [new FakeThread({ kind: 'ended' }), new FakeThread({ kind: 'prepared' })];
  assert.deepEqual(await runChangeRound(round(threads)), { kind: 'worker-ended' });
  assert.equal(threads[1]?.told.at(-1), 'abandon');
  assert.deepEqual(await runChangeRound(round([])), { kind: 'worker-ended' });
});

test('compiling has a bound in time', async () => {
  const clock = new FakeClock();
  const threads = [new FakeThread(new Promise(() => {}))];
  const outcome = runChangeRound(round(threads, clock));
  while (clock.pendingTasks === 0) await Promise.resolve();
  clock.advance(1000);
  assert.deepEqual(await outcome, { kind: 'refused', message: 'compiling it took longer than 1000 ms' });
  assert.equal(threads[0]?.told.at(-1), 'abandon');
});

test('a change whose credentials cannot be entered is put in force nowhere', async () => {
  const threads = [new FakeThread({ kind: 'prepared' })];
  const full = (): void => {
    throw new Error('the table is full');
  };
  await assert.rejects(runChangeRound(round(threads, new FakeClock(), full)), /the table is full/);
  assert.equal(threads[0]?.told.at(-1), 'abandon');
});
