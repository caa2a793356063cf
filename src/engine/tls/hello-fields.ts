const NOTHING = Buffer.alloc(0);

/** Reads numbers and vectors of RFC 8446 §3 one after the other. What lies beyond the end reads as 0 or nothing and marks all as broken. */
export class HelloFields {
  readonly #bytes: Buffer;
  #position = 0;
  #broken = false;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Something lay beyond the end. */
  get broken(): boolean {
    return this.#broken;
  }

  get atEnd(): boolean {
    return this.#position === this.#bytes.length;
  }

  /** Everything was there, and nothing was left over. */
  get isWhole(): boolean {
    return this.atEnd && !this.#broken;
  }

  /** An unsigned number of one or two bytes. */
  number(byteLength: 1 | 2): number {
    if (!this.#has(byteLength)) return 0;
    const value = this.#bytes.readUIntBE(this.#position, byteLength);
    this.#position += byteLength;
    return value;
  }

  /** What follows a length of one or two bytes. */
  vector(lengthBytes: 1 | 2): Buffer {
    const length = this.number(lengthBytes);
    if (this.#broken || !this.#has(length)) return NOTHING;
    this.#position += length;
    return this.#bytes.subarray(this.#position - length, this.#position);
  }

  skip(byteLength: number): void {
    if (this.#has(byteLength)) this.#position += byteLength;
  }

  #has(byteLength: number): boolean {
    if (this.#position + byteLength > this.#bytes.length) this.#broken = true;
    return !this.#broken;
  }
}
