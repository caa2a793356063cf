import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { FakeClock } from '../../test-support/fake-clock.ts';
import { RecordingLogger } from '../../test-support/recording-logger.ts';
import type { InstanceRegistry } from '../store/index.ts';
import { startInstancePruner } from './instance-pruner.ts';

const HOUR_MS = 3_600_000;

test('instances that were away for seven days are forgotten once an hour, also after a failure', async () => {
  const clock = new FakeClock();
  const log = new RecordingLogger();
  const asked: number[] = [];
  const forget: InstanceRegistry['forget'] = async (silentMs) => {
    asked.push(silentMs);
    if (asked.length === 1) throw new Error('away');
    return 0;
  };
  const stop = startInstancePruner({ registry: { forget }, clock, log });
  for (const _hour of [1, 2]) {
    clock.advance(HOUR_MS);
    while (clock.pendingTasks === 0) await setImmediate();
  }
  assert.deepEqual(asked, [7 * 86_400_000, 7 * 86_400_000]);
  assert.equal(log.lines.filter(({ level }) => level === 'error').length, 1);
  await stop();
  clock.advance(HOUR_MS);
  assert.equal(asked.length, 2);
});
