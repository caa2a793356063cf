import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecordingLogger } from '../../../test-support/recording-logger.ts';
import { ClockSkew } from './clock-skew.ts';

const AT_MS = 1_800_000_000_000;

function skewAfter(...aheadMs: readonly number[]) {
  const log = new RecordingLogger();
  const skew = new ClockSkew(log);
  for (const ms of aheadMs) skew.note(AT_MS + ms, AT_MS);
  return { skew, levels: log.lines.map(({ level }) => level) };
}

test('nothing is known before the control plane has told its time, and after it is gone', () => {
  const { skew } = skewAfter();
  assert.equal(skew.aheadMs, undefined);
  skew.note(AT_MS, AT_MS);
  assert.equal(skew.aheadMs, 0);
  skew.forget();
  assert.equal(skew.aheadMs, undefined);
});

test('a clock that is more than two seconds behind is told of at once, and once', () => {
  assert.deepEqual(skewAfter(-2_000, -2_000).levels, []);
  assert.deepEqual(skewAfter(-2_001, -2_001).levels, ['warn']);
});

test('what was on its way for long is no skew; a clock that stays ahead is', () => {
  const { skew, levels } = skewAfter(9_000, 15, 12_000);
  assert.equal(skew.aheadMs, 15);
  assert.deepEqual(levels, []);
  assert.deepEqual(skewAfter(9_000, 9_000).levels, []);
  assert.deepEqual(skewAfter(9_000, 9_000, 9_000, 9_100).levels, ['warn']);
});

test('that the clocks agree again is told too', () => {
  assert.deepEqual(skewAfter(-9_000, -9_000, 5, 5, 5).levels, ['warn', 'info']);
});
