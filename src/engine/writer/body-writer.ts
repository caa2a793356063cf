import type { ByteWriter } from '../../lib/byte-writer.ts';
import type { ChunkedParser } from '../parser/chunked-parser.ts';
import { LAST_CHUNK } from './fixed-lines.ts';

/** Appends `source[start, end)`, which is not empty, as one chunk (RFC 9112 §7.1). */
export function appendChunk(writer: ByteWriter, source: Buffer, start: number, end: number): void {
  writer.ensure(end - start + 16);
  writer.appendHexadecimal(end - start);
  writer.appendLineEnd();
  writer.append(source, start, end);
  writer.appendLineEnd();
}

/** Says of a trailer field, by offsets into `bytes`, whether it is left out. */
export type IsLeftOut = (bytes: Buffer, nameStart: number, nameEnd: number) => boolean;

/** Appends the end of a chunked body, with the trailer fields of `received` that may go on. */
export function appendLastChunk(writer: ByteWriter, received: ChunkedParser | undefined, isLeftOut: IsLeftOut): void {
  writer.appendAll(LAST_CHUNK);
  const trailers = received?.trailers;
  if (received !== undefined && trailers !== undefined) {
    for (let index = 0; index < trailers.count; index++) {
      if (isLeftOut(received.trailerBytes, trailers.nameStart(index), trailers.nameEnd(index))) continue;
      writer.append(received.trailerBytes, trailers.lineStart(index), trailers.lineStart(index + 1));
    }
  }
  writer.appendLineEnd();
}
