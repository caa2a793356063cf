import type { Clock } from '../../lib/clock.ts';

/** What a restart must not make anybody forget of it. Wall-clock milliseconds of control planes; 0: none was seen. */
export interface KeptSignedTime {
  /** The latest time that was signed. */
  readonly signedMs: number;
  /** The earliest that it can be now. */
  readonly floorMs: number;
}

/**
 * What time it is at least, by the times that control planes have signed and by how long this process has been running since, whatever the
 * machine's clock says: it was that time when it was signed, and it has passed since then.
 */
export class SignedTime {
  readonly #clock: Clock;
  #signedMs: number;
  #floorMs: number;
  #atMs: number;

  constructor(clock: Clock, kept: KeptSignedTime) {
    this.#clock = clock;
    this.#signedMs = kept.signedMs;
    this.#floorMs = Math.max(kept.floorMs, kept.signedMs);
    this.#atMs = clock.monotonicMs();
  }

  get kept(): KeptSignedTime {
    return { signedMs: this.#signedMs, floorMs: Math.floor(this.floorMs()) };
  }

  /** 0 when nothing signed was ever seen. */
  floorMs(): number {
    return this.#signedMs === 0 ? 0 : this.#floorMs + (this.#clock.monotonicMs() - this.#atMs);
  }

  /**
   * A time that a control plane has signed. True when it was signed after another one that was seen before: somebody has been at work since, and what
   * is replayed from before shows nothing of the kind.
   */
  note(signedMs: number): boolean {
    const isLater = this.#signedMs > 0 && signedMs > this.#signedMs;
    if (signedMs > this.#signedMs) {
      this.#floorMs = Math.max(this.floorMs(), signedMs);
      this.#atMs = this.#clock.monotonicMs();
      this.#signedMs = signedMs;
    }
    return isLater;
  }
}
