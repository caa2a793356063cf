import type { CounterHandles } from '../counter-region.ts';

/** What a thread of a race does. */
export type RaceTask =
  /** Asks as often as `calls` says, as fast as it can, and reports how many were let through. */
  | { readonly kind: 'burst'; readonly counter: 'fixed' | 'sliding' | 'bucket'; readonly limit: number; readonly calls: number }
  /** Asks for `forMs`, over many short windows, and reports how many were let through by the end of their window. */
  | { readonly kind: 'turning'; readonly limit: number; readonly windowMs: number; readonly forMs: number }
  /** Enters and leaves many keys, and reports how often it saw more in flight than the limit allows. */
  | {
      readonly kind: 'in-flight';
      readonly limit: number;
      readonly keys: number;
      readonly calls: number;
      readonly shadow: SharedArrayBuffer;
    }
  /** Enters one key for good, and reports how often it was let in. */
  | { readonly kind: 'crowd'; readonly limit: number; readonly calls: number }
  /** Enters one key at the same moment as the other thread, again and again, and reports how often it was let in. */
  | { readonly kind: 'duel'; readonly rounds: number; readonly board: SharedArrayBuffer }
  /** Asks for keys that nobody asked for before, and in between for one that is exhausted. */
  | { readonly kind: 'flood'; readonly keys: number; readonly exhausted: string }
  /** Uses everything, all the time, until it is ended. */
  | { readonly kind: 'churn'; readonly keys: number }
  /** Says what time it is. */
  | { readonly kind: 'time' };

export interface RaceData {
  readonly handles: CounterHandles;
  readonly row: number;
  readonly task: RaceTask;
  /** Threads that are ready, and how many there are to be. */
  readonly gate: SharedArrayBuffer;
}

export interface RaceReport {
  readonly allowed: number;
  readonly rejected: number;
  readonly unavailable: number;
  /** Let through, by the end of their window. */
  readonly windows: ReadonlyMap<number, number>;
  readonly wrong: number;
  /** As this thread and as the machine sees it, before and after. */
  readonly times: readonly number[];
}
