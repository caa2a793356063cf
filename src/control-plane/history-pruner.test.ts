import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { FakeClock } from '../../test-support/fake-clock.ts';
import { RecordingLogger } from '../../test-support/recording-logger.ts';
import type { StoreHistory } from '../store/index.ts';
import { startHistoryPruner } from './history-pruner.ts';

const HOUR_MS = 3_600_000;

test('old history goes in small steps once an hour, also after a failure, until the pruner is stopped', async () => {
  const clock = new FakeClock();
  const log = new RecordingLogger();
  const results: (number | Error)[] = [500, 20, 0, new Error('disk full'), 0];
  const calls: Parameters<StoreHistory['pruneHistory']>[0][] = [];
  const pruneHistory: StoreHistory['pruneHistory'] = async (limits) => {
    calls.push(limits);
    const result = results.shift() ?? 0;
    if (result instanceof Error) throw result;
    return result;
  };
  const stop = startHistoryPruner({ store: { pruneHistory }, clock, log });
  assert.equal(calls.length, 0);
  const startedAt = clock.nowMs() / 1000;
  clock.advance(HOUR_MS);
  await setImmediate();
  assert.equal(calls.length, 3);
  assert.equal(calls[0]?.versionsBefore, startedAt + 3_600 - 90 * 86_400);
  assert.equal(calls[0]?.auditBefore, startedAt + 3_600 - 180 * 86_400);
  clock.advance(HOUR_MS);
  await setImmediate();
  assert.equal(log.lines.filter((line) => line.level === 'error').length, 1);
  clock.advance(HOUR_MS);
  await setImmediate();
  assert.equal(calls.length, 5);
  await stop();
  assert.equal(clock.pendingTasks, 0);
  clock.advance(HOUR_MS);
  assert.equal(calls.length, 5);
});
