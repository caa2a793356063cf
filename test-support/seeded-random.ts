/** Random decisions that a seed repeats: the same seed, asked in the same order, gives the same answers (the generator is mulberry32). */
export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 up to, and without, 1. */
  fraction(): number {
    this.#state = (this.#state + 0x6d_2b_79_f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from `least` up to, and without, `below`. */
  integer(least: number, below: number): number {
    return least + Math.floor(this.fraction() * (below - least));
  }

  /** @throws RangeError when there is nothing to choose from */
  pick<Value>(values: readonly Value[]): Value {
    if (values.length === 0) throw new RangeError('there is nothing to choose from');
    return values[this.integer(0, values.length)] as Value;
  }

  /** All of them, in another order. */
  shuffle<Value>(values: readonly Value[]): Value[] {
    return values
      .map((value) => ({ value, place: this.fraction() }))
      .sort((one, other) => one.place - other.place)
      .map(({ value }) => value);
  }

  /** 32 hexadecimal digits. */
  hexadecimal(): string {
    return Array.from({ length: 4 }, () =>
      this.integer(0, 2 ** 32)
        .toString(16)
        .padStart(8, '0'),
    ).join('');
  }

  /** A generator of its own, so that what one part of a run asks for changes nothing for the others. */
  fork(): SeededRandom {
    return new SeededRandom(this.integer(0, 2 ** 32));
  }
}
