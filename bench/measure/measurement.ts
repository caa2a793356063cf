import type { WrkResult } from '../load/run-wrk.ts';

/** One round of one peer in one row. */
export interface Measurement {
  readonly row: string;
  readonly peer: string;
  /** From 0. */
  readonly round: number;
  readonly load: WrkResult;
  /** Time of the processes that carry requests. */
  readonly userUs: number;
  readonly systemUs: number;
  /** Time of its other processes. */
  readonly otherUs: number;
  readonly rssBytes: number;
  readonly pssBytes: number | undefined;
  /** What makes the round worthless; undefined when nothing does. */
  readonly fault: string | undefined;
}
