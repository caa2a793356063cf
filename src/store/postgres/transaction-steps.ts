import { runFailure } from './failures.ts';
import type { PostgresConnection } from './postgres-connection.ts';
import { PostgresFailure } from './postgres-failure.ts';
import type { ConnectionSource } from './postgres-reader.ts';

/**
 * The calls of one transaction, one after the other: a call takes several statements, and the work may ask for the next one before the
 * last has ended. What a call found, nothing else of the transaction changes before it has written.
 */
export class TransactionSteps implements ConnectionSource {
  readonly #connection: PostgresConnection;
  #tail: Promise<unknown> = Promise.resolve();
  #state: 'open' | 'ending' | 'over' = 'open';
  #failure: unknown;

  constructor(connection: PostgresConnection) {
    this.#connection = connection;
  }

  async run<Result>(work: (connection: PostgresConnection) => Promise<Result>): Promise<Result> {
    if (this.#state !== 'open') throw isOver();
    const step = this.#tail.then(() => this.#step(work));
    this.#tail = step.catch(() => undefined);
    return step;
  }

  runOnOneState<Result>(work: (connection: PostgresConnection) => Promise<Result>): Promise<Result> {
    // Nobody else writes while this transaction has the lock.
    return this.run(work);
  }

  /** The transaction cannot commit any more. */
  fail(failure: unknown): void {
    this.#failure ??= failure;
  }

  /** @throws what made it impossible to commit */
  assertCommittable(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Takes no more calls, waits for those that were made, and does the last thing. @throws what made it impossible to commit */
  async settle(last: (connection: PostgresConnection) => Promise<void>): Promise<void> {
    if (this.#state === 'open') this.#state = 'ending';
    await this.#tail;
    this.assertCommittable();
    await this.#step(last);
    this.#state = 'over';
  }

  /** Takes no more calls, drops those that have not begun and waits for the one that has: it must not go on in no transaction. */
  async abandon(): Promise<void> {
    this.#state = 'over';
    await this.#tail;
  }

  async #step<Result>(work: (connection: PostgresConnection) => Promise<Result>): Promise<Result> {
    if (this.#state === 'over') throw isOver();
    try {
      return await work(this.#connection);
    } catch (error) {
      const failure = runFailure(error);
      // PostgreSQL refuses everything after a statement that failed.
      if (error instanceof PostgresFailure) this.fail(failure);
      throw failure;
    }
  }
}

function isOver(): Error {
  return new Error('the transaction is over');
}
