import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../test-support/fake-clock.ts';
import { HeldClock } from './held-clock.ts';

test('held time stands still until it is renewed or let go', () => {
  const inner = new FakeClock();
  const clock = new HeldClock(inner);
  const start = clock.monotonicMs();
  assert.equal(clock.hold(), start);
  inner.advance(5);
  assert.equal(clock.monotonicMs(), start);
  assert.equal(clock.renew(), start + 5);
  inner.advance(5);
  assert.equal(clock.monotonicMs(), start + 5);
  clock.letGo();
  assert.equal(clock.monotonicMs(), start + 10);
  assert.equal(clock.renew(), start + 10);
  inner.advance(1);
  assert.equal(clock.monotonicMs(), start + 11);
});

test('a clock that can be held is not wrapped again', () => {
  const clock = new HeldClock(new FakeClock());
  assert.equal(HeldClock.of(clock), clock);
});
