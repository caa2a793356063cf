import type { Clock } from '../../lib/clock.ts';

/** Shorter ones are not worth a timer (APISIX). */
const SHORTEST_MS = 1;
/** Timers of the machine fire at once when their delay does not fit 31 bits. */
const LONGEST_MS = 2_147_483_647;

/**
 * Lets a request wait for its turn; undefined where there is nothing to wait for. `onWait` gets what ends the wait at once, for a request
 * that is over.
 */
export function delayFor(clock: Clock, delayMs: number, onWait?: (end: () => void) => void): Promise<undefined> | undefined {
  if (delayMs < SHORTEST_MS) return undefined;
  return new Promise((resolve) => {
    const cancel = clock.schedule(Math.min(delayMs, LONGEST_MS), () => resolve(undefined));
    onWait?.(() => {
      cancel();
      resolve(undefined);
    });
  });
}
