import type { Mark } from './mark.ts';

/** Two words of the name, four of the mark. */
const SLOT_WORDS = 6;
const FIRST_SLOTS = 8;
/** Each grows by itself, so that no step moves more than a few thousand marks: one table of a million would stall for 100 ms. */
const SEGMENTS = 256;
/** Of a segment's slots that are taken before it grows. */
const MOST_FILLED = 0.75;

/** A mark for each name, at 32 to 64 bytes a name. Names are told apart by 64 bits of their hash. */
export class MarkTable {
  readonly #segments = Array.from({ length: SEGMENTS }, () => new Segment());

  /** Whether the name was ever given a mark or said to be gone. */
  knows(name: Mark): boolean {
    return this.#segmentOf(name).knows(name);
  }

  /** Keeps the mark, or with undefined that the name is gone. @returns the mark that it had before */
  replace(name: Mark, mark: Mark | undefined): Mark | undefined {
    return this.#segmentOf(name).replace(name, mark);
  }

  #segmentOf(name: Mark): Segment {
    const segment = this.#segments[name[3] & (SEGMENTS - 1)];
    if (segment === undefined) throw new RangeError('there is no such segment');
    return segment;
  }
}

/** Open addressing with linear probing. A slot with an empty name is free, a mark of zeros says that the name is gone. */
class Segment {
  #words = new Int32Array(FIRST_SLOTS * SLOT_WORDS);
  #filled = 0;

  knows([first, second]: Mark): boolean {
    return !this.#isFree(this.#find(first, second | 1));
  }

  replace([first, second]: Mark, mark: Mark | undefined): Mark | undefined {
    const odd = second | 1;
    let at = this.#find(first, odd);
    if (this.#isFree(at)) {
      if (this.#filled + 1 > (this.#words.length / SLOT_WORDS) * MOST_FILLED) {
        this.#grow();
        at = this.#find(first, odd);
      }
      this.#filled++;
      this.#words[at] = first;
      this.#words[at + 1] = odd;
    }
    const before = this.#markAt(at);
    this.#words.set(mark ?? GONE, at + 2);
    return before;
  }

  /** Where the name stands, or would stand. The second word of a name is odd, so that no name is empty. */
  #find(first: number, second: number): number {
    const words = this.#words;
    const slots = words.length / SLOT_WORDS;
    for (let slot = first & (slots - 1); ; slot = (slot + 1) & (slots - 1)) {
      const at = slot * SLOT_WORDS;
      if (words[at + 1] === 0 || (words[at] === first && words[at + 1] === second)) return at;
    }
  }

  #isFree(at: number): boolean {
    return this.#words[at + 1] === 0;
  }

  #markAt(at: number): Mark | undefined {
    const [one = 0, two = 0, three = 0, four = 0] = this.#words.subarray(at + 2, at + SLOT_WORDS);
    return (one | two | three | four) === 0 ? undefined : [one, two, three, four];
  }

  #grow(): void {
    const before = this.#words;
    this.#words = new Int32Array(before.length * 2);
    for (let at = 0; at < before.length; at += SLOT_WORDS) {
      const second = before[at + 1] ?? 0;
      if (second !== 0) this.#words.set(before.subarray(at, at + SLOT_WORDS), this.#find(before[at] ?? 0, second));
    }
  }
}

const GONE: Mark = [0, 0, 0, 0];
