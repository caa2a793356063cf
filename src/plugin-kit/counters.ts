/** The counter could not be asked: the table of counters is full of exhausted ones, or a server does not answer. `allow_degradation` decides. */
export interface CounterUnavailable {
  readonly kind: 'unavailable';
  /** For the log; holds no key. */
  readonly detail: string;
}

/** How a window counted one request. */
export type WindowDecision =
  | { readonly kind: 'allowed'; readonly remaining: number; readonly resetMs: number }
  | { readonly kind: 'rejected'; readonly resetMs: number }
  | CounterUnavailable;

/** How a leaky bucket took one request; `delayMs` is how long it waits for its turn. */
export type BucketDecision = { readonly kind: 'allowed'; readonly delayMs: number } | { readonly kind: 'rejected' } | CounterUnavailable;

/** Whether one more is in flight; `inFlight` counts this one where it was entered. */
export type EntryDecision =
  | { readonly kind: 'entered'; readonly inFlight: number; leave(): void }
  | { readonly kind: 'rejected'; readonly inFlight: number }
  | CounterUnavailable;

/**
 * Counts by key, exactly over all workers of an instance, or over all instances where a server keeps them. Keys are any texts; the
 * caller puts into them what must count apart. Local counters answer at once, those of a server later.
 */
export interface Counters {
  /** A window that begins with the first request of its key (APISIX limit-count). Rejected requests change nothing. */
  fixedWindow(key: string, limit: number, windowMs: number): WindowDecision | Promise<WindowDecision>;
  /** Two windows on the clock, weighted (APISIX limit-count, `window_type: sliding`). Rejected requests are not counted. */
  slidingWindow(key: string, limit: number, windowMs: number): WindowDecision | Promise<WindowDecision>;
  /** Leaky bucket in thousandths of a request (APISIX limit-req). */
  leakyBucket(key: string, ratePerSecond: number, burst: number): BucketDecision | Promise<BucketDecision>;
  /**
   * At most `limit` in flight. What was entered is left exactly once. Where a server counts, what a crashed instance never left drops
   * out after `lifetimeMs`: an hour unless said.
   */
  enter(key: string, limit: number, lifetimeMs?: number): EntryDecision | Promise<EntryDecision>;
}

/** A few numbers under a key, shared by all workers of an instance; changed with single atomic operations. */
export interface SharedRecord {
  load(field: number): number;
  store(field: number, value: number): void;
  /** Adds and gives the value before. */
  add(field: number, amount: number): number;
  /** Stores `value` if the field holds `expected`; gives what it held. */
  compareExchange(field: number, expected: number, value: number): number;
}

/** Where shared records are found. */
export interface SharedRecords {
  /** Numbers from 0 to 3, 32 bits each with sign, 0 at first. Kept for `lifetimeMs` after each call; undefined where the table is full. */
  record(key: string, lifetimeMs: number): SharedRecord | undefined;
  /** The record where there is one already. It is not kept any longer for that. */
  find(key: string): SharedRecord | undefined;
  /** Milliseconds that never run backwards and are the same on all workers: for times that are kept in records. */
  nowMs(): number;
}

/** Where counters of a cluster are kept. Times are milliseconds. */
export type CounterServer =
  | {
      readonly kind: 'redis';
      readonly host: string;
      readonly port: number;
      readonly username: string | undefined;
      readonly password: string | undefined;
      readonly database: number;
      readonly timeoutMs: number;
      readonly tls: boolean;
      readonly tlsVerify: boolean;
      readonly poolSize: number;
      readonly idleTimeoutMs: number;
    }
  | {
      readonly kind: 'redis-cluster';
      /** `host:port` each. */
      readonly nodes: readonly string[];
      readonly name: string;
      readonly username: string | undefined;
      readonly password: string | undefined;
      readonly timeoutMs: number;
      readonly tls: boolean;
      readonly tlsVerify: boolean;
      readonly idleTimeoutMs: number;
    }
  | {
      readonly kind: 'redis-sentinel';
      readonly sentinels: readonly { readonly host: string; readonly port: number }[];
      readonly masterName: string;
      readonly username: string | undefined;
      readonly password: string | undefined;
      readonly sentinelUsername: string | undefined;
      readonly sentinelPassword: string | undefined;
      readonly database: number;
      readonly connectTimeoutMs: number;
      readonly readTimeoutMs: number;
      readonly idleTimeoutMs: number;
    };
