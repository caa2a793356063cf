import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ProgressWatch } from './progress-watch.ts';

const SWEEP_MS = 500;

/** Looks at each sweep at a peer that does `bytesPerSweep` each time; the time at which it counts as too slow. */
function cutAt(watch: ProgressWatch, bytesAt: (nowMs: number) => number, untilMs: number): number | undefined {
  for (let nowMs = SWEEP_MS; nowMs <= untilMs; nowMs += SWEEP_MS) if (watch.isTooSlow(nowMs, bytesAt(nowMs), 0)) return nowMs;
  return undefined;
}

test('a peer that does nothing is too slow after the window, whatever the rate', () => {
  assert.equal(
    cutAt(new ProgressWatch(60_000, 240), () => 0, 120_000),
    60_000,
  );
  assert.equal(
    cutAt(new ProgressWatch(60_000, 0), () => 0, 120_000),
    60_000,
  );
});

test('a byte now and then is too slow, unless any rate will do', () => {
  const trickle = (nowMs: number): number => Math.floor(nowMs / 30_000);
  const cut = cutAt(new ProgressWatch(60_000, 240), trickle, 600_000);
  assert.ok(cut !== undefined && cut > 60_000 && cut <= 61_000, `cut at ${cut}`);
  assert.equal(cutAt(new ProgressWatch(60_000, 0), trickle, 600_000), undefined);
});

test('what was done fast before does not pay for being slow later', () => {
  const bytesAt = (nowMs: number): number => 100_000_000 + Math.floor(nowMs / 10_000);
  const cut = cutAt(new ProgressWatch(60_000, 240), bytesAt, 600_000);
  assert.ok(cut !== undefined && cut <= 62_000, `cut at ${cut}`);
});

test('a peer that keeps the rate is never too slow, in pieces that come within the window', () => {
  for (const pieceMs of [500, 5000, 59_000]) {
    const bytesAt = (nowMs: number): number => Math.floor(nowMs / pieceMs) * Math.ceil((240 * pieceMs) / 1000);
    assert.equal(cutAt(new ProgressWatch(60_000, 240), bytesAt, 3_600_000), undefined, `pieces each ${pieceMs} ms`);
  }
});

test('time in which the peer was not waited for does not count', () => {
  const watch = new ProgressWatch(60_000, 240);
  for (let nowMs = 0; nowMs < 3_600_000; nowMs += 40_000) {
    assert.equal(watch.isTooSlow(nowMs + 500, nowMs / 4, nowMs), false);
    watch.pause();
  }
});

test('in any time t the peer has done at least the rate times what t exceeds the window by', () => {
  const steps = fc.array(fc.record({ bytes: fc.nat(2000), sweeps: fc.integer({ min: 1, max: 40 }) }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 30 }), (list, rate, windowSeconds) => {
      const watch = new ProgressWatch(windowSeconds * 1000, rate);
      const marks = [{ nowMs: 0, bytes: 0 }];
      let [nowMs, bytes] = [0, 0];
      for (const step of list) {
        bytes += step.bytes;
        for (let sweep = 0; sweep < step.sweeps; sweep++) {
          nowMs += SWEEP_MS;
          if (watch.isTooSlow(nowMs, bytes, 0)) return;
          marks.push({ nowMs, bytes });
        }
      }
      for (const [index, from] of marks.entries()) {
        for (const to of marks.slice(index + 1)) {
          const least = rate * ((to.nowMs - from.nowMs) / 1000 - windowSeconds);
          assert.ok(to.bytes - from.bytes >= least - 1e-6, `${to.bytes - from.bytes} bytes from ${from.nowMs} to ${to.nowMs} ms`);
        }
      }
    }),
    { numRuns: 200 },
  );
});
