import { setImmediate } from 'node:timers/promises';
import type { Clock } from './clock.ts';

/** Lets everything else have its turn while long work goes on. */
export class Turns {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #sliceMs: number;
  #endsAtMs: number;

  /** The work has the loop for about `sliceMs` at a time. */
  constructor(clock: Pick<Clock, 'monotonicMs'>, sliceMs: number) {
    this.#clock = clock;
    this.#sliceMs = sliceMs;
    this.#endsAtMs = clock.monotonicMs() + sliceMs;
  }

  /** Whether it is time to `pass`. Asked between steps, since waiting for nothing would cost each of them something. */
  get isDue(): boolean {
    return this.#clock.monotonicMs() >= this.#endsAtMs;
  }

  /** Resolves when everything else that was ready has run. */
  async pass(): Promise<void> {
    await setImmediate();
    this.#endsAtMs = this.#clock.monotonicMs() + this.#sliceMs;
  }
}
