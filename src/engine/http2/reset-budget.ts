/** As nghttp2 has it for resets of clients by default: more at once than any page or client library gives up. */
const BURST = 1000;
const PER_SECOND = 33;

/** How many requests of a connection may end without an answer: many at once, few for long. */
export class ResetBudget {
  #left = BURST;
  #sinceMs: number;

  constructor(nowMs: number) {
    this.#sinceMs = nowMs;
  }

  /** Takes one; false when there is none left. */
  spend(nowMs: number): boolean {
    this.#left = Math.min(BURST, this.#left + ((nowMs - this.#sinceMs) / 1000) * PER_SECOND);
    this.#sinceMs = nowMs;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
