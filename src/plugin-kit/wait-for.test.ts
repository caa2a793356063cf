import assert from 'node:assert/strict';
import test from 'node:test';
import { FakeClock } from '../../test-support/fake-clock.ts';
import { TestRequest } from './testing/index.ts';
import { LONGEST_WAIT_MS, waitFor } from './wait-for.ts';

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const pending = {};
  return (await Promise.race([promise, new Promise((resolve) => setImmediate(() => resolve(pending)))])) !== pending;
}

test('a wait ends when the clock says so, and its time is granted to the request', async () => {
  const clock = new FakeClock();
  const request = new TestRequest();
  const waiting = waitFor(request, clock, 15_000);
  assert.equal(request.grantedMs, 15_000);
  clock.advance(14_999);
  assert.equal(await isSettled(waiting), false);
  clock.advance(1);
  assert.equal(await isSettled(waiting), true);
});

test('no wait is longer than an hour, whatever the configuration says', async () => {
  const clock = new FakeClock();
  const request = new TestRequest();
  const waiting = waitFor(request, clock, 1e15);
  clock.advance(LONGEST_WAIT_MS - 1);
  assert.equal(await isSettled(waiting), false);
  clock.advance(1);
  assert.equal(await isSettled(waiting), true);
  assert.equal(request.grantedMs, LONGEST_WAIT_MS);
});

test('a wait ends at once with its request and leaves no timer', async () => {
  const clock = new FakeClock();
  const request = new TestRequest();
  const waiting = waitFor(request, clock, 15_000);
  request.endWaits();
  assert.equal(await isSettled(waiting), true);
  assert.equal(clock.pendingTasks, 0);
});
