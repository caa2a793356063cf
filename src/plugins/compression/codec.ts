import type { Transform } from 'node:stream';

/** A coding with its settings. */
export interface Codec {
  /** As it stands in Content-Encoding. */
  readonly coding: 'gzip' | 'br';
  /** Bodies up to here are compressed at once, which takes the thread less than about half a millisecond. */
  readonly maxBytesAtOnce: number;
  compressAtOnce(body: Buffer): Buffer;
  compressAside(body: Buffer): Promise<Buffer>;
  /** `length`: of the body, where it is known; without it what was written comes out before the next is written. */
  createStream(length: number | undefined): Transform;
}
