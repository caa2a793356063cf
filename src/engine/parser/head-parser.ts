import { FieldLines } from './field-lines.ts';
import { PARSE } from './parse-status.ts';

const FIRST_COPY_BYTES = 4096;
const EMPTY = Buffer.alloc(0);

/**
 * What request and response heads have in common: a start line, field lines, and a head that may arrive in any pieces.
 *
 * A head that arrives whole is read where it lies; one that does not is gathered in a buffer of the parser's own. Either way the
 * outcome depends on the bytes alone, never on where they were split.
 */
export abstract class HeadParser {
  readonly fields: FieldLines;
  /** What the offsets point into: the caller's buffer, or the parser's own copy. */
  bytes: Buffer = EMPTY;
  /** Offset of the head's first byte. */
  headStart = 0;
  /** Offset, in the buffer given to `feed`, of the first byte behind the head. Meaningful when done. */
  nextPosition = 0;
  /** A byte of the head has been seen. */
  started = false;
  protected readonly headLimit: number;
  /** Offset of the next byte to read. */
  protected position = 0;
  #copy: Buffer = EMPTY;
  #copyLength = 0;

  constructor(headLimit: number, fieldLimit: number) {
    this.headLimit = headLimit;
    this.fields = new FieldLines(fieldLimit);
  }

  /** Bytes of the head read so far. */
  get headLength(): number {
    return this.position - this.headStart;
  }

  /** Makes the parser ready for another head and forgets the bytes of the last. */
  reset(): void {
    this.fields.reset();
    this.bytes = EMPTY;
    this.headStart = 0;
    this.started = false;
    this.position = 0;
    this.#copyLength = 0;
    if (this.#copy.length > FIRST_COPY_BYTES) this.#copy = EMPTY;
    this.resetStartLine();
  }

  /** Reads `bytes[start, end)` on from where the last call stopped. The bytes may be reused afterwards unless the head is done. */
  feed(bytes: Buffer, start: number, end: number): number {
    if (this.#copyLength === 0) {
      this.bytes = bytes;
      this.position = start;
      const status = this.scan(end);
      this.nextPosition = this.position;
      if (status === PARSE.more && this.started) this.#moveToCopy(end);
      return status;
    }
    const known = this.#copyLength;
    const taken = Math.min(end - start, this.headLimit - known);
    this.#append(bytes, start, start + taken);
    const status = this.scan(this.#copyLength);
    this.nextPosition = start + this.position - known;
    return status;
  }

  /** Keeps the head readable after the caller's buffer is reused. */
  retain(): void {
    if (this.#copyLength === 0) this.#moveToCopy(this.position);
  }

  /** Reads from `this.position` to `end` in `this.bytes`. */
  protected abstract scan(end: number): number;
  protected abstract resetStartLine(): void;
  protected abstract shiftStartLine(delta: number): void;

  #moveToCopy(end: number): void {
    const start = this.headStart;
    const source = this.bytes;
    this.#append(source, start, end);
    this.headStart = 0;
    this.position -= start;
    this.fields.shift(-start);
    this.shiftStartLine(-start);
  }

  #append(source: Buffer, start: number, end: number): void {
    const needed = this.#copyLength + end - start;
    if (this.#copy.length < needed) {
      // Kept with the connection: out of a block shared with others it would hold 64 KiB.
      const larger = Buffer.allocUnsafeSlow(Math.max(FIRST_COPY_BYTES, 2 ** Math.ceil(Math.log2(needed))));
      this.#copy.copy(larger, 0, 0, this.#copyLength);
      this.#copy = larger;
    }
    source.copy(this.#copy, this.#copyLength, start, end);
    this.#copyLength = needed;
    this.bytes = this.#copy;
  }
}
