import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../test-support/fake-clock.ts';
import { Turns } from './turns.ts';

test('work has the loop for one slice at a time, and what was ready runs in between', async () => {
  const clock = new FakeClock();
  const turns = new Turns(clock, 10);
  clock.advance(9);
  assert.equal(turns.isDue, false);
  clock.advance(1);
  assert.equal(turns.isDue, true);
  let others = 0;
  setImmediate(() => {
    others += 1;
  });
  await turns.pass();
  assert.deepEqual([others, turns.isDue], [1, false]);
  clock.advance(10);
  assert.equal(turns.isDue, true);
});
