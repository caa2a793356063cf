import { MAX_USAGE_ENTRIES_PER_BATCH, UsageBatch, type UsageReport, usageParts, usageTuple } from '../../distribution/gateway-side.ts';
import type { CancelTask, Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import type { UsageHandles, UsageLimits } from './usage-handles.ts';
import { UsageRows } from './usage-rows.ts';

/** What a collector needs, and whom it tells. */
export interface UsageCollectorOptions {
  /** Worker threads that may be there at once. */
  readonly rows: number;
  readonly limits?: UsageLimits;
  /** At most one batch is sent in this time. */
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly yieldTurn: () => Promise<void>;
  /** Sends one message of a batch; false when it cannot be sent now. */
  readonly send: (report: UsageReport) => boolean;
}

/** A worker that meets new credentials all the time is emptied earlier than the interval is over. */
const CHECK_MS = 250;
const EARLY_FILL = 0.25;
/** Entries that are read between two breaths: about two milliseconds. */
const READ_AT_ONCE = 1000;

/**
 * Adds up what the workers count and passes it on, once an interval. What cannot be sent is kept and added to, in one batch of bounded
 * size; what was sent is forgotten, so that nothing is ever counted twice.
 */
export class UsageCollector {
  readonly #options: UsageCollectorOptions;
  readonly #rows: UsageRows;
  readonly #pending = new UsageBatch(MAX_USAGE_ENTRIES_PER_BATCH);
  /** Rows whose worker was in the middle of a request's count when its half was changed. */
  readonly #restless = new Set<number>();
  readonly #epoch: string;
  #sequence = 0;
  #sentAtMs: number;
  #running: Promise<void> = Promise.resolve();
  #cancel: CancelTask = () => undefined;
  #isStopped = false;

  constructor(options: UsageCollectorOptions) {
    this.#options = options;
    this.#rows = new UsageRows(options.rows, options.limits);
    this.#epoch = options.random.bytes(8).toString('hex');
    this.#sentAtMs = options.clock.monotonicMs();
  }

  /** To be given to each worker. */
  get handles(): UsageHandles {
    return this.#rows.handles;
  }

  start(): void {
    this.#cancel = this.#options.clock.schedule(CHECK_MS, () => {
      this.#running = this.#check().then(() => {
        if (!this.#isStopped) this.start();
      });
    });
  }

  /** The worker thread of this row has ended. */
  endWriting(row: number): void {
    this.#rows.endWriting(row);
  }

  /** Sends what there is, if it can be sent, by `send` where it is given. What is counted afterwards is lost. */
  async stop(send = this.#options.send): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#cancel();
    await this.#running;
    await this.#collect(0);
    await this.#send(send);
  }

  async #check(): Promise<void> {
    const isDue = this.#options.clock.monotonicMs() - this.#sentAtMs >= this.#options.intervalMs;
    await this.#collect(isDue ? 0 : EARLY_FILL);
    if (isDue) await this.#send(this.#options.send);
  }

  /** Takes over what workers have counted in rows that are fuller than this. */
  async #collect(fill: number): Promise<void> {
    for (let row = 0; row < this.#rows.count; row++) {
      if (this.#restless.has(row)) {
        if (!this.#rows.isAtRest(row)) continue;
        await this.#empty(row);
      }
      if (this.#rows.fill(row) <= fill) continue;
      if (this.#rows.flip(row)) await this.#empty(row);
      else this.#restless.add(row);
    }
  }

  async #empty(row: number): Promise<void> {
    this.#restless.delete(row);
    let read = 0;
    for (const entry of this.#rows.read(row)) {
      this.#pending.add(entry);
      read++;
      if (read % READ_AT_ONCE === 0) await this.#options.yieldTurn();
    }
    this.#rows.clear(row);
  }

  async #send(send: UsageCollectorOptions['send']): Promise<void> {
    this.#sentAtMs = this.#options.clock.monotonicMs();
    const entries = this.#pending.entries();
    this.#pending.clear();
    let isTaken = true;
    for (const part of usageParts(entries)) {
      if (isTaken) {
        isTaken = send({ epoch: this.#epoch, sequence: this.#sequence + 1, entries: part.map(usageTuple) });
        if (isTaken) this.#sequence++;
      }
      if (!isTaken) for (const entry of part) this.#pending.add(entry);
      await this.#options.yieldTurn();
    }
  }
}
