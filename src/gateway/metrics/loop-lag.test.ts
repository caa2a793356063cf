import assert from 'node:assert/strict';
import test from 'node:test';
import { LoopLag } from './loop-lag.ts';

test('the worst delay of a beat is told for fifteen seconds at least and thirty at most', () => {
  const cells = new Float64Array(2);
  const lag = new LoopLag(cells, 1, 100);
  let nowMs = 5000;
  const beat = (afterMs: number): number => {
    nowMs += afterMs;
    lag.beat(nowMs);
    return cells[1] ?? 0;
  };
  assert.equal(beat(0), 0);
  assert.equal(beat(103), 3);
  assert.equal(beat(400), 300);
  for (let waitedMs = 0; waitedMs < 15_000; waitedMs += 100) assert.equal(beat(100), 300);
  for (let waitedMs = 0; waitedMs < 15_000; waitedMs += 100) beat(100);
  assert.equal(beat(90), 0);
  assert.equal(cells[0], 0);
});
