import { backoffDelayMs } from '../../lib/backoff.ts';
import type { CancelTask, Clock } from '../../lib/clock.ts';
import type { PendingBudget } from './pending-budget.ts';

export interface BatchSettings {
  /** 1: every entry is sent at once. */
  readonly maxEntries: number;
  /** A batch is sent when nothing was added for so long. */
  readonly inactiveTimeoutMs: number;
  /** A batch is sent so long after its first entry. */
  readonly bufferDurationMs: number;
  readonly maxRetries: number;
  /** Before the first retry; doubled for each further one, up to a minute. */
  readonly retryDelayMs: number;
}

export interface BatchProcessorOptions<Entry> {
  readonly settings: BatchSettings;
  readonly clock: Clock;
  readonly budget: PendingBudget;
  /** Rejects when the batch did not get there. */
  readonly send: (entries: readonly Entry[]) => Promise<void>;
  /** Entries are lost: `full`, because too many wait, or else because of what `send` rejected with last. */
  readonly onDropped: (entries: number, why: 'full' | 'failed', error: unknown) => void;
  /** Entries that wait or are under way; told whenever a batch begins or ends. */
  readonly onPending?: (entries: number) => void;
}

interface Batch<Entry> {
  readonly entries: Entry[];
  bytes: number;
}

/** Batches of one processor under way at once; those that wait for a retry are among them. */
const MAX_AT_ONCE = 16;
/** A batch is sent when it has so many bytes. */
const MAX_BATCH_BYTES = 4 * 1024 * 1024;
const LONGEST_RETRY_DELAY_MS = 60_000;
/** A longer one makes a timer run at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Gathers entries and sends them in batches (APISIX, batch processor). Adding never waits. What waits is bounded by a budget, in entries
 * and bytes; batches that fail are sent again after growing delays and then dropped.
 */
export class BatchProcessor<Entry> {
  readonly #options: BatchProcessorOptions<Entry>;
  #open: Batch<Entry> = { entries: [], bytes: 0 };
  #firstAtMs = 0;
  #lastAtMs = 0;
  #waiting: Batch<Entry>[] = [];
  #underWay = 0;
  #pending = 0;
  #cancelTick: CancelTask | undefined;
  readonly #cancelRetries = new Set<() => void>();
  #closed = false;
  #expired = false;
  #onEmpty: (() => void) | undefined;

  constructor(options: BatchProcessorOptions<Entry>) {
    this.#options = options;
  }

  /** Adds one entry of about so many bytes of memory, unless `maxPending` entries wait already in the whole budget. */
  add(entry: Entry, bytes: number, maxPending: number): void {
    const { budget, settings, clock, onDropped } = this.#options;
    if (this.#closed || !budget.take(bytes, maxPending)) {
      onDropped(1, 'full', undefined);
      return;
    }
    this.#pending += 1;
    this.#lastAtMs = clock.monotonicMs();
    if (this.#open.entries.length === 0) this.#firstAtMs = this.#lastAtMs;
    this.#open.entries.push(entry);
    this.#open.bytes += bytes;
    if (this.#open.entries.length >= settings.maxEntries || this.#open.bytes >= MAX_BATCH_BYTES) this.#seal();
    else this.#cancelTick ??= clock.schedule(bounded(settings.inactiveTimeoutMs), () => this.#tick());
  }

  /** Drops the oldest batch that waits; false where none does. */
  dropOldest(): boolean {
    const oldest = this.#waiting.shift();
    if (oldest === undefined) return false;
    this.#drop(oldest, 'full', undefined);
    return true;
  }

  /** Sends what there is. Resolves when all of it is sent or dropped, at the latest after `timeoutMs`: what is left then is dropped. */
  async close(timeoutMs: number): Promise<void> {
    this.#closed = true;
    this.#seal();
    if (this.#pending === 0) return;
    await new Promise<void>((resolve) => {
      const cancel = this.#options.clock.schedule(timeoutMs, () => this.#expire());
      this.#onEmpty = () => {
        cancel();
        resolve();
      };
    });
  }

  /** At the end of each silence, and when the first entry has waited long enough. */
  #tick(): void {
    const { settings, clock } = this.#options;
    const dueMs = Math.min(this.#lastAtMs + settings.inactiveTimeoutMs, this.#firstAtMs + settings.bufferDurationMs);
    const leftMs = dueMs - clock.monotonicMs();
    this.#cancelTick = leftMs <= 0 ? undefined : clock.schedule(bounded(leftMs), () => this.#tick());
    if (leftMs <= 0) this.#seal();
  }

  #seal(): void {
    this.#cancelTick?.();
    this.#cancelTick = undefined;
    if (this.#open.entries.length === 0) return;
    this.#waiting.push(this.#open);
    this.#open = { entries: [], bytes: 0 };
    this.#begin();
  }

  #begin(): void {
    while (this.#underWay < MAX_AT_ONCE) {
      const batch = this.#waiting.shift();
      if (batch === undefined) break;
      this.#underWay += 1;
      void this.#deliver(batch);
    }
    this.#options.onPending?.(this.#pending);
  }

  async #deliver(batch: Batch<Entry>): Promise<void> {
    const { settings, send } = this.#options;
    for (let failures = 0; ; ) {
      try {
        await send(batch.entries);
        this.#release(batch);
        break;
      } catch (error) {
        failures += 1;
        if (failures <= settings.maxRetries && !this.#expired) await this.#waitForRetry(failures);
        if (failures <= settings.maxRetries && !this.#expired) continue;
        this.#drop(batch, 'failed', error);
        break;
      }
    }
    this.#underWay -= 1;
    this.#begin();
  }

  #waitForRetry(failures: number): Promise<void> {
    const { settings, clock } = this.#options;
    const firstDelayMs = settings.retryDelayMs;
    const delayMs = backoffDelayMs(failures + 1, { firstDelayMs, highestDelayMs: Math.max(firstDelayMs, LONGEST_RETRY_DELAY_MS) });
    return new Promise((resolve) => {
      const end = (): void => {
        cancel();
        this.#cancelRetries.delete(end);
        resolve();
      };
      const cancel = clock.schedule(bounded(delayMs), end);
      this.#cancelRetries.add(end);
    });
  }

  /** Nobody waits any longer for what is left. What `send` holds comes to its own end. */
  #expire(): void {
    this.#expired = true;
    for (const end of [...this.#cancelRetries]) end();
    while (this.dropOldest());
    this.#onEmpty?.();
  }

  #drop(batch: Batch<Entry>, why: 'full' | 'failed', error: unknown): void {
    this.#release(batch);
    this.#options.onDropped(batch.entries.length, why, error);
  }

  #release({ entries, bytes }: Batch<Entry>): void {
    this.#pending -= entries.length;
    this.#options.budget.release(entries.length, bytes);
    if (this.#closed && this.#pending === 0) this.#onEmpty?.();
  }
}

function bounded(delayMs: number): number {
  return Math.min(delayMs, LONGEST_TIMER_MS);
}
