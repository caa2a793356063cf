import { CR, FIELD_VALUE_BYTES, HEX_VALUES, HTAB, LF, SEMICOLON, SPACE } from './character-classes.ts';
import { FieldLines } from './field-lines.ts';
import { PARSE } from './parse-status.ts';

/** What `ChunkedParser.next` and `BodyReader.next` found. */
export const BODY = {
  /** The input is used up. */
  more: 0,
  /** `dataStart` to `dataEnd` are bytes of the body. */
  data: 1,
  /** The body, trailers included, has ended. */
  done: 2,
  /** The framing is malformed or exceeds a limit. */
  failed: 3,
} as const;

/** Sizes that the framing of one chunked body may have. */
export interface ChunkedLimits {
  /** All chunk extensions together. */
  readonly chunkExtensionBytes: number;
  readonly trailerBytes: number;
}

const SIZE_START = 0;
const SIZE = 1;
const SPACE_AFTER_SIZE = 2;
const EXTENSION = 3;
const SIZE_LF = 4;
const DATA = 5;
const DATA_CR = 6;
const DATA_LF = 7;
const TRAILERS = 8;

/** 13 digits are less than 2^52, and more than any body. */
const MOST_SIZE_DIGITS = 13;
const MOST_TRAILERS = 64;
/** Memory for trailer fields that is kept for the next body. */
const KEPT_TRAILER_BYTES = 8 * 1024;
const EMPTY = Buffer.alloc(0);

/**
 * Reads a chunked body (RFC 9112 §7.1) in any pieces. Extensions are checked, counted and ignored; trailer fields are gathered
 * and checked like header fields. Every line ends with CR LF.
 */
export class ChunkedParser {
  dataStart = 0;
  dataEnd = 0;
  /** Offset of the first byte not read. */
  position = 0;
  /** The trailer fields, once done; their offsets point into `trailerBytes`. Made when a body first ends, then used again. */
  trailers: FieldLines | undefined = undefined;
  trailerBytes: Buffer = EMPTY;
  readonly #limits: ChunkedLimits;
  #state = SIZE_START;
  #digits = 0;
  #remaining = 0;
  #extensionBytes = 0;
  #trailerLength = 0;

  constructor(limits: ChunkedLimits) {
    this.#limits = limits;
  }

  /** Another parser at the same place in the same body; what it reads this one has not read. */
  copy(): ChunkedParser {
    const copy = new ChunkedParser(this.#limits);
    copy.#state = this.#state;
    copy.#digits = this.#digits;
    copy.#remaining = this.#remaining;
    copy.#extensionBytes = this.#extensionBytes;
    copy.#trailerLength = this.#trailerLength;
    copy.trailerBytes = Buffer.from(this.trailerBytes);
    return copy;
  }

  reset(): void {
    this.#state = SIZE_START;
    this.#digits = 0;
    this.#remaining = 0;
    this.#extensionBytes = 0;
    this.#trailerLength = 0;
    this.trailers?.reset();
  }

  /** Lets go of the trailer fields where they took much; the body is over. */
  forget(): void {
    if (this.trailerBytes.length <= KEPT_TRAILER_BYTES) return;
    this.trailerBytes = EMPTY;
    this.reset();
  }

  /** Reads `bytes[start, end)` up to the next piece of data or the end of the body. */
  next(bytes: Buffer, start: number, end: number): number {
    let position = start;
    while (position < end) {
      if (this.#state === DATA) return this.#data(position, end);
      if (this.#state === TRAILERS) return this.#trailerSection(bytes, position, end);
      if (!this.#step(bytes[position] ?? 0)) return this.#stop(position, BODY.failed);
      position++;
    }
    return this.#stop(position, BODY.more);
  }

  /** One byte of framing. */
  #step(byte: number): boolean {
    switch (this.#state) {
      case SIZE_START:
        this.#digits = 0;
        this.#remaining = 0;
        return this.#sizeDigit(byte);
      case SIZE:
        return this.#sizeDigit(byte) || this.#afterSize(byte);
      case SPACE_AFTER_SIZE:
        return this.#countExtension() && (byte === SPACE || byte === HTAB || this.#beginExtension(byte));
      case EXTENSION:
        if (byte === CR) return this.#enter(SIZE_LF);
        return FIELD_VALUE_BYTES[byte] === 1 && this.#countExtension();
      case SIZE_LF:
        return byte === LF && this.#enter(this.#remaining > 0 ? DATA : TRAILERS);
      case DATA_CR:
        return byte === CR && this.#enter(DATA_LF);
      default:
        return byte === LF && this.#enter(SIZE_START);
    }
  }

  #sizeDigit(byte: number): boolean {
    const digit = HEX_VALUES[byte] ?? 255;
    if (digit === 255 || ++this.#digits > MOST_SIZE_DIGITS) return false;
    this.#remaining = this.#remaining * 16 + digit;
    return this.#enter(SIZE);
  }

  #afterSize(byte: number): boolean {
    if (this.#digits > MOST_SIZE_DIGITS) return false;
    if (byte === CR) return this.#enter(SIZE_LF);
    if (byte === SPACE || byte === HTAB) return this.#countExtension() && this.#enter(SPACE_AFTER_SIZE);
    return this.#countExtension() && this.#beginExtension(byte);
  }

  #beginExtension(byte: number): boolean {
    return byte === SEMICOLON && this.#enter(EXTENSION);
  }

  #countExtension(): boolean {
    return ++this.#extensionBytes <= this.#limits.chunkExtensionBytes;
  }

  #enter(state: number): true {
    this.#state = state;
    return true;
  }

  #data(position: number, end: number): number {
    this.dataStart = position;
    this.dataEnd = Math.min(end, position + this.#remaining);
    this.#remaining -= this.dataEnd - position;
    if (this.#remaining === 0) this.#state = DATA_CR;
    return this.#stop(this.dataEnd, BODY.data);
  }

  #trailerSection(bytes: Buffer, position: number, end: number): number {
    const known = this.#trailerLength;
    const taken = Math.min(end - position, this.#limits.trailerBytes - known);
    this.#gather(bytes, position, position + taken);
    this.trailers ??= new FieldLines(MOST_TRAILERS);
    const status = this.trailers.parse(this.trailerBytes, known, this.#trailerLength);
    const next = position + this.trailers.position - known;
    if (status === PARSE.done) return this.#stop(next, BODY.done);
    return this.#stop(next, status === PARSE.failed || this.#trailerLength === this.#limits.trailerBytes ? BODY.failed : BODY.more);
  }

  #gather(bytes: Buffer, start: number, end: number): void {
    const needed = this.#trailerLength + end - start;
    if (this.trailerBytes.length < needed) {
      const larger = Buffer.allocUnsafe(Math.min(this.#limits.trailerBytes, Math.max(256, needed * 2)));
      this.trailerBytes.copy(larger, 0, 0, this.#trailerLength);
      this.trailerBytes = larger;
    }
    bytes.copy(this.trailerBytes, this.#trailerLength, start, end);
    this.#trailerLength = needed;
  }

  #stop(position: number, event: number): number {
    this.position = position;
    return event;
  }
}
