/** Bytes that say whose they are: each word of a stream is a mix of its owner and its place, so no other stream has it there. */
export function stampedBytes(owner: number, offset: number, length: number): Buffer {
  const firstWord = offset >>> 2;
  const words = new Int32Array(((offset + length + 3) >>> 2) - firstWord);
  for (let index = 0; index < words.length; index++) words[index] = wordOf(owner, firstWord + index);
  return Buffer.from(words.buffer, offset & 3, length);
}

function wordOf(owner: number, index: number): number {
  let mixed = Math.imul(owner ^ 0x5bd1e995, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
  return mixed ^ (mixed >>> 13);
}

/** Follows a stream of stamped bytes and throws at the first that belongs to somebody else. */
export class StampCheck {
  offset = 0;
  readonly #owner: number;

  constructor(owner: number) {
    this.#owner = owner;
  }

  take(bytes: Buffer): void {
    if (!bytes.equals(stampedBytes(this.#owner, this.offset, bytes.length))) {
      throw new Error(`foreign bytes in stream ${this.#owner}, between ${this.offset} and ${this.offset + bytes.length}`);
    }
    this.offset += bytes.length;
  }
}
