import type { Logger } from '../../observability/index.ts';

/** What was on its way for long looks like a clock that is ahead: the least of so many readings in a row is believed. */
const READINGS = 3;
const NOTABLE_MS = 2_000;

/** How far the clocks of this machine and of the control plane are apart. */
export class ClockSkew {
  readonly #log: Logger;
  #readings: readonly number[] = [];
  #isNotable = false;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** By how much this machine's clock is ahead, in milliseconds, negative where it is behind; undefined before the control plane has told its time. */
  get aheadMs(): number | undefined {
    return this.#readings.length === 0 ? undefined : Math.min(...this.#readings);
  }

  /** The control plane has told its time, now. */
  note(ownMs: number, controlPlaneMs: number): void {
    this.#readings = [...this.#readings, ownMs - controlPlaneMs].slice(-READINGS);
    const aheadMs = Math.min(...this.#readings);
    // Nothing arrives before it is sent: a clock that is behind shows at once.
    const isNotable = aheadMs < -NOTABLE_MS || (aheadMs > NOTABLE_MS && (this.#isNotable || this.#readings.length === READINGS));
    if (isNotable === this.#isNotable) return;
    this.#isNotable = isNotable;
    const fields = { ahead_seconds: Math.round(aheadMs / 100) / 10 };
    if (isNotable) this.#log.warn('the clock of this machine differs from the time of the control plane', fields);
    else this.#log.info('the clock of this machine agrees with the time of the control plane again', fields);
  }

  /** The connection is gone: nothing is known any more. */
  forget(): void {
    this.#readings = [];
  }
}
