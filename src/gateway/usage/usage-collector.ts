import type { UsageLink } from '../../distribution/gateway-side.ts';
import type { CancelTask, Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import type { UsageHandles, UsageLimits } from './usage-handles.ts';
import { UsageRows } from './usage-rows.ts';
import { UsageSender } from './usage-sender.ts';

/** What a collector needs, and whom it tells. */
export interface UsageCollectorOptions {
  /** Worker threads that may be there at once. */
  readonly rows: number;
  readonly limits?: UsageLimits;
  /** Unless something has waited, one portion is sent in this time. */
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly yieldTurn: () => Promise<void>;
  /** The connection to a control plane; undefined while there is none. */
  readonly link: () => UsageLink | undefined;
}

/** A worker that meets new credentials all the time is emptied earlier than the interval is over. */
const CHECK_MS = 250;
const EARLY_FILL = 0.25;
/** While an outage is told, whether the last portion is written is looked at more often: that decides how long it takes. */
const DRAINING_CHECK_MS = 50;
/** Control planes write so often by themselves. */
const WRITTEN_EVERY_MS = 10_000;
/** Entries that are read between two breaths: about two milliseconds. */
const READ_AT_ONCE = 1000;

/** Adds up what the workers count and has it passed on, once an interval. */
export class UsageCollector {
  readonly #options: UsageCollectorOptions;
  readonly #rows: UsageRows;
  readonly #sender: UsageSender;
  /** Rows whose worker was in the middle of a request's count when its half was changed. */
  readonly #restless = new Set<number>();
  #intervalStartMs: number;
  #running: Promise<void> = Promise.resolve();
  #cancel: CancelTask = () => undefined;
  #isStopped = false;

  constructor(options: UsageCollectorOptions) {
    this.#options = options;
    this.#rows = new UsageRows(options.rows, options.limits);
    const { clock, random, intervalMs, yieldTurn } = options;
    this.#sender = new UsageSender({ epoch: random.bytes(8).toString('hex'), isHasty: intervalMs < WRITTEN_EVERY_MS, yieldTurn });
    this.#intervalStartMs = clock.monotonicMs();
  }

  /** To be given to each worker. */
  get handles(): UsageHandles {
    return this.#rows.handles;
  }

  start(): void {
    this.#cancel = this.#options.clock.schedule(this.#sender.isDraining ? DRAINING_CHECK_MS : CHECK_MS, () => {
      this.#running = this.#check().then(() => {
        if (!this.#isStopped) this.start();
      });
    });
  }

  /** The worker thread of this row has ended. */
  endWriting(row: number): void {
    this.#rows.endWriting(row);
  }

  /** Sends all that there is, if it can be sent. What is counted afterwards is lost. */
  async stop(link = this.#options.link()): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#cancel();
    await this.#running;
    await this.#collect(0);
    await this.#sender.sendAll(link);
  }

  async #check(): Promise<void> {
    const { clock, intervalMs, link } = this.#options;
    const nowMs = clock.monotonicMs();
    const isOver = nowMs - this.#intervalStartMs >= intervalMs;
    await this.#collect(isOver ? 0 : EARLY_FILL);
    if (isOver) {
      this.#intervalStartMs = nowMs;
      this.#sender.endInterval();
    }
    await this.#sender.proceed(link());
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
      this.#sender.add(entry);
      read++;
      if (read % READ_AT_ONCE === 0) await this.#options.yieldTurn();
    }
    this.#rows.clear(row);
  }
}
