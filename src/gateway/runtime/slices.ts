import type { RuntimeOptions } from './runtime.ts';

/** Longest time that a long piece of work keeps other work of the thread waiting. */
const SLICE_MS = 4;

/** Lets other work of the thread run whenever a slice of time is used up. */
export class Slices {
  readonly #options: Pick<RuntimeOptions, 'monotonicMs' | 'yieldTurn'>;
  #startedAtMs: number;

  constructor(options: Pick<RuntimeOptions, 'monotonicMs' | 'yieldTurn'>) {
    this.#options = options;
    this.#startedAtMs = options.monotonicMs();
  }

  /** Undefined as long as the slice lasts: nobody needs to wait then. */
  pause(): Promise<void> | undefined {
    return this.#options.monotonicMs() - this.#startedAtMs < SLICE_MS ? undefined : this.#yield();
  }

  async #yield(): Promise<void> {
    await this.#options.yieldTurn();
    this.#startedAtMs = this.#options.monotonicMs();
  }
}
