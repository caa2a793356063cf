import { BODY, type ChunkedLimits, ChunkedParser } from './chunked-parser.ts';

/** How the end of a body is known (RFC 9112 §6.3). `close`: it ends with the connection. */
export type BodyKind = 'none' | 'length' | 'chunked' | 'close';

/** Takes the framing off one body, whatever it is. */
export class BodyReader {
  dataStart = 0;
  dataEnd = 0;
  /** Offset of the first byte not read. */
  position = 0;
  kind: BodyKind = 'none';
  /** Bytes still to come, where the length is known. */
  remaining = 0;
  done = true;
  readonly #limits: ChunkedLimits;
  #chunked: ChunkedParser | undefined = undefined;

  constructor(limits: ChunkedLimits) {
    this.#limits = limits;
  }

  begin(kind: BodyKind, contentLength: number): void {
    this.kind = kind;
    this.remaining = kind === 'length' ? contentLength : 0;
    this.done = kind === 'none' || (kind === 'length' && contentLength === 0);
    if (kind !== 'chunked') return;
    if (this.#chunked === undefined) this.#chunked = new ChunkedParser(this.#limits);
    else this.#chunked.reset();
  }

  /** Lets go of memory that a body has needed and others do not. */
  forget(): void {
    this.#chunked?.forget();
  }

  /** The framing that was read, for its trailer fields; undefined unless the body is chunked. */
  get chunked(): ChunkedParser | undefined {
    return this.kind === 'chunked' ? this.#chunked : undefined;
  }

  /** Reads `bytes[start, end)` up to the next piece of data, the end of the input or the end of the body; one of `BODY`. */
  next(bytes: Buffer, start: number, end: number): number {
    if (this.done) return this.#stop(start, BODY.done);
    const chunked = this.chunked;
    if (chunked !== undefined) return this.#nextChunked(chunked, bytes, start, end);
    if (start === end) return this.#stop(start, BODY.more);
    this.dataStart = start;
    this.dataEnd = this.kind === 'length' ? Math.min(end, start + this.remaining) : end;
    if (this.kind === 'length') {
      this.remaining -= this.dataEnd - start;
      this.done = this.remaining === 0;
    }
    return this.#stop(this.dataEnd, BODY.data);
  }

  /** Reads `bytes[start, end)` and throws the data away: `more`, `done` or `failed` of `BODY`. */
  skip(bytes: Buffer, start: number, end: number): number {
    let event: number = BODY.data;
    this.position = start;
    while (event === BODY.data) event = this.next(bytes, this.position, end);
    return event;
  }

  /** Where in `bytes[start, end)`, the next bytes of the body, it ends; undefined where that is not known yet. Reads nothing. */
  endIn(bytes: Buffer, start: number, end: number): number | undefined {
    if (this.done) return start;
    if (this.kind === 'length') return start + this.remaining <= end ? start + this.remaining : undefined;
    const chunked = this.chunked?.copy();
    if (chunked === undefined) return undefined;
    let event: number = BODY.data;
    chunked.position = start;
    while (event === BODY.data) event = chunked.next(bytes, chunked.position, end);
    return event === BODY.done ? chunked.position : undefined;
  }

  #nextChunked(chunked: ChunkedParser, bytes: Buffer, start: number, end: number): number {
    const event = chunked.next(bytes, start, end);
    this.dataStart = chunked.dataStart;
    this.dataEnd = chunked.dataEnd;
    this.done = event === BODY.done;
    return this.#stop(chunked.position, event);
  }

  #stop(position: number, event: number): number {
    this.position = position;
    return event;
  }
}
