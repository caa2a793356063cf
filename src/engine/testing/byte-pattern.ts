/** Bytes that say whose they are and where they stand: a lost, doubled or foreign piece shows. */
export function patternBytes(owner: number, offset: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let index = 0; index < length; index++) bytes[index] = patternByte(owner, offset + index);
  return bytes;
}

function patternByte(owner: number, offset: number): number {
  const word = offset >>> 2;
  switch (offset & 3) {
    case 0:
      return owner & 0xff;
    case 1:
      return (word >>> 16) & 0xff;
    case 2:
      return (word >>> 8) & 0xff;
    default:
      return word & 0xff;
  }
}

/** Follows a stream of pattern bytes and throws at the first that is wrong. */
export class PatternCheck {
  offset = 0;
  readonly #owner: number;

  constructor(owner: number) {
    this.#owner = owner;
  }

  take(bytes: Buffer): void {
    if (!bytes.equals(patternBytes(this.#owner, this.offset, bytes.length))) {
      const wrong = bytes.findIndex((byte, index) => byte !== patternByte(this.#owner, this.offset + index));
      throw new Error(`byte ${this.offset + wrong} of stream ${this.#owner} is ${bytes[wrong]}`);
    }
    this.offset += bytes.length;
  }
}

/** A repeatable sequence of numbers from 0 to 1 (mulberry32). */
export function randomSequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
