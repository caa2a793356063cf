import type { CancelTask, Clock } from '../../lib/clock.ts';

/** What was told is written so often. */
const FLUSH_INTERVAL_MS = 10_000;
/** What is asked for within this time is written together. */
const GATHER_MS = 250;
/** Writing soon takes the store for at most a tenth of its time. */
const PAUSE_FOR_WORK = 9;

/**
 * Runs `flush`, which never throws and says whether it succeeded, once an interval, and sooner when that is asked for: at most four times a
 * second, and less often where it takes long. After a failure nothing is hurried.
 */
export class FlushPace {
  readonly #clock: Clock;
  readonly #flush: () => Promise<boolean>;
  #running: Promise<void> | undefined;
  #cancel: CancelTask = () => undefined;
  #dueAtMs = 0;
  /** Not before. */
  #soonestMs: number;
  #isHurried = false;
  #isStopped = false;

  constructor(clock: Clock, flush: () => Promise<boolean>) {
    this.#clock = clock;
    this.#flush = flush;
    this.#soonestMs = clock.monotonicMs() + GATHER_MS;
    this.#schedule(FLUSH_INTERVAL_MS);
  }

  hurry(): void {
    if (this.#isStopped) return;
    this.#isHurried = true;
    if (this.#running !== undefined) return;
    const nowMs = this.#clock.monotonicMs();
    const atMs = Math.max(this.#soonestMs, nowMs);
    if (atMs < this.#dueAtMs) this.#schedule(atMs - nowMs);
  }

  /** Resolves when nothing is under way, and nothing will be. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancel();
    await this.#running;
  }

  #schedule(delayMs: number): void {
    this.#cancel();
    this.#dueAtMs = this.#clock.monotonicMs() + delayMs;
    this.#cancel = this.#clock.schedule(delayMs, () => {
      this.#running = this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#isHurried = false;
    const startMs = this.#clock.monotonicMs();
    const hasSucceeded = await this.#flush();
    const endMs = this.#clock.monotonicMs();
    this.#running = undefined;
    if (this.#isStopped) return;
    const pauseMs = hasSucceeded ? Math.max(GATHER_MS, (endMs - startMs) * PAUSE_FOR_WORK) : FLUSH_INTERVAL_MS;
    this.#soonestMs = endMs + Math.min(pauseMs, FLUSH_INTERVAL_MS);
    this.#schedule(this.#isHurried ? this.#soonestMs - endMs : FLUSH_INTERVAL_MS);
  }
}
