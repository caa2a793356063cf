import assert from 'node:assert/strict';
import test from 'node:test';
import { backoffDelayMs } from './backoff.ts';

test('the first failure is retried at once, later ones ever later up to the highest delay', () => {
  const steps = { firstDelayMs: 200, highestDelayMs: 1000 };
  assert.deepEqual(
    [1, 2, 3, 4, 5, 60].map((failures) => backoffDelayMs(failures, steps)),
    [0, 200, 400, 800, 1000, 1000],
  );
});
