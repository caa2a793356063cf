import type { Clock } from '../lib/clock.ts';

/** Allows so many lines a second, and as many at once after a quiet second. */
export class LineBudget {
  readonly #clock: Clock;
  readonly #linesPerSecond: number;
  #left: number;
  #refilledAtMs: number;

  constructor(clock: Clock, linesPerSecond: number) {
    this.#clock = clock;
    this.#linesPerSecond = linesPerSecond;
    this.#left = linesPerSecond;
    this.#refilledAtMs = clock.monotonicMs();
  }

  /** Whether one more line may be written now. */
  take(): boolean {
    const nowMs = this.#clock.monotonicMs();
    const earned = ((nowMs - this.#refilledAtMs) * this.#linesPerSecond) / 1000;
    this.#left = Math.min(this.#linesPerSecond, this.#left + earned);
    this.#refilledAtMs = nowMs;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
