/** Below this a loop beats the call into the runtime that a copy costs. */
const LOOP_BYTES = 48;
const HEX_DIGITS = Buffer.from('0123456789abcdef', 'latin1');
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
    if (this.bytes.length - this.position >= length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#smallestBytes, 2 ** Math.ceil(Math.log2(this.length + length))));
    this.bytes.copy(larger, 0, this.start, this.position);
    this.position -= this.start;
    this.start = 0;
    this.bytes = larger;
  }

  append(source: Buffer, start: number, end: number): void {
    const length = end - start;
    this.ensure(length);
    if (length > LOOP_BYTES) {
      source.copy(this.bytes, this.position, start, end);
      this.position += length;
      return;
    }
    const target = this.bytes;
    let position = this.position;
    for (let index = start; index < end; index++) target[position++] = source[index] ?? 0;
    this.position = position;
  }

  appendAll(source: Buffer): void {
    this.append(source, 0, source.length);
  }

  /** Puts `source` in the place of `length` bytes that were written `offset` bytes into the message. */
  replace(offset: number, length: number, source: Buffer): void {
    const growth = source.length - length;
    if (growth > 0) this.ensure(growth);
    const at = this.start + offset;
    this.bytes.copyWithin(at + source.length, at + length, this.position);
    source.copy(this.bytes, at);
    this.position += growth;
  }

  appendByte(byte: number): void {
    this.ensure(1);
    this.bytes[this.position++] = byte;
  }

  appendLineEnd(): void {
    this.ensure(2);
    this.bytes[this.position++] = CR;
    this.bytes[this.position++] = LF;
  }

  /** A non-negative safe integer in decimal digits. */
  appendDecimal(value: number): void {
    let digits = 1;
    for (let bound = 10; bound <= value; bound *= 10) digits++;
    this.ensure(digits);
    let rest = value;
    for (let index = this.position + digits - 1; index >= this.position; index--) {
      this.bytes[index] = 0x30 + (rest % 10);
      rest = Math.floor(rest / 10);
    }
    this.position += digits;
  }

  /** An integer below 2^31 in hexadecimal digits, without leading zeros. */
  appendHexadecimal(value: number): void {
    let shift = 0;
    while (shift < 28 && value >>> (shift + 4) !== 0) shift += 4;
    this.ensure(shift / 4 + 1);
    for (; shift >= 0; shift -= 4) this.bytes[this.position++] = HEX_DIGITS[(value >>> shift) & 15] ?? 0;
  }
}
