import { AsyncLocalStorage } from 'node:async_hooks';
import { PortcullisError } from '../errors/index.ts';

/**
 * Runs pieces of work one after the other, in the order they came. A piece that asks for another one and waits for it would wait for
 * ever: such nested use is refused.
 */
export class TransactionQueue {
  #tail: Promise<unknown> = Promise.resolve();
  #closed = false;
  readonly #running = new AsyncLocalStorage<{ open: boolean }>();

  get closed(): boolean {
    return this.#closed;
  }

  /** @throws Error when called by work that runs in this queue; PortcullisError (`store_unavailable`) after `close`. */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    this.assertTakes();
    const result = this.#tail.then(() => this.#enter(work));
    this.#tail = result.catch(() => undefined);
    return result;
  }

  /** @throws as `run`, for work that is not to be run yet */
  assertTakes(): void {
    this.#refuseNested();
    if (this.#closed) throw new PortcullisError('store_unavailable', { detail: 'the store is closed' });
  }

  /** Takes nothing new and resolves when all that was taken has ended. */
  async close(): Promise<void> {
    this.#refuseNested();
    this.#closed = true;
    await this.#tail;
  }

  async #enter<Result>(work: () => Promise<Result>): Promise<Result> {
    const piece = { open: true };
    try {
      return await this.#running.run(piece, work);
    } finally {
      // What the work started and did not wait for keeps its context, and may use the queue from now on.
      piece.open = false;
    }
  }

  #refuseNested(): void {
    if (this.#running.getStore()?.open === true) throw new Error('a transaction cannot be used inside another one of the same store');
  }
}
