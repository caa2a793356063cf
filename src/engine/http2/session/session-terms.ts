import type { SlabPool } from '../frames/slab-pool.ts';
import type { TurnEnd } from '../frames/turn-end.ts';
import type { StoredBytes } from './stored-bytes.ts';

/** What connections of one kind have in common. */
export interface SessionTerms {
  readonly isServer: boolean;
  /** Bytes of the compression tables: the peer's as it is told, ours at most. */
  readonly tableBytes: number;
  /** Bytes of a list of fields, counted as RFC 9113 §6.5.2 does, and how many fields it may have. */
  readonly listBytes: number;
  readonly pairs: number;
  /** Streams that the peer may have open at once. */
  readonly streams: number;
  /** What the peer may send of a stream, and of all together, before any of it is taken. */
  readonly streamWindowBytes: number;
  /** Up to how much the window of a stream grows whose reader keeps up; at least what it is at first. */
  readonly largestWindowBytes: number;
  readonly windowBytes: number;
  /** Monotonic time. */
  readonly nowMs: () => number;
  readonly stored: StoredBytes;
  readonly slabs: SlabPool;
  readonly turnEnd: TurnEnd;
}
