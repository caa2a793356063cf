import type { Clock } from '../../lib/clock.ts';
import { SlabPool } from './frames/slab-pool.ts';
import { TurnEnd } from './frames/turn-end.ts';
import type { SessionTerms } from './session/session-terms.ts';
import type { StoredBytes } from './session/stored-bytes.ts';

const TABLE_BYTES = 4096;
const LIST_BYTES = 128 * 1024;
const FIELDS = 1000;
/** As much as the gateway takes of an answer before its client has taken what came before: at first, and when clients keep up. */
const STREAM_WINDOW_BYTES = 64 * 1024;
const LARGEST_WINDOW_BYTES = 256 * 1024;
const WINDOW_BYTES = 1024 * 1024;

/** What the gateway takes from an upstream, which may begin no streams itself. */
export function upstreamTerms(clock: Clock, stored: StoredBytes): SessionTerms {
  return {
    isServer: false,
    tableBytes: TABLE_BYTES,
    listBytes: LIST_BYTES,
    pairs: FIELDS,
    streams: 0,
    streamWindowBytes: STREAM_WINDOW_BYTES,
    largestWindowBytes: LARGEST_WINDOW_BYTES,
    windowBytes: WINDOW_BYTES,
    stored,
    nowMs: () => clock.monotonicMs(),
    slabs: new SlabPool(),
    turnEnd: new TurnEnd(),
  };
}
