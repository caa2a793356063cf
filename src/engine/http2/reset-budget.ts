/** As nghttp2 has it for resets of clients by default: more at once than any page or client library gives up. */
const BURST = 1000;
const PER_SECOND = 33;

/**
 * How many requests of a connection may end without an answer: many at once, few for long, and one more for each that was answered. A client whose
 * requests mostly complete is never ended, and one that gives up makes at most twice the work of one that does not.
 */
export class ResetBudget {
  readonly #burst: number;
  #left: number;
  #sinceMs: number;

  /** `burst`: how many at once. */
  constructor(nowMs: number, burst = BURST) {
    this.#burst = burst;
    this.#left = burst;
    this.#sinceMs = nowMs;
  }

  /** A request was answered. */
  earn(): void {
    this.#left = Math.min(this.#burst, this.#left + 1);
  }

  /** Takes one; false when there is none left. */
  spend(nowMs: number): boolean {
    this.#left = Math.min(this.#burst, this.#left + ((nowMs - this.#sinceMs) / 1000) * PER_SECOND);
    this.#sinceMs = nowMs;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
