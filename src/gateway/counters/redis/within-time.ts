import type { Clock } from '../../../lib/clock.ts';
import { RedisFailure } from './redis-failure.ts';

/** The promise, or a RedisFailure when it takes longer; `onLate` is called then. What the promise does afterwards is of no concern. */
export function withinTime<Value>(clock: Clock, timeoutMs: number, promise: Promise<Value>, onLate?: () => void): Promise<Value> {
  return new Promise((resolve, reject) => {
    const cancel = clock.schedule(timeoutMs, () => {
      onLate?.();
      reject(new RedisFailure(`the server did not answer within ${timeoutMs} ms`));
    });
    promise.then(
      (value) => {
        cancel();
        resolve(value);
      },
      (error) => {
        cancel();
        reject(error);
      },
    );
  });
}
