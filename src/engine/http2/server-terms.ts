import type { EngineContext } from '../engine-context.ts';
import { SlabPool } from './frames/slab-pool.ts';
import { TurnEnd } from './frames/turn-end.ts';
import type { SessionTerms } from './session/session-terms.ts';

/** Requests at once on a connection, as nginx has it. */
const STREAMS = 128;
/** Bytes of a request's body that may come before the upstream has taken what came before; so many times the streams is what a connection can hold. */
const STREAM_WINDOW_BYTES = 64 * 1024;
/** Bytes of all bodies that may be on their way. */
const WINDOW_BYTES = 1024 * 1024;
const TABLE_BYTES = 4096;
const PSEUDO_FIELDS = 6;

/**
 * What a client's connection may do. Heads may be twice as large and long as the engine takes, so that the usual client that exceeds the limit is
 * told so by a 431; behind that a stream is reset, before the head lies in memory.
 */
export function serverTerms({ limits, clock, pool }: EngineContext): SessionTerms {
  return {
    isServer: true,
    tableBytes: TABLE_BYTES,
    listBytes: Math.max(limits.headBytes * 2, limits.headBytes + limits.targetBytes),
    pairs: limits.headerCount * 2 + PSEUDO_FIELDS,
    streams: STREAMS,
    streamWindowBytes: STREAM_WINDOW_BYTES,
    largestWindowBytes: STREAM_WINDOW_BYTES,
    windowBytes: WINDOW_BYTES,
    stored: pool.stored,
    nowMs: () => clock.monotonicMs(),
    slabs: new SlabPool(),
    turnEnd: new TurnEnd(),
  };
}
