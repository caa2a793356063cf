import { type BackoffSteps, backoffDelayMs } from '../../lib/backoff.ts';
import type { CancelTask, Clock } from '../../lib/clock.ts';
import { type Random, randomFraction } from '../../lib/random.ts';
import type { Logger } from '../../observability/logger.ts';
import type { ConnectedInstance } from '../connected-instance.ts';
import type { StateCheckedMessage } from '../protocol.ts';
import type { StoredState } from './stored-state.ts';

/** What the comparison of a group needs, and whom it tells. */
export interface StateComparisonOptions {
  readonly state: Pick<StoredState, 'current' | 'forget' | 'isKnown'>;
  /** How often each instance is told what it should hold, less up to a fifth, so that they do not all compare at once; 0 for never. */
  readonly compareIntervalMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** This instance wants a snapshot now. */
  readonly onResync: (instance: ConnectedInstance) => void;
}

const MAX_TICK_MS = 5_000;
/** Snapshots that are under way because of a difference. */
const MOST_RESYNCS_AT_ONCE = 2;
/** A snapshot that has not helped is not soon followed by another. The first comes at once. */
const RESYNC_STEPS: BackoffSteps = { firstDelayMs: 600_000, highestDelayMs: 86_400_000 };
/** One that takes its snapshot for longer than this no longer keeps the others waiting for theirs. */
const RESYNC_LIMIT_MS = 600_000;

interface Watched {
  dueMs: number;
  /** That it had got when it was last told. */
  snapshots: number;
  /** How often it was told and has said nothing of it. */
  unanswered: number;
  isDifferent: boolean;
  /** Since when it is to take a snapshot because of a difference. */
  resyncingSinceMs: number | undefined;
}

interface Attempts {
  readonly count: number;
  readonly notBeforeMs: number;
}

/**
 * Tells the instances of a group what they should hold, a minute apart and soon after each snapshot, and sends those that hold something
 * else a snapshot: few at once, and ever more rarely to one that it does not help.
 */
export class StateComparison {
  readonly #options: StateComparisonOptions;
  readonly #watched = new Map<ConnectedInstance, Watched>();
  /** By instance, over its connections: those that were different when last heard of. */
  readonly #attempts = new Map<string, Attempts>();
  #cancelTick: CancelTask | undefined;
  #isClosed = false;

  constructor(options: StateComparisonOptions) {
    this.#options = options;
  }

  join(instance: ConnectedInstance): void {
    const { clock, random, compareIntervalMs } = this.#options;
    if (compareIntervalMs === 0) return;
    // Many come at once after a control plane has been started.
    const dueMs = clock.monotonicMs() + randomFraction(random) * compareIntervalMs;
    this.#watched.set(instance, { dueMs, snapshots: 0, unanswered: 0, isDifferent: false, resyncingSinceMs: undefined });
    this.#schedule();
  }

  leave(instance: ConnectedInstance): void {
    this.#watched.delete(instance);
  }

  /** What an instance has found. @returns false when it was not asked: then it is not listened to */
  noteChecked(instance: ConnectedInstance, message: StateCheckedMessage): boolean {
    const watched = this.#watched.get(instance);
    if (watched === undefined || watched.unanswered === 0) return false;
    watched.unanswered -= 1;
    instance.noteChecked(message);
    watched.isDifferent = message.outcome === 'different';
    if (!watched.isDifferent) this.#attempts.delete(instance.name.instanceId);
    return true;
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelTick?.();
  }

  #schedule(): void {
    if (this.#isClosed || this.#cancelTick !== undefined) return;
    const { clock, compareIntervalMs } = this.#options;
    this.#cancelTick = clock.schedule(Math.min(MAX_TICK_MS, compareIntervalMs), () => {
      void this.#tick().finally(() => {
        this.#cancelTick = undefined;
        if (this.#watched.size > 0) this.#schedule();
        else this.#options.state.forget();
      });
    });
  }

  async #tick(): Promise<void> {
    this.#startResyncs();
    const nowMs = this.#options.clock.monotonicMs();
    const isDue = (instance: ConnectedInstance, { dueMs, snapshots }: Watched): boolean =>
      dueMs <= nowMs || instance.snapshotCount > snapshots;
    const isAnyDue = [...this.#watched].some((entry) => isDue(...entry) && entry[0].settledRevision !== undefined);
    if (!isAnyDue && !this.#options.state.isKnown) return;
    try {
      const state = await this.#options.state.current();
      if (state === undefined) return;
      for (const [instance, watched] of this.#watched) {
        if (!isDue(instance, watched) || instance.settledRevision !== state.revision) continue;
        instance.connection.send({ kind: 'state-hash', ...state });
        watched.unanswered += 1;
        watched.snapshots = instance.snapshotCount;
        watched.dueMs = this.#nextDueMs();
      }
    } catch (error) {
      this.#options.log.warn('what gateways should hold could not be read to be compared', { cause: String(error) });
    }
  }

  #nextDueMs(): number {
    const { clock, random, compareIntervalMs } = this.#options;
    return clock.monotonicMs() + compareIntervalMs * (1 - randomFraction(random) / 5);
  }

  #startResyncs(): void {
    const nowMs = this.#options.clock.monotonicMs();
    let running = 0;
    for (const [instance, watched] of this.#watched) {
      if (watched.resyncingSinceMs === undefined) continue;
      if (instance.snapshotCount > watched.snapshots && instance.settledRevision !== undefined) {
        watched.resyncingSinceMs = undefined;
        // Whether it has helped is seen at the next comparison.
        watched.isDifferent = false;
      } else if (nowMs - watched.resyncingSinceMs < RESYNC_LIMIT_MS) running++;
    }
    for (const [instance, watched] of this.#watched) {
      if (running >= MOST_RESYNCS_AT_ONCE) return;
      const { instanceId } = instance.name;
      const attempts = this.#attempts.get(instanceId) ?? { count: 0, notBeforeMs: 0 };
      if (!watched.isDifferent || watched.resyncingSinceMs !== undefined || nowMs < attempts.notBeforeMs) continue;
      const count = attempts.count + 1;
      this.#attempts.set(instanceId, { count, notBeforeMs: nowMs + backoffDelayMs(count + 1, RESYNC_STEPS) });
      watched.resyncingSinceMs = nowMs;
      running++;
      this.#options.onResync(instance);
    }
  }
}
