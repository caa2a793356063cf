/** Up to here a loop beats the 30 ns of a call into the runtime that a copy costs. */
const LOOP_BYTES = 28;
/** … and the 15 ns that the copy of a whole array costs. */
const LOOP_ALL_BYTES = 12;
const HEX_DIGITS = Buffer.from('0123456789abcdef', 'latin1');
const MOST_SMALL = 0x7fffffff;
const CR = 0x0d;
const LF = 0x0a;

/** Appends bytes to a buffer and moves on to a larger one when it is full. `[start, position)` is the message being written. */
export class ByteWriter {
  bytes: Buffer;
  start = 0;
  position = 0;
  readonly #smallestBytes: number;

  /** `smallestBytes` is the least size of a buffer that it allocates. */
  constructor(bytes: Buffer, smallestBytes: number) {
    this.bytes = bytes;
    this.#smallestBytes = smallestBytes;
  }

  /** Bytes of the message so far. */
  get length(): number {
    return this.position - this.start;
  }

  /** Makes room, in a new buffer where the present one is too small; what was written goes along. */
  ensure(length: number): void {
    if (this.bytes.length - this.position < length) this.#grow(length);
  }

  append(source: Buffer, start: number, end: number): void {
    const length = end - start;
    if (this.bytes.length - this.position < length) this.#grow(length);
    const target = this.bytes;
    let position = this.position;
    this.position = position + length;
    if (length > LOOP_BYTES) {
      source.copy(target, position, start, end);
      return;
    }
    for (let index = start; index < end; index++) target[position++] = source[index] ?? 0;
  }

  appendAll(source: Buffer): void {
    const length = source.length;
    if (this.bytes.length - this.position < length) this.#grow(length);
    const target = this.bytes;
    let position = this.position;
    this.position = position + length;
    if (length > LOOP_ALL_BYTES) {
      target.set(source, position);
      return;
    }
    for (let index = 0; index < length; index++) target[position++] = source[index] ?? 0;
  }

  /** A text of characters below 0x100, one byte each. Short texts only: it is written character by character. */
  appendAscii(text: string): void {
    const length = text.length;
    if (this.bytes.length - this.position < length) this.#grow(length);
    const target = this.bytes;
    let position = this.position;
    this.position = position + length;
    for (let index = 0; index < length; index++) target[position++] = text.charCodeAt(index);
  }

  /** Puts `source` in the place of `length` bytes that were written `offset` bytes into the message. */
  replace(offset: number, length: number, source: Uint8Array): void {
    const growth = source.length - length;
    if (growth > 0) this.ensure(growth);
    const at = this.start + offset;
    this.bytes.copyWithin(at + source.length, at + length, this.position);
    this.bytes.set(source, at);
    this.position += growth;
  }

  appendByte(byte: number): void {
    if (this.bytes.length === this.position) this.#grow(1);
    this.bytes[this.position++] = byte;
  }

  appendLineEnd(): void {
    if (this.bytes.length - this.position < 2) this.#grow(2);
    this.bytes[this.position++] = CR;
    this.bytes[this.position++] = LF;
  }

  /** A non-negative safe integer in decimal digits. */
  appendDecimal(value: number): void {
    let digits = 1;
    for (let bound = 10; bound <= value; bound *= 10) digits++;
    this.ensure(digits);
    let index = this.position + digits;
    this.position = index;
    let rest = value;
    for (; rest > MOST_SMALL; rest = Math.floor(rest / 10)) this.bytes[--index] = 0x30 + (rest % 10);
    // Small integers divide without a call into the runtime.
    let small = rest | 0;
    do {
      const tenth = (small / 10) | 0;
      this.bytes[--index] = 0x30 + small - tenth * 10;
      small = tenth;
    } while (small > 0);
  }

  /** An integer below 2^31 in hexadecimal digits, without leading zeros. */
  appendHexadecimal(value: number): void {
    let shift = 0;
    while (shift < 28 && value >>> (shift + 4) !== 0) shift += 4;
    this.ensure(shift / 4 + 1);
    for (; shift >= 0; shift -= 4) this.bytes[this.position++] = HEX_DIGITS[(value >>> shift) & 15] ?? 0;
  }

  #grow(length: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#smallestBytes, 2 ** Math.ceil(Math.log2(this.length + length))));
    this.bytes.copy(larger, 0, this.start, this.position);
    this.position -= this.start;
    this.start = 0;
    this.bytes = larger;
  }
}
