import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../test-support/fake-clock.ts';
import { CommitGroups, type GroupDriver } from './commit-groups.ts';
import { TransactionQueue } from './transaction-queue.ts';

/** A driver that writes down what it does. */
class RecordingDriver implements GroupDriver<string> {
  readonly steps: string[] = [];
  isLost = false;
  failsToCommit = false;

  async hold(_askedAtMs: number, work: (connection: string) => Promise<void>): Promise<void> {
    this.steps.push('begin');
    await work('connection');
    if (this.isLost || this.failsToCommit) throw new Error('no commit');
    this.steps.push('commit');
  }

  async nest<Result>(_connection: string, work: () => Promise<Result>): Promise<Result> {
    this.steps.push('savepoint');
    return work();
  }

  isUsable(): boolean {
    return !this.isLost;
  }
}

function makeGroups() {
  const driver = new RecordingDriver();
  const clock = new FakeClock();
  const queue = new TransactionQueue();
  return { driver, clock, queue, groups: new CommitGroups(queue, driver, clock) };
}

test('transactions that are asked for at once share one commit, one that comes alone needs no savepoint', async () => {
  const { driver, groups } = makeGroups();
  assert.deepEqual(await Promise.all([1, 2, 3].map((number) => groups.run(async () => number))), [1, 2, 3]);
  assert.deepEqual(driver.steps, ['begin', 'savepoint', 'savepoint', 'savepoint', 'commit']);
  driver.steps.length = 0;
  assert.equal(await groups.run(async () => 4), 4);
  assert.deepEqual(driver.steps, ['begin', 'commit']);
});

test('a transaction that throws takes none of its group along', async () => {
  const { groups } = makeGroups();
  const fails = groups.run(() => Promise.reject(new Error('mine')));
  const goesOn = groups.run(async () => 'done');
  await assert.rejects(fails, { message: 'mine' });
  assert.equal(await goesOn, 'done');
});

test('nobody of a group is told a success when its commit fails', async () => {
  const { driver, groups } = makeGroups();
  driver.failsToCommit = true;
  const both = await Promise.allSettled([groups.run(async () => 1), groups.run(async () => 2)]);
  assert.deepEqual(
    both.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
});

test('who comes after a transaction was lost gets another one', async () => {
  const { driver, groups } = makeGroups();
  const loses = groups.run(async () => {
    driver.isLost = true;
  });
  const next = groups.run(async () => 'done');
  await assert.rejects(loses, { message: 'no commit' });
  driver.isLost = false;
  assert.equal(await next, 'done');
});

test('a group ends after a long transaction, and after a hundred', async () => {
  const { driver, clock, groups } = makeGroups();
  const slow = groups.run(async () => clock.advance(20));
  await Promise.all([slow, groups.run(async () => undefined)]);
  assert.equal(driver.steps.filter((step) => step === 'commit').length, 2);
  driver.steps.length = 0;
  await Promise.all(Array.from({ length: 250 }, () => groups.run(async () => undefined)));
  assert.equal(driver.steps.filter((step) => step === 'commit').length, 3);
});

test('a transaction inside another one is refused whoever shares its group, and never runs', async () => {
  const { groups } = makeGroups();
  let ran = false;
  const nested = groups.run(async () => {
    await groups.run(async () => {
      ran = true;
    });
  });
  const other = groups.run(async () => 'done');
  await assert.rejects(nested, /inside another one/);
  assert.equal(await other, 'done');
  assert.equal(ran, false);
});

test('a closed queue takes no more, and runs what it has taken', async () => {
  const { groups, queue } = makeGroups();
  const taken = groups.run(async () => 'done');
  const closed = queue.close();
  await assert.rejects(
    groups.run(async () => 'late'),
    { reason: 'store_unavailable' },
  );
  await closed;
  assert.equal(await taken, 'done');
});
