import type { CancelTask, Clock } from '../../../lib/clock.ts';
import type { BucketDecision, Counters, EntryDecision, WindowDecision } from '../../../plugin-kit/index.ts';
import { fixedWindowKey, slidingWindowKey } from './counter-keys.ts';
import { FIXED_WINDOW, SLIDING_WINDOW } from './counter-scripts.ts';
import { unavailable } from './redis-counters.ts';
import type { ScriptServer } from './script-server.ts';

export interface DelayedCountersOptions {
  readonly server: ScriptServer;
  /** Counts what comes when too many keys are delayed already, and all that has no window. */
  readonly direct: Counters;
  readonly syncIntervalMs: number;
  /** Workers of the instance that count the same keys. */
  readonly workers: number;
  readonly clock: Clock;
}

/** Keys that are counted here between two syncs; further ones ask the server each time. */
const MAX_KEYS = 10_000;

/** A window of one key. */
interface DelayedWindow {
  readonly kind: 'fixed' | 'sliding';
  readonly key: string;
  readonly limit: number;
  readonly windowMs: number;
  /** Let through here since the server was told last. */
  delta: number;
  /** What the server had counted then, and when by our clock its window ends. */
  used: number;
  endMs: number;
  syncing: Promise<void> | undefined;
  /** The last sync failed: the worker goes on by what it knows. */
  isAlone: boolean;
}

/**
 * Windows that are counted in this worker and told to the server every interval (APISIX, limit-count, `sync_interval`). A request waits
 * for the server only when its key is new or its window over, or when the worker has let through its share of what was left: an equal one
 * for each worker of the instance. So, however many workers it has, an instance lets through less than twice what was left (but for one
 * request a worker), and hardly more than was left where its workers are equally busy. What other instances let through is not known between
 * two syncs, so that for one interval more can pass. What was counted in a fixed window that is over is not told any more.
 *
 * Exact numbers for an instance would need what was told, what was not and the end of the window to change in one step, for many threads
 * that take no locks and may die in between; and other instances would count beside them all the same.
 */
export class DelayedCounters implements Counters {
  readonly #options: DelayedCountersOptions;
  readonly #windows = new Map<string, DelayedWindow>();
  #cancelSync: CancelTask | undefined;
  #isClosed = false;

  constructor(options: DelayedCountersOptions) {
    this.#options = options;
  }

  fixedWindow(key: string, limit: number, windowMs: number): WindowDecision | Promise<WindowDecision> {
    return this.#count('fixed', key, limit, windowMs);
  }

  slidingWindow(key: string, limit: number, windowMs: number): WindowDecision | Promise<WindowDecision> {
    return this.#count('sliding', key, limit, windowMs);
  }

  leakyBucket(key: string, ratePerSecond: number, burst: number): BucketDecision | Promise<BucketDecision> {
    return this.#options.direct.leakyBucket(key, ratePerSecond, burst);
  }

  enter(key: string, limit: number, lifetimeMs?: number): EntryDecision | Promise<EntryDecision> {
    return this.#options.direct.enter(key, limit, lifetimeMs);
  }

