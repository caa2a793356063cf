import type { Clock } from '../../lib/clock.ts';

const SLICE_MS = 2;

/** Long work that nobody waits for: it has the loop for about two milliseconds, then leaves it for some times as long. */
export class SlowPace {
  readonly #clock: Pick<Clock, 'monotonicMs' | 'schedule'>;
  readonly #restFactor: number;
  #startedMs: number;
  #workedMs = 0;

  constructor(clock: Pick<Clock, 'monotonicMs' | 'schedule'>, restFactor: number) {
    this.#clock = clock;
    this.#restFactor = restFactor;
    this.#startedMs = clock.monotonicMs();
  }

  /** Time that the work has had so far, without the rests. */
  get workedMs(): number {
    return this.#workedMs + this.#clock.monotonicMs() - this.#startedMs;
  }

  /** Whether it is time to `rest`. Asked between steps, since waiting for nothing would cost each of them something. */
  get isDue(): boolean {
    return this.#clock.monotonicMs() - this.#startedMs >= SLICE_MS;
  }

  async rest(): Promise<void> {
    const workedMs = this.#clock.monotonicMs() - this.#startedMs;
    await new Promise<void>((resolve) => this.#clock.schedule(workedMs * this.#restFactor, resolve));
    this.#workedMs += workedMs;
    this.#startedMs = this.#clock.monotonicMs();
  }
}
