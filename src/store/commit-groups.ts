import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../lib/clock.ts';
import type { TransactionQueue } from './transaction-queue.ts';

/** How a driver runs a group. */
export interface GroupDriver<Connection> {
  /** Runs `work` in a transaction that holds the write lock, and commits. `askedAtMs` is when the first of the group was asked for (monotonic). */
  hold(askedAtMs: number, work: (connection: Connection) => Promise<void>): Promise<void>;
  /** Runs `work` so that nothing is left of it when it throws, while what was done before it in the transaction stays. */
  nest<Result>(connection: Connection, work: () => Promise<Result>): Promise<Result>;
  /** False when the transaction is lost, so that nothing more can be done in it and its commit will fail. */
  isUsable(connection: Connection): boolean;
}

interface Waiting<Connection> {
  readonly askedAtMs: number;
  run(connection: Connection): Promise<unknown>;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

type Outcome = { readonly kind: 'done'; readonly result: unknown } | { readonly kind: 'failed'; readonly error: unknown };

/** A group ends after so many transactions, or when it has taken so long: nobody waits for much more than what is his own. */
const MOST_IN_GROUP = 100;
const LONGEST_MS = 20;

/**
 * Transactions that are asked for at the same time share one commit, which is what costs most of a small one: the disk is synced once for
 * all of them. They still run one after the other, in the order they came; one that throws leaves nothing behind and takes none of the others
 * along. None is told its outcome before the commit, for what it has seen of the others is not sure before.
 */
export class CommitGroups<Connection> {
  readonly #queue: TransactionQueue;
  readonly #driver: GroupDriver<Connection>;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #waiting: Waiting<Connection>[] = [];

  constructor(queue: TransactionQueue, driver: GroupDriver<Connection>, clock: Pick<Clock, 'monotonicMs'>) {
    this.#queue = queue;
    this.#driver = driver;
    this.#clock = clock;
  }

  /** Runs `work` in a transaction of its own. @throws what `work`, the queue or the driver throws; nothing of it is left then */
  async run<Result>(work: (connection: Connection) => Promise<Result>): Promise<Result> {
    this.#queue.assertTakes();
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    this.#waiting.push({
      askedAtMs: this.#clock.monotonicMs(),
      run: work,
      // What `work` resolved to is handed to nobody else.
      resolve: (result) => resolve(result as Result),
      reject,
    });
    // One place in the queue for each: where an earlier group took this one along, its own finds nothing left to do.
    this.#queue.run(() => this.#runGroup()).catch(reject);
    return promise;
  }

  async #runGroup(): Promise<void> {
    // Whoever has sent a request by now is to have the time to ask for his transaction.
    await setImmediate();
    const first = this.#waiting.shift();
    if (first === undefined) return;
    const outcomes = new Map<Waiting<Connection>, Outcome | undefined>([[first, undefined]]);
    try {
      await this.#driver.hold(first.askedAtMs, async (connection) => {
        if (this.#waiting.length === 0) outcomes.set(first, { kind: 'done', result: await first.run(connection) });
        else await this.#runAll(connection, first, outcomes);
      });
    } catch (error) {
      for (const piece of outcomes.keys()) piece.reject(error);
      return;
    }
    for (const [piece, outcome] of outcomes) {
      if (outcome?.kind === 'done') piece.resolve(outcome.result);
      else piece.reject(outcome?.error);
    }
  }

  async #runAll(
    connection: Connection,
    first: Waiting<Connection>,
    outcomes: Map<Waiting<Connection>, Outcome | undefined>,
  ): Promise<void> {
    const startedAtMs = this.#clock.monotonicMs();
    for (let piece: Waiting<Connection> | undefined = first; piece !== undefined; piece = this.#waiting.shift()) {
      outcomes.set(piece, undefined);
      outcomes.set(piece, await this.#outcomeOf(connection, piece));
      if (!this.#driver.isUsable(connection)) return;
      if (outcomes.size >= MOST_IN_GROUP || this.#clock.monotonicMs() - startedAtMs >= LONGEST_MS) return;
    }
  }

  async #outcomeOf(connection: Connection, piece: Waiting<Connection>): Promise<Outcome> {
    try {
      return { kind: 'done', result: await this.#driver.nest(connection, () => piece.run(connection)) };
    } catch (error) {
      return { kind: 'failed', error };
    }
  }
}
