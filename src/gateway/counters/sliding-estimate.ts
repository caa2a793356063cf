/** Requests in the sliding window: those of the window on the clock, and of the one before the share that is still covered (APISIX, limit-count). */
export function estimateOf(previous: number, count: number, share: number): number {
  return previous * share + count;
}

/**
 * How long a rejected request has to wait, in milliseconds, until the estimate would fall below the limit: the rest of the window where
 * that alone has used up the limit. `previous` is at most the limit (APISIX, limit-count, sliding window).
 */
export function slidingWaitMs(previous: number, count: number, limit: number, windowMs: number, restMs: number): number {
  if (count >= limit || previous === 0) return restMs;
  return Math.max(0, restMs - ((limit - count) / previous) * windowMs);
}
