import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { RecordingLogger } from '../../../test-support/recording-logger.ts';
import type { UsageStore } from '../../store/index.ts';
import { startUsagePruner } from './start-usage-pruner.ts';

const HOUR_MS = 3_600_000;
const DAY_SECONDS = 86_400;

test('usage goes in small steps once an hour, hours after 8 days and days after 400, also after a failure', async () => {
  const clock = new FakeClock();
  const log = new RecordingLogger();
  const calls: Parameters<UsageStore['prune']>[] = [];
  const results: (number | Error)[] = [500, 20, 0, new Error('disk full'), 0];
  const prune: UsageStore['prune'] = async (...call) => {
    calls.push(call);
    const result = results.shift() ?? 0;
    if (result instanceof Error) throw result;
    return result;
  };
  const stop = startUsagePruner({ usage: { prune }, clock, log });
  clock.advance(HOUR_MS);
  while (clock.pendingTasks === 0) await setImmediate();
  assert.equal(calls.length, 3);
  const now = clock.nowMs() / 1000;
  assert.deepEqual(calls[0], [{ hours: now - 8 * DAY_SECONDS, days: now - 400 * DAY_SECONDS }, 500]);
  for (const _hour of [1, 2]) {
    clock.advance(HOUR_MS);
    while (clock.pendingTasks === 0) await setImmediate();
  }
  assert.equal(calls.length, 5);
  assert.equal(log.lines.filter(({ level }) => level === 'error').length, 1);
  await stop();
  clock.advance(HOUR_MS);
  assert.equal(calls.length, 5);
});
