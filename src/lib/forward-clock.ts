import type { Clock } from './clock.ts';

/**
 * Wall-clock time that never runs backwards and never stands still: what was seen last, kept over restarts, goes on with the monotonic
 * clock where the machine's clock was set back.
 */
export class ForwardClock {
  readonly #clock: Clock;
  #latestMs: number;
  #atMs: number;

  /** `keptMs`: the latest time that this machine is known to have seen. */
  constructor(clock: Clock, keptMs: number) {
    this.#clock = clock;
    this.#latestMs = keptMs;
    this.#atMs = clock.monotonicMs();
  }

  /** Milliseconds since 1970. */
  nowMs(): number {
    const monotonicMs = this.#clock.monotonicMs();
    this.#latestMs = Math.max(this.#latestMs + (monotonicMs - this.#atMs), this.#clock.nowMs());
    this.#atMs = monotonicMs;
    return this.#latestMs;
  }

  /** It is at least that late, somebody who is believed says. */
  moveTo(atLeastMs: number): void {
    this.#latestMs = Math.max(this.nowMs(), atLeastMs);
  }

  /**
   * Forgets what was seen beyond both the machine's clock and `leastMs`, which it cannot be earlier than, where that is at least `toleranceMs`. Returns
   * how far it went back.
   */
  setBack(leastMs: number, toleranceMs: number): number {
    const aheadMs = this.nowMs() - Math.max(leastMs, this.#clock.nowMs());
    if (aheadMs < toleranceMs) return 0;
    this.#latestMs -= aheadMs;
    return aheadMs;
  }
}
