const FIRST_TABLE_BYTES = 4096;
const SIZE_UPDATE = 0x20;

/** Sees to it that a peer tells of every change of its table that it has to tell of (RFC 7541 §4.2). */
export class TableWatch {
  #bytes = FIRST_TABLE_BYTES;
  #lowest = FIRST_TABLE_BYTES;

  /** The peer has acknowledged that it may use so much. */
  acknowledged(bytes: number): void {
    this.#lowest = Math.min(this.#lowest, bytes);
  }

  /** Looks at the beginning of a block. @throws where a table is still larger than allowed */
  look(block: Buffer): void {
    let lowestTold = this.#bytes;
    for (let at = 0; ((block[at] ?? 0) & 0xe0) === SIZE_UPDATE; at++) {
      let bytes = (block[at] ?? 0) & 0x1f;
      for (let shift = 0; bytes >= 0x1f && at + 1 < block.length; shift += 7) {
        const byte = block[++at] ?? 0;
        bytes += (byte & 0x7f) * 2 ** shift;
        if (byte < 0x80) break;
      }
      this.#bytes = bytes;
      lowestTold = Math.min(lowestTold, bytes);
    }
    if (lowestTold > this.#lowest) throw new Error(`a table of ${lowestTold} bytes where ${this.#lowest} are allowed`);
    this.#lowest = Number.POSITIVE_INFINITY;
  }
}
