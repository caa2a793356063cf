const MOST = 10_000;
const PER_SECOND = 100;
/** What data that was sent may bring about of frames that carry none. */
const EARNED = 4;
/** So much data counts as such also where more was to be sent. */
const WORTH_BYTES = 256;

/**
 * How many frames a peer may send that carry nothing (SETTINGS, PING, empty DATA, WINDOW_UPDATE, …): many at once, few for long, and more the
 * more it carries. Each costs a little, and nothing else bounds them (CVE-2019-9512, -9515, -9517, -9518).
 */
export class FrameBudget {
  readonly #nowMs: () => number;
  #left = MOST;
  #sinceMs: number;

  /** `nowMs`: monotonic time, asked for only when there seems to be none left. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#sinceMs = nowMs();
  }

  /** Takes one; false when there is none. */
  spend(): boolean {
    if (this.#left < 1) this.#refill(this.#nowMs());
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }

  /** Something of use was carried, in either direction, which brings about so many frames. */
  earn(count: number): void {
    if (this.#left < MOST) this.#left += count;
  }

  /**
   * Data was sent to the peer, all that there was or as much as its windows took. What they cut off after a few bytes is the peer's doing
   * (CVE-2019-9511), and it pays for making room itself.
   */
  sent(bytes: number, isAll: boolean): void {
    if (isAll || bytes >= WORTH_BYTES) this.earn(EARNED);
  }

  #refill(nowMs: number): void {
    this.#left = Math.min(MOST, this.#left + ((nowMs - this.#sinceMs) / 1000) * PER_SECOND);
    this.#sinceMs = nowMs;
  }
}
