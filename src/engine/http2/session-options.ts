import type { ServerSessionOptions } from 'node:http2';
import type { EngineLimits } from '../engine-options.ts';

/** Requests at once on a connection, as nginx has it. */
const STREAMS = 128;
/** Bytes of a request's body that may come before the upstream has taken what came before; so many times the streams is what a connection can hold. */
const WINDOW_BYTES = 64 * 1024;
/** All that nghttp2 holds of a connection: compressed heads, frames not sent. MiB as Node counts them. */
const SESSION_MEGABYTES = 10;
const PSEUDO_FIELDS = 6;

/**
 * What a client's connection may do before nghttp2 ends it. Heads may be twice as large and long as the engine takes, so that the
 * usual client that exceeds the limit is told so by a 431; behind that a stream is reset, before the head lies in memory.
 */
export function sessionOptions(limits: EngineLimits): ServerSessionOptions {
  return {
    maxHeaderListPairs: limits.headerCount * 2 + PSEUDO_FIELDS,
    maxOutstandingPings: 10,
    maxSettings: 32,
    maxSessionMemory: SESSION_MEGABYTES,
    maxSessionInvalidFrames: 100,
    maxSessionRejectedStreams: 100,
    peerMaxConcurrentStreams: STREAMS,
    streamResetBurst: 1000,
    streamResetRate: 33,
    unknownProtocolTimeout: 10_000,
    strictFieldWhitespaceValidation: true,
    strictSingleValueFields: false,
    settings: {
      maxConcurrentStreams: STREAMS,
      initialWindowSize: WINDOW_BYTES,
      maxHeaderListSize: Math.max(limits.headBytes * 2, limits.headBytes + limits.targetBytes),
      enableConnectProtocol: true,
    },
  };
}
