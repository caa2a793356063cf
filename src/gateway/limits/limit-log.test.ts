import assert from 'node:assert/strict';
import test from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { RecordingLogger } from '../../../test-support/recording-logger.ts';
import { LimitLog } from './limit-log.ts';

test('the first refusal of a reason is logged at once, those of the next ten seconds as a number', () => {
  const log = new RecordingLogger();
  const clock = new FakeClock();
  const limitLog = new LimitLog(log, clock);
  clock.advance(1000);
  for (let turn = 0; turn < 5; turn++) limitLog.refused('service_overloaded');
  limitLog.refused('too_many_connections');
  assert.deepEqual(lines(log), [
    ['service_overloaded', 1],
    ['too_many_connections', 1],
  ]);
  clock.advance(10_000);
  limitLog.refused('service_overloaded');
  assert.deepEqual(lines(log).at(-1), ['service_overloaded', 5]);
});

function lines(log: RecordingLogger): unknown[] {
  return log.lines.map(({ fields }) => [fields.reason, fields.refusals]);
}
