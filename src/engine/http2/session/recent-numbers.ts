const KEPT = 256;

/** Which streams were broken off by us lately: their peer may not know yet (RFC 9113 §5.1, closed). */
export class RecentNumbers {
  readonly #numbers = new Set<number>();

  has(number: number): boolean {
    return this.#numbers.has(number);
  }

  /** The oldest one is forgotten for it. */
  add(number: number): void {
    this.#numbers.add(number);
    if (this.#numbers.size <= KEPT) return;
    for (const oldest of this.#numbers) {
      this.#numbers.delete(oldest);
      return;
    }
  }
}
