import { COLON, CR, equalsIgnoringCase, FIELD_VALUE_BYTES, HTAB, LF, LOWER_CASE, SPACE, TOKEN_BYTES } from './character-classes.ts';
import { classifyField } from './known-fields.ts';
import { PARSE } from './parse-status.ts';

const LINE_START = 0;
const NAME = 1;
const BEFORE_VALUE = 2;
const VALUE = 3;
const VALUE_LF = 4;
const SECTION_LF = 5;

/**
 * Field lines up to and with the empty line that ends them: a head's or a trailer section (RFC 9112 §5).
 *
 * Strict where leniency lets two parsers disagree: no space before the colon, no line folding, no bare CR or LF, no control in a
 * value but HTAB. Keeps offsets only, so the bytes read so far must stay in place (or be followed by `shift`) between calls.
 */
export class FieldLines {
  /** Four numbers a field: nameStart, nameEnd, valueStart, valueEnd. */
  readonly offsets: Int32Array;
  /** One of `FIELD` each. */
  readonly kinds: Uint8Array;
  /** 1 where the field is left out of what is sent on. */
  readonly cuts: Uint8Array;
  count = 0;
  /** Offset behind the last byte read. */
  position = 0;
  /** Offset of the empty line, once done. */
  end = 0;
  /** The failure was one of size, not of form. */
  tooMany = false;
  readonly #limit: number;
  #state = LINE_START;
  #nameStart = 0;
  #nameEnd = 0;
  #valueStart = 0;
  #valueEnd = 0;

  constructor(limit: number) {
    this.#limit = limit;
    this.offsets = new Int32Array(limit * 4);
    this.kinds = new Uint8Array(limit);
    this.cuts = new Uint8Array(limit);
  }

  reset(): void {
    this.count = 0;
    this.tooMany = false;
    this.#state = LINE_START;
  }

  /** Reads on at `start`, which is where the last call stopped. */
  parse(bytes: Uint8Array, start: number, end: number): number {
    let position = this.#state === LINE_START ? this.#takeWholeLines(bytes, start, end) : start;
    while (position < end) {
      switch (this.#state) {
        case NAME:
          while (position < end && TOKEN_BYTES[bytes[position] ?? 0] === 1) position++;
          if (position === end) break;
          if (bytes[position] !== COLON) return this.#fail(position);
          this.#nameEnd = position++;
          this.#state = BEFORE_VALUE;
          break;
        case BEFORE_VALUE:
          while (position < end && (bytes[position] === SPACE || bytes[position] === HTAB)) position++;
          if (position === end) break;
          this.#valueStart = position;
          this.#state = VALUE;
          break;
        case VALUE:
          while (position < end && FIELD_VALUE_BYTES[bytes[position] ?? 0] === 1) position++;
          if (position === end) break;
          if (bytes[position] !== CR) return this.#fail(position);
          this.#valueEnd = position++;
          this.#state = VALUE_LF;
          break;
        case VALUE_LF:
          if (bytes[position] !== LF) return this.#fail(position);
          if (!this.#store(bytes, this.#nameStart, this.#nameEnd, this.#valueStart, this.#valueEnd)) return this.#fail(position);
          position++;
          this.#state = LINE_START;
          break;
        case LINE_START:
          if (bytes[position] === CR) {
            this.end = position++;
            this.#state = SECTION_LF;
          } else if (TOKEN_BYTES[bytes[position] ?? 0] === 1) {
            this.#nameStart = position++;
            this.#state = NAME;
          } else return this.#fail(position);
          break;
        default:
          if (bytes[position] !== LF) return this.#fail(position);
          this.position = position + 1;
          return PARSE.done;
      }
    }
    this.position = position;
    return PARSE.more;
  }

  /** Follows the bytes to where they were moved. */
  shift(delta: number): void {
    for (let index = 0; index < this.count * 4; index++) this.offsets[index] = (this.offsets[index] ?? 0) + delta;
    this.position += delta;
    this.end += delta;
    this.#nameStart += delta;
    this.#nameEnd += delta;
    this.#valueStart += delta;
    this.#valueEnd += delta;
  }

  /** Index of the first field of this name from `from` on, or -1. */
  find(bytes: Uint8Array, lowerCaseName: Uint8Array, from: number): number {
    const { offsets } = this;
    const { length } = lowerCaseName;
    for (let index = from; index < this.count; index++) {
      const nameStart = offsets[index * 4] ?? 0;
      const nameEnd = offsets[index * 4 + 1] ?? 0;
      if (nameEnd - nameStart === length && equalsIgnoringCase(bytes, nameStart, nameEnd, lowerCaseName)) return index;
    }
    return -1;
  }

  /** Cuts every field whose name is `bytes[start, end)`. */
  cutNamed(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    for (let index = 0; index < this.count; index++) {
      const nameStart = this.nameStart(index);
      if (this.nameEnd(index) - nameStart !== length) continue;
      let same = 0;
      while (same < length && LOWER_CASE[bytes[nameStart + same] ?? 0] === LOWER_CASE[bytes[start + same] ?? 0]) same++;
      if (same === length) this.cuts[index] = 1;
    }
  }

  kind(index: number): number {
    return this.kinds[index] ?? 0;
  }

  nameStart(index: number): number {
    return this.offsets[index * 4] ?? 0;
  }

  nameEnd(index: number): number {
    return this.offsets[index * 4 + 1] ?? 0;
  }

  valueStart(index: number): number {
    return this.offsets[index * 4 + 2] ?? 0;
  }

  valueEnd(index: number): number {
    return this.offsets[index * 4 + 3] ?? 0;
  }

  /** Where the line of this field begins; that of `count` is the end of the section's lines. */
  lineStart(index: number): number {
    return index < this.count ? this.nameStart(index) : this.end;
  }

  /**
   * Stores the lines from `start` on that are whole and right, and returns where the first other one begins: the usual case, in
   * half the time that going from state to state takes.
   */
  #takeWholeLines(bytes: Uint8Array, start: number, end: number): number {
    let lineStart = start;
    for (;;) {
      let position = lineStart;
      while (position < end && TOKEN_BYTES[bytes[position] ?? 0] === 1) position++;
      const nameEnd = position;
      if (position === end || nameEnd === lineStart || bytes[position] !== COLON) return lineStart;
      position++;
      while (position < end && (bytes[position] === SPACE || bytes[position] === HTAB)) position++;
      const valueStart = position;
      while (position < end && FIELD_VALUE_BYTES[bytes[position] ?? 0] === 1) position++;
      if (end - position < 2 || bytes[position] !== CR || bytes[position + 1] !== LF) return lineStart;
      if (!this.#store(bytes, lineStart, nameEnd, valueStart, position)) return lineStart;
      lineStart = position + 2;
    }
  }

  #store(bytes: Uint8Array, nameStart: number, nameEnd: number, valueStart: number, lineEnd: number): boolean {
    if (this.count === this.#limit) {
      this.tooMany = true;
      return false;
    }
    let valueEnd = lineEnd;
    while (valueEnd > valueStart && (bytes[valueEnd - 1] === SPACE || bytes[valueEnd - 1] === HTAB)) valueEnd--;
    const slot = this.count * 4;
    this.offsets[slot] = nameStart;
    this.offsets[slot + 1] = nameEnd;
    this.offsets[slot + 2] = valueStart;
    this.offsets[slot + 3] = valueEnd;
    this.kinds[this.count] = classifyField(bytes, nameStart, nameEnd);
    this.cuts[this.count] = 0;
    this.count++;
    return true;
  }

  #fail(position: number): number {
    this.position = position;
    return PARSE.failed;
  }
}
