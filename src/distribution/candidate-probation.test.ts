import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../test-support/fake-clock.ts';
import { CandidateProbation } from './candidate-probation.ts';

test('each candidate passes after ten seconds of its own, even while newer ones keep coming', () => {
  const clock = new FakeClock();
  const passed: number[] = [];
  const probation = new CandidateProbation(clock, (revision) => passed.push(revision));
  probation.add(1);
  clock.advance(3_000);
  probation.add(2);
  clock.advance(6_999);
  assert.deepEqual(passed, []);
  clock.advance(1);
  assert.deepEqual(passed, [1]);
  clock.advance(3_000);
  assert.deepEqual(passed, [1, 2]);
  assert.equal(clock.pendingTasks, 0);
});

test('a thousand candidates in a second are marked a few times, not a thousand', () => {
  const clock = new FakeClock();
  const passed: number[] = [];
  const probation = new CandidateProbation(clock, (revision) => passed.push(revision));
  for (let revision = 1; revision <= 1_000; revision++) {
    probation.add(revision);
    clock.advance(1);
  }
  clock.advance(20_000);
  assert.equal(passed.at(-1), 1_000);
  assert.ok(passed.length <= 3, `${passed.length} marks`);
});

test('what was cleared never passes, and what was restarted has to run for the whole time again', () => {
  const clock = new FakeClock();
  const passed: number[] = [];
  const probation = new CandidateProbation(clock, (revision) => passed.push(revision));
  probation.add(1);
  probation.clear();
  clock.advance(20_000);
  probation.add(2);
  clock.advance(9_000);
  probation.restart();
  clock.advance(9_999);
  assert.deepEqual(passed, []);
  clock.advance(1);
  assert.deepEqual(passed, [2]);
});
