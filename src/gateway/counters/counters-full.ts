import type { CounterUnavailable } from '../../plugin-kit/index.ts';

/** No entry may make way: all that could are at their limits. */
export const COUNTERS_FULL: CounterUnavailable = Object.freeze({
  kind: 'unavailable',
  detail: 'the region of counters is full of exhausted ones',
});
