const FIRST_BYTES = 4096;

/** Bytes that wait for their reader, copied together, so that many small pieces cost no more than few large ones. */
export class ByteStore {
  #bytes: Buffer | undefined = undefined;
  #start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  add(bytes: Buffer, start: number, end: number): void {
    const room = this.#roomFor(end - start);
    bytes.copy(room, this.#end, start, end);
    this.#end += end - start;
  }

  /** Gives up to `most` bytes away, which nobody else writes into. */
  take(most: number): Buffer {
    const bytes = this.#bytes ?? Buffer.alloc(0);
    const end = Math.min(this.#end, this.#start + most);
    const taken = bytes.subarray(this.#start, end);
    this.#start = end;
    if (this.#start === this.#end) this.drop();
    return taken;
  }

  drop(): void {
    this.#bytes = undefined;
    this.#start = 0;
    this.#end = 0;
  }

  #roomFor(length: number): Buffer {
    const bytes = this.#bytes;
    if (bytes !== undefined && this.#end + length <= bytes.length) return bytes;
    const needed = this.length + length;
    let size = FIRST_BYTES;
    while (size < needed) size *= 2;
    const larger = Buffer.allocUnsafeSlow(size);
    const kept = bytes === undefined ? 0 : bytes.copy(larger, 0, this.#start, this.#end);
    this.#bytes = larger;
    this.#start = 0;
    this.#end = kept;
    return larger;
  }
}