  /** Tells the server what it does not know yet, and nothing after that. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelSync?.();
    await this.#syncAll();
  }

  #count(kind: DelayedWindow['kind'], key: string, limit: number, windowMs: number): WindowDecision | Promise<WindowDecision> {
    const id = `${kind} ${windowMs} ${key}`;
    const window = this.#windows.get(id);
    if (window !== undefined && window.endMs > this.#options.clock.monotonicMs()) return this.#takeShare(window, limit);
    if (window === undefined && this.#windows.size >= MAX_KEYS) return this.#askDirectly(kind, key, limit, windowMs);
    const begun = window ?? {
      kind,
      key,
      limit,
      windowMs,
      delta: 0,
      used: 0,
      endMs: Number.NEGATIVE_INFINITY,
      syncing: undefined,
      isAlone: false,
    };
    this.#windows.set(id, begun);
    return this.#begin(begun, limit);
  }

  #askDirectly(kind: DelayedWindow['kind'], key: string, limit: number, windowMs: number): WindowDecision | Promise<WindowDecision> {
    const { direct } = this.#options;
    return kind === 'fixed' ? direct.fixedWindow(key, limit, windowMs) : direct.slidingWindow(key, limit, windowMs);
  }

  async #begin(window: DelayedWindow, limit: number): Promise<WindowDecision> {
    try {
      await this.#sync(window);
    } catch (error) {
      return unavailable(error);
    } finally {
      this.#schedule();
    }
    return this.#takeShare(window, limit);
  }

  #takeShare(window: DelayedWindow, limit: number): WindowDecision | Promise<WindowDecision> {
    return this.#hasUsedShare(window, limit) ? this.#renew(window, limit) : this.#take(window, limit);
  }

  /** There is something left, but what this worker may take of it without asking is gone. */
  #hasUsedShare({ used, delta, isAlone }: DelayedWindow, limit: number): boolean {
    const left = limit - used;
    return !isAlone && delta > 0 && delta < left && delta >= Math.ceil(left / this.#options.workers);
  }

  async #renew(window: DelayedWindow, limit: number): Promise<WindowDecision> {
    try {
      await this.#sync(window);
    } catch {
      // Every request would wait for a server that does not answer: until it does, the numbers are those of the last sync.
      window.isAlone = true;
    }
    // Others that waited for the same answer may have used the new share.
    return this.#takeShare(window, limit);
  }

  #take(window: DelayedWindow, limit: number): WindowDecision {
    const resetMs = Math.max(0, window.endMs - this.#options.clock.monotonicMs());
    const remaining = limit - window.used - window.delta - 1;
    if (remaining < 0) return { kind: 'rejected', resetMs };
    window.delta++;
    return { kind: 'allowed', remaining, resetMs };
  }

  #schedule(): void {
    if (this.#isClosed) return;
    this.#cancelSync ??= this.#options.clock.schedule(this.#options.syncIntervalMs, () => {
      void this.#syncAll().finally(() => {
        this.#cancelSync = undefined;
        if (this.#windows.size > 0) this.#schedule();
      });
    });
  }

  /** Also forgets the windows that are over. */
  async #syncAll(): Promise<void> {
    const nowMs = this.#options.clock.monotonicMs();
    const told: Promise<void>[] = [];
    for (const [id, window] of this.#windows) {
      const isOver = window.endMs <= nowMs;
      if (isOver && window.syncing === undefined) this.#windows.delete(id);
      // What was not told is told at the next sync; until then the numbers are those of the last.
      if (window.delta > 0 && !(isOver && window.kind === 'fixed')) told.push(this.#sync(window).catch(() => {}));
    }
    await Promise.all(told);
  }

  /** Only one at a time. */
  #sync(window: DelayedWindow): Promise<void> {
    window.syncing ??= this.#tell(window).finally(() => {
      window.syncing = undefined;
    });
    return window.syncing;
  }

  async #tell(window: DelayedWindow): Promise<void> {
    const { server, clock } = this.#options;
    const { kind, key, limit, windowMs } = window;
    if (kind === 'fixed' && window.endMs <= clock.monotonicMs()) window.delta = 0;
    const cost = window.delta;
    const args = [String(limit), String(windowMs), String(cost), '1'];
    const isFixed = kind === 'fixed';
    const answer = await server.run(isFixed ? FIXED_WINDOW : SLIDING_WINDOW, isFixed ? fixedWindowKey(key) : slidingWindowKey(key), args);
    const [, number = 0, leftMs = 0] = answer;
    window.isAlone = false;
    window.delta -= cost;
    window.used = isFixed ? number : limit - number;
    window.endMs = clock.monotonicMs() + leftMs;
  }
}
