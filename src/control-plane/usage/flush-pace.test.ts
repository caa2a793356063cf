import assert from 'node:assert/strict';
import test from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { FlushPace } from './flush-pace.ts';

function startPace() {
  const clock = new FakeClock();
  const work = { tookMs: 0, succeeds: true };
  const beganMs: number[] = [];
  const pace = new FlushPace(clock, async () => {
    beganMs.push(clock.monotonicMs());
    // The time of what it does; only in tests does it stand still meanwhile.
    if (work.tookMs > 0) clock.advance(work.tookMs);
    return work.succeeds;
  });
  const pass = async (durationMs: number, hurries = false): Promise<void> => {
    for (let passedMs = 0; passedMs < durationMs; passedMs += 50) {
      if (hurries) pace.hurry();
      clock.advance(50);
      await setImmediate();
    }
  };
  return { clock, work, beganMs, pace, pass };
}

test('without hurry it comes once in ten seconds', async () => {
  const { beganMs, pass } = startPace();
  await pass(30_000);
  assert.deepEqual(beganMs, [10_000, 20_000, 30_000]);
});

test('one that is hurried comes at once, however many ask; asked for all the time it comes four times a second', async () => {
  const { beganMs, pace, pass } = startPace();
  await pass(5_000);
  for (let count = 0; count < 1000; count++) pace.hurry();
  await pass(100);
  assert.deepEqual(beganMs, [5_000]);
  await pass(10_000);
  // The clock has moved on by the time that it ended.
  assert.deepEqual(beganMs, [5_000, 15_050]);
  beganMs.length = 0;
  await pass(10_000, true);
  assert.ok(beganMs.length >= 30 && beganMs.length <= 41, String(beganMs.length));
});

test('where it takes long it is hurried less: a tenth of the time at most, and never later than its turn', async () => {
  const { beganMs, work, pass } = startPace();
  work.tookMs = 200;
  await pass(20_000, true);
  assert.ok(beganMs.length >= 8 && beganMs.length <= 12, String(beganMs.length));
  beganMs.length = 0;
  work.tookMs = 5_000;
  await pass(30_000, true);
  assert.ok(beganMs.length >= 2 && beganMs.length <= 5, String(beganMs.length));
});

test('after a failure it comes in its turn, whoever is in a hurry, and after its end never', async () => {
  const { beganMs, work, clock, pace, pass } = startPace();
  work.succeeds = false;
  await pass(25_000, true);
  assert.ok(beganMs.length <= 3, String(beganMs.length));
  await pace.stop();
  pace.hurry();
  assert.equal(clock.pendingTasks, 0);
});
