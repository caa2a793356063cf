import assert from 'node:assert/strict';
import test from 'node:test';
import { listenForStop } from './stop-signals.ts';

test('one key stroke that arrives three times stops once; a second one ends at once', (t) => {
  const events = ['SIGINT', 'SIGTERM', 'SIGHUP', 'disconnect'] as const;
  const before = events.map((event) => process.listeners(event as 'SIGINT'));
  t.after(() => {
    events.forEach((event, index) => {
      process.removeAllListeners(event);
      for (const listener of before[index] ?? []) process.on(event as 'SIGINT', listener);
    });
  });
  let nowMs = 0;
  const calls: string[] = [];
  listenForStop({ onStop: () => calls.push('stop'), onStopNow: () => calls.push('now') }, () => nowMs);
  process.emit('SIGINT');
  nowMs = 20;
  process.emit('SIGINT');
  process.emit('SIGTERM');
  assert.deepEqual(calls, ['stop']);
  nowMs = 2000;
  process.emit('SIGINT');
  assert.deepEqual(calls, ['stop', 'now']);
});
