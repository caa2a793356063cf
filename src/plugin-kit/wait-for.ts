import type { Clock } from '../lib/clock.ts';
import type { RequestView } from './request-view.ts';

/** Longest that a configuration can let a request wait, in milliseconds; longer ones wait so long: one hour. */
export const LONGEST_WAIT_MS = 3_600_000;

/**
 * Lets a request wait because the configuration says so, for `delayMs` but at most `LONGEST_WAIT_MS`. The wait counts against no deadline of
 * plugins. It ends at once, and without an error, when the request is over meanwhile.
 */
export function waitFor(request: Pick<RequestView, 'beginWait'>, clock: Clock, delayMs: number): Promise<undefined> {
  return new Promise((resolve) => {
    const boundedMs = Math.min(delayMs, LONGEST_WAIT_MS);
    const cancel = clock.schedule(boundedMs, () => resolve(undefined));
    request.beginWait(boundedMs, () => {
      cancel();
      resolve(undefined);
    });
  });
}
