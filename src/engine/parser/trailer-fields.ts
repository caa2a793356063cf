import { equalsIgnoringCase } from './character-classes.ts';
import type { ChunkedParser } from './chunked-parser.ts';

function names(...list: readonly string[]): readonly Buffer[] {
  return list.map((name) => Buffer.from(name, 'latin1'));
}

/** Framing, routing and authentication: a sender that puts these behind a body wants two readers to differ. */
const REFUSED = names(
  'content-length',
  'transfer-encoding',
  'host',
  'connection',
  'authorization',
  'proxy-authorization',
  'cookie',
  'upgrade',
  'te',
  'trailer',
);

/** What RFC 9110 §6.5.1 forbids besides: how to process the message, and answers to authentication. Never sent on. */
const DROPPED = names(
  'age',
  'cache-control',
  'content-encoding',
  'content-range',
  'content-type',
  'date',
  'expect',
  'expires',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'keep-alive',
  'location',
  'max-forwards',
  'pragma',
  'proxy-authenticate',
  'proxy-connection',
  'range',
  'retry-after',
  'set-cookie',
  'vary',
  'warning',
  'www-authenticate',
);

/** Whether a request with this chunked body, which has ended, is refused for its trailer fields. */
export function hasRefusedTrailer(chunked: ChunkedParser | undefined): boolean {
  const trailers = chunked?.trailers;
  if (chunked === undefined || trailers === undefined) return false;
  for (let index = 0; index < trailers.count; index++) {
    if (isRefusedTrailer(chunked.trailerBytes, trailers.nameStart(index), trailers.nameEnd(index))) return true;
  }
  return false;
}

function isRefusedTrailer(bytes: Uint8Array, start: number, end: number): boolean {
  return REFUSED.some((name) => equalsIgnoringCase(bytes, start, end, name));
}

/** Whether this trailer field is left out of what is sent on, in either direction. */
export function isDroppedTrailer(bytes: Uint8Array, start: number, end: number): boolean {
  return DROPPED.some((name) => equalsIgnoringCase(bytes, start, end, name)) || isRefusedTrailer(bytes, start, end);
}
