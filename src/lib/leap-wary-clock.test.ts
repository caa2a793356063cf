import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LeapWaryClock } from './leap-wary-clock.ts';

const HOUR_MS = 3_600_000;

/** Clocks of which the wall can be set. */
function settableClock() {
  const times = { wallMs: 1_800_000_000_000, monotonicMs: 5_000 };
  const pass = (ms: number): void => {
    times.wallMs += ms;
    times.monotonicMs += ms;
  };
  return { times, pass, clock: new LeapWaryClock({ nowMs: () => times.wallMs, monotonicMs: () => times.monotonicMs }) };
}

test('a leap forward counts when it has stood for an hour', () => {
  const { times, pass, clock } = settableClock();
  const before = times.wallMs;
  pass(1_000);
  times.wallMs += 300 * 24 * HOUR_MS;
  assert.equal(clock.nowMs(), before + 1_000);
  pass(HOUR_MS - 1);
  assert.equal(clock.nowMs(), before + 1_000 + HOUR_MS - 1);
  pass(1);
  assert.equal(clock.nowMs(), times.wallMs);
  pass(1_000);
  assert.equal(clock.nowMs(), times.wallMs);
});

test('a leap that is taken back leaves nothing behind, and the next one has an hour of its own', () => {
  const { times, pass, clock } = settableClock();
  for (let leap = 0; leap < 3; leap++) {
    times.wallMs += 24 * HOUR_MS;
    const believed = times.wallMs - 24 * HOUR_MS;
    assert.equal(clock.nowMs(), believed);
    pass(HOUR_MS - 1);
    times.wallMs -= 24 * HOUR_MS;
    assert.equal(clock.nowMs(), times.wallMs);
  }
});

test('a leap back counts at once, and so does what a clock is slewed by', () => {
  const { times, pass, clock } = settableClock();
  times.wallMs -= 24 * HOUR_MS;
  assert.equal(clock.nowMs(), times.wallMs);
  for (let reading = 0; reading < 100; reading++) {
    pass(5_000);
    times.wallMs += 2_000;
    assert.equal(clock.nowMs(), times.wallMs);
  }
});
