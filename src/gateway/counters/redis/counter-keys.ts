/**
 * Keys of counters on a server (APISIX, limit-count: `plugin-limit-count:v1:<counter>`; the others after its pattern). A sliding window is
 * kept apart, for it is of another type there.
 */
export function fixedWindowKey(counter: string): string {
  return `plugin-limit-count:v1:${counter}`;
}

export function slidingWindowKey(counter: string): string {
  return `plugin-limit-count:v1:${counter}:sliding`;
}

export function leakyBucketKey(counter: string): string {
  return `plugin-limit-req:v1:${counter}`;
}

export function inFlightKey(counter: string): string {
  return `plugin-limit-conn:v1:${counter}`;
}
