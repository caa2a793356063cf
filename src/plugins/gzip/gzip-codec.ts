import { promisify } from 'node:util';
import { constants, createGzip, gzip, gzipSync, type ZlibOptions } from 'node:zlib';
import type { Codec } from '../compression/index.ts';

const gzipAside = promisify<Buffer, ZlibOptions, Buffer>(gzip);

const LARGEST_WINDOW_BITS = 15;
const SMALLEST_WINDOW_BITS = 9;
const DEFAULT_MEMORY_LEVEL = 8;
/** What deflate needs of a window beyond the data (zlib's MIN_LOOKAHEAD). */
const LOOKAHEAD_BYTES = 262;

/** gzip at a level from 1 to 9. */
export function gzipCodec(level: number): Codec {
  return {
    coding: 'gzip',
    maxBytesAtOnce: level <= 6 ? 32 * 1024 : 8 * 1024,
    compressAtOnce: (body) => gzipSync(body, optionsFor(level, body.length)),
    compressAside: (body) => gzipAside(body, optionsFor(level, body.length)),
    createStream: (length) =>
      length === undefined ? createGzip({ level, flush: constants.Z_SYNC_FLUSH }) : createGzip(optionsFor(level, length)),
  };
}

/** Short bodies get small windows, which are quicker to set up; as nginx does. */
function optionsFor(level: number, length: number): ZlibOptions {
  let windowBits = LARGEST_WINDOW_BITS;
  let memLevel = DEFAULT_MEMORY_LEVEL;
  while (windowBits > SMALLEST_WINDOW_BITS && length < 2 ** (windowBits - 1) - LOOKAHEAD_BYTES) {
    windowBits -= 1;
    memLevel -= 1;
  }
  return { level, windowBits, memLevel: Math.max(1, memLevel) };
}
