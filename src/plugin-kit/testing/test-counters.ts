import type { Clock } from '../../lib/clock.ts';
import type { BucketDecision, Counters, CounterUnavailable, EntryDecision, WindowDecision } from '../counters.ts';

/** One call as a plugin made it. */
export interface CounterCall {
  readonly kind: 'fixed-window' | 'sliding-window' | 'leaky-bucket' | 'enter';
  readonly key: string;
  /** Limit and window, rate and burst, or the limit alone. */
  readonly numbers: readonly number[];
}

interface FixedWindow {
  count: number;
  readonly endsAtMs: number;
}

interface SlidingWindow {
  readonly number: number;
  readonly previous: number;
  count: number;
}

interface Bucket {
  readonly excess: number;
  readonly atMs: number;
}

/** Counters in memory that count as documented, on a clock that a test owns. They answer at once unless `later` is set. */
export class TestCounters implements Counters {
  readonly calls: CounterCall[] = [];
  /** True: nothing can be counted. */
  unavailable = false;
  /** True: answers are promises, as those of a server. */
  later = false;
  readonly #clock: Clock;
  readonly #fixed = new Map<string, FixedWindow>();
  readonly #sliding = new Map<string, SlidingWindow>();
  readonly #buckets = new Map<string, Bucket>();
  readonly #inFlight = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  fixedWindow(key: string, limit: number, windowMs: number): WindowDecision | Promise<WindowDecision> {
    this.calls.push({ kind: 'fixed-window', key, numbers: [limit, windowMs] });
    return this.#answer(() => this.#countFixed(key, limit, windowMs));
  }

  slidingWindow(key: string, limit: number, windowMs: number): WindowDecision | Promise<WindowDecision> {
    this.calls.push({ kind: 'sliding-window', key, numbers: [limit, windowMs] });
    return this.#answer(() => this.#countSliding(key, limit, windowMs));
  }

  leakyBucket(key: string, ratePerSecond: number, burst: number): BucketDecision | Promise<BucketDecision> {
    this.calls.push({ kind: 'leaky-bucket', key, numbers: [ratePerSecond, burst] });
    return this.#answer(() => this.#pour(key, ratePerSecond, burst));
  }

  enter(key: string, limit: number): EntryDecision | Promise<EntryDecision> {
    this.calls.push({ kind: 'enter', key, numbers: [limit] });
    return this.#answer(() => this.#enter(key, limit));
  }

  /** How many have entered under this key and not left. */
  inFlight(key: string): number {
    return this.#inFlight.get(key) ?? 0;
  }

  #answer<Decision>(decide: () => Decision): Decision | CounterUnavailable | Promise<Decision | CounterUnavailable> {
    const decision: Decision | CounterUnavailable = this.unavailable ? { kind: 'unavailable', detail: 'a test says so' } : decide();
    return this.later ? Promise.resolve(decision) : decision;
  }

  #countFixed(key: string, limit: number, windowMs: number): WindowDecision {
    const nowMs = this.#clock.monotonicMs();
    let window = this.#fixed.get(key);
    if (window === undefined || window.endsAtMs <= nowMs) {
      window = { count: 0, endsAtMs: nowMs + windowMs };
      this.#fixed.set(key, window);
    }
    const resetMs = window.endsAtMs - nowMs;
    if (window.count >= limit) return { kind: 'rejected', resetMs };
    window.count++;
    return { kind: 'allowed', remaining: limit - window.count, resetMs };
  }

  #countSliding(key: string, limit: number, windowMs: number): WindowDecision {
    const nowMs = this.#clock.nowMs();
    const number = Math.floor(nowMs / windowMs);
    const elapsedMs = nowMs - number * windowMs;
    const window = this.#slidingWindowAt(key, number);
    const estimate = (window.previous * (windowMs - elapsedMs)) / windowMs + window.count;
    if (estimate >= limit) return { kind: 'rejected', resetMs: slidingWaitMs(window, limit, windowMs, elapsedMs) };
    window.count++;
    return { kind: 'allowed', remaining: Math.max(0, Math.floor(limit - estimate - 1)), resetMs: windowMs - elapsedMs };
  }

  #slidingWindowAt(key: string, number: number): SlidingWindow {
    const last = this.#sliding.get(key);
    if (last?.number === number) return last;
    const window = { number, previous: last?.number === number - 1 ? last.count : 0, count: 0 };
    this.#sliding.set(key, window);
    return window;
  }

  #pour(key: string, ratePerSecond: number, burst: number): BucketDecision {
    const atMs = this.#clock.monotonicMs();
    const last = this.#buckets.get(key);
    const leaked = last === undefined ? 0 : (ratePerSecond * (atMs - last.atMs)) / 1000;
    const excess = last === undefined ? 0 : Math.round(Math.max(last.excess - leaked + 1, 0) * 1000) / 1000;
    if (excess > burst) return { kind: 'rejected' };
    this.#buckets.set(key, { excess, atMs });
    return { kind: 'allowed', delayMs: (excess * 1000) / ratePerSecond };
  }

  #enter(key: string, limit: number): EntryDecision {
    const inFlight = this.inFlight(key);
    if (inFlight >= limit) return { kind: 'rejected', inFlight };
    this.#inFlight.set(key, inFlight + 1);
    let left = false;
    const leave = (): void => {
      if (left) throw new Error('what was entered is left exactly once');
      left = true;
      this.#inFlight.set(key, this.inFlight(key) - 1);
    };
    return { kind: 'entered', inFlight: inFlight + 1, leave };
  }
}

/** Until the weighted count falls to the limit less one. */
function slidingWaitMs(window: SlidingWindow, limit: number, windowMs: number, elapsedMs: number): number {
  const room = limit - window.count;
  if (room > 0) return Math.max(0, windowMs * (1 - room / window.previous) - elapsedMs);
  return windowMs - elapsedMs + windowMs * (1 - limit / window.count);
}
