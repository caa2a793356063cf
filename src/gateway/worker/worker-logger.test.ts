import assert from 'node:assert/strict';
import test from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { createWorkerLogger } from './worker-logger.ts';
import type { WorkerMessage } from './worker-messages.ts';

test('a flood of lines is cut to a hundred a second, and what was left out is counted', () => {
  const posted: WorkerMessage[] = [];
  const clock = new FakeClock();
  const log = createWorkerLogger((message) => posted.push(message), clock).child({ worker: 1 });
  for (let count = 0; count < 250; count++) log.warn('flood', { count });
  assert.equal(posted.length, 100);
  clock.advance(1000);
  log.info('after');
  assert.partialDeepStrictEqual(posted.slice(100), [
    { kind: 'log', level: 'warn', fields: { dropped: 150 } },
    { kind: 'log', level: 'info', message: 'after', fields: { worker: 1 } },
  ]);
});

test('whatever was thrown reaches the other thread as an error', () => {
  const posted: WorkerMessage[] = [];
  const log = createWorkerLogger((message) => posted.push(structuredClone(message)), new FakeClock());
  log.error('failed', {}, () => 'not cloneable');
  log.error('failed', {}, new TypeError('why', { cause: new Error('root') }));
  const errors = posted.map((message) => (message.kind === 'log' ? message.error : undefined));
  assert.match(errors[0]?.message ?? '', /^thrown: /);
  assert.equal(errors[1]?.message, 'why');
});
