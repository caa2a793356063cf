import type { BodyFilter } from '../body-filter.ts';

/** Lets a body pass as it is and keeps its first bytes. */
export class BodyCopy implements BodyFilter {
  readonly #maxBytes: number;
  readonly #pieces: Buffer[] = [];
  #length = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** What was kept. */
  get bytes(): Buffer {
    return Buffer.concat(this.#pieces, this.#length);
  }

  write(chunk: Buffer, push: (bytes: Buffer) => void): void {
    const room = this.#maxBytes - this.#length;
    if (room > 0) {
      const kept = Buffer.from(chunk.subarray(0, room));
      this.#pieces.push(kept);
      this.#length += kept.length;
    }
    push(chunk);
  }

  end(): void {}
}
