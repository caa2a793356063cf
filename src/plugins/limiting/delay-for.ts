import type { Clock } from '../../lib/clock.ts';
import { type ConnectionView, waitFor } from '../../plugin-kit/index.ts';

/** Shorter ones are not worth a timer (APISIX). */
const SHORTEST_MS = 1;

/** Lets a request wait for its turn, as `waitFor` does; undefined where there is nothing to wait for. */
export function delayFor(request: ConnectionView, clock: Clock, delayMs: number): Promise<undefined> | undefined {
  return delayMs < SHORTEST_MS ? undefined : waitFor(request, clock, delayMs);
}
