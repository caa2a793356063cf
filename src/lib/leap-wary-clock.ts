import type { Clock } from './clock.ts';

/** Between two readings: more than any clock is slewed by, and less than what people set one wrong by. */
const LEAP_MS = 60_000;
/** A clock that was set wrong is noticed within this time, or it is right. */
const BELIEVED_AFTER_MS = 3_600_000;

/**
 * Wall-clock time for what must not end because a clock was set wrong for a while: a leap forward is followed when it has stood for an hour of the
 * monotonic clock, and until then time goes on as if there had been none. A leap back is followed at once.
 *
 * It is to be read every few seconds, or else what the clock is slewed by adds up to a leap. What was leapt over before the first reading is not known.
 */
export class LeapWaryClock {
  readonly #clock: Pick<Clock, 'nowMs' | 'monotonicMs'>;
  /** From the monotonic clock to the wall clock, without the leap that is not believed yet. */
  #offsetMs: number;
  /** Monotonic time at which that was seen. */
  #leaptAtMs: number | undefined = undefined;

  constructor(clock: Pick<Clock, 'nowMs' | 'monotonicMs'>) {
    this.#clock = clock;
    this.#offsetMs = clock.nowMs() - clock.monotonicMs();
  }

  /** Milliseconds since 1970. */
  nowMs(): number {
    const monotonicMs = this.#clock.monotonicMs();
    const offsetMs = this.#clock.nowMs() - monotonicMs;
    if (offsetMs - this.#offsetMs > LEAP_MS) {
      this.#leaptAtMs ??= monotonicMs;
      if (monotonicMs - this.#leaptAtMs < BELIEVED_AFTER_MS) return monotonicMs + this.#offsetMs;
    }
    this.#leaptAtMs = undefined;
    this.#offsetMs = offsetMs;
    return monotonicMs + offsetMs;
  }
}
