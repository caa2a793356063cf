import { FLAG, FRAME } from '../frames/frame-format.ts';
import type { HpackDecoder } from '../hpack/hpack-decoder.ts';
import { HPACK } from '../hpack/hpack-outcome.ts';
import { COMPRESSION_ERROR, ENHANCE_YOUR_CALM, FRAME_SIZE_ERROR, PROTOCOL_ERROR } from '../http2-codes.ts';

/** Frames that one block may come in: the longest needs five, and libraries write eight at most. */
const MOST_FRAMES = 32;
const PRIORITY_BYTES = 5;

/** Who hears of the fields. */
export interface FieldReader {
  /** The fields of a HEADERS frame; undefined where they are more than allowed. */
  onFields(stream: number, fields: string[] | undefined, endsHere: boolean): void;
  fail(code: number): void;
}

/** Puts the blocks of HEADERS and CONTINUATION frames together (RFC 9113 §4.3), within bounds of bytes and frames, and decodes them. */
export class FieldBlocks {
  readonly #decoder: HpackDecoder;
  readonly #mostBytes: number;
  readonly #reader: FieldReader;
  /** Of the block whose end has not come; 0: there is none. */
  #stream = 0;
  #endsStream = false;
  #pieces: Buffer[] = [];
  #bytes = 0;
  #frames = 0;

  /** `mostBytes`: the longest block. */
  constructor(decoder: HpackDecoder, mostBytes: number, reader: FieldReader) {
    this.#decoder = decoder;
    this.#mostBytes = mostBytes;
    this.#reader = reader;
  }

  /** A block has begun, and nothing but its continuation may come. */
  get isOpen(): boolean {
    return this.#stream !== 0;
  }

  expects(type: number, stream: number): boolean {
    return type === FRAME.continuation && stream === this.#stream;
  }

  /** Takes the payload of a HEADERS frame, or of a CONTINUATION that was expected. */
  take(type: number, flags: number, stream: number, bytes: Buffer, start: number, end: number): void {
    const isWhole = (flags & FLAG.endHeaders) !== 0;
    if (type === FRAME.continuation) {
      this.#continue(isWhole, bytes, start, end);
      return;
    }
    let from = start;
    let to = end;
    if ((flags & FLAG.padded) !== 0) {
      if (from === to) {
        this.#reader.fail(FRAME_SIZE_ERROR);
        return;
      }
      to -= bytes[from] ?? 0;
      from++;
    }
    if ((flags & FLAG.priority) !== 0) from += PRIORITY_BYTES;
    if (from > to) {
      this.#reader.fail(from > end ? FRAME_SIZE_ERROR : PROTOCOL_ERROR);
      return;
    }
    const endsStream = (flags & FLAG.endStream) !== 0;
    if (isWhole) this.#decode(stream, endsStream, bytes, from, to);
    else {
      this.#stream = stream;
      this.#endsStream = endsStream;
      this.#keep(bytes, from, to);
    }
  }

  #continue(isWhole: boolean, bytes: Buffer, start: number, end: number): void {
    if (!this.#keep(bytes, start, end) || !isWhole) return;
    const stream = this.#stream;
    const block = Buffer.concat(this.#pieces, this.#bytes);
    this.#stream = 0;
    this.#pieces = [];
    this.#bytes = 0;
    this.#frames = 0;
    this.#decode(stream, this.#endsStream, block, 0, block.length);
  }

  #keep(bytes: Buffer, start: number, end: number): boolean {
    this.#frames++;
    this.#bytes += end - start;
    if (this.#frames > MOST_FRAMES || this.#bytes > this.#mostBytes) {
      this.#pieces = [];
      this.#reader.fail(ENHANCE_YOUR_CALM);
      return false;
    }
    const piece = Buffer.allocUnsafeSlow(end - start);
    bytes.copy(piece, 0, start, end);
    this.#pieces.push(piece);
    return true;
  }

  #decode(stream: number, endsStream: boolean, bytes: Buffer, start: number, end: number): void {
    const fields: string[] = [];
    const outcome = this.#decoder.decode(bytes, start, end, fields);
    if (outcome === HPACK.failed) this.#reader.fail(COMPRESSION_ERROR);
    else this.#reader.onFields(stream, outcome === HPACK.done ? fields : undefined, endsStream);
  }
}
