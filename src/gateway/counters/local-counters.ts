import type { BucketDecision, Counters, EntryDecision, SharedRecord, SharedRecords, WindowDecision } from '../../plugin-kit/index.ts';
import { type CounterHandles, CounterRegion } from './counter-region.ts';
import { FixedWindows } from './fixed-windows.ts';
import { KeyedHash } from './keyed-hash.ts';
import { LeakyBuckets } from './leaky-buckets.ts';
import type { MachineTime } from './machine-time.ts';
import { SlidingWindows } from './sliding-windows.ts';

/** What is counted under one key by different kinds of counters is counted apart. */
const FIXED = 1;
const SLIDING = 2;
const BUCKET = 3;
const IN_FLIGHT = 4;
const RECORD = 5;

/** 17 years: longer windows end then. */
const LONGEST_WINDOW_MS = 2 ** 39;

/** What a worker counts with. */
export interface LocalCountersOptions {
  readonly handles: CounterHandles;
  /** The worker's own row, which nobody else writes until the agent has cleared it. */
  readonly row: number;
  readonly now: MachineTime;
}

/**
 * Counters of an instance, exact over all its workers and threads: in memory of fixed size, without locks. A counter at its limit stays
 * until it expires, whatever else comes; when there is room for nothing else, the answer is `unavailable`. All answers come at once.
 */
export class LocalCounters implements Counters, SharedRecords {
  readonly #region: CounterRegion;
  readonly #hash: KeyedHash;
  readonly #row: number;
  readonly #now: MachineTime;
  readonly #fixed: FixedWindows;
  readonly #sliding: SlidingWindows;
  readonly #buckets: LeakyBuckets;

  constructor({ handles, row, now }: LocalCountersOptions) {
    this.#region = new CounterRegion(handles);
    this.#hash = new KeyedHash(handles.secret);
    this.#row = row;
    this.#now = now;
    this.#fixed = new FixedWindows(this.#region.counters);
    this.#sliding = new SlidingWindows(this.#region.counters, handles.wallOffsetMs);
    this.#buckets = new LeakyBuckets(this.#region.counters);
  }

  fixedWindow(key: string, limit: number, windowMs: number): WindowDecision {
    return this.#noting(this.#fixed.count(this.#hashOf(FIXED, key), limit, Math.min(windowMs, LONGEST_WINDOW_MS), this.#now()));
  }

  slidingWindow(key: string, limit: number, windowMs: number): WindowDecision {
    return this.#noting(this.#sliding.count(this.#hashOf(SLIDING, key), limit, Math.min(windowMs, LONGEST_WINDOW_MS), this.#now()));
  }

  leakyBucket(key: string, ratePerSecond: number, burst: number): BucketDecision {
    return this.#noting(this.#buckets.pour(this.#hashOf(BUCKET, key), ratePerSecond, burst, this.#now()));
  }

  enter(key: string, limit: number): EntryDecision {
    return this.#noting(this.#region.inFlight.enter(this.#hashOf(IN_FLIGHT, key), this.#row, limit));
  }

  record(key: string, lifetimeMs: number): SharedRecord | undefined {
    return this.#region.records.record(this.#hashOf(RECORD, key), Math.min(lifetimeMs, LONGEST_WINDOW_MS), this.#now());
  }

  find(key: string): SharedRecord | undefined {
    return this.#region.records.find(this.#hashOf(RECORD, key), this.#now());
  }

  nowMs(): number {
    return this.#now();
  }

  #hashOf(kind: number, key: string): Int32Array {
    this.#hash.digest(kind, key);
    return this.#hash.words;
  }

  #noting<Decision extends { readonly kind: string }>(decision: Decision): Decision {
    if (decision.kind === 'unavailable') this.#region.add('unavailable');
    return decision;
  }
}
