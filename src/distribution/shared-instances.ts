import { PortcullisError } from '../errors/index.ts';
import type { CancelTask, Clock } from '../lib/clock.ts';
import { FreshReads } from '../lib/fresh-reads.ts';
import type { Logger } from '../observability/logger.ts';
import type { InstanceRegistry, InstanceReport, RegisteredInstance } from '../store/instance-registry.ts';
import type { ConnectedInstance } from './connected-instance.ts';
import type { AppliedRevision } from './group-channel.ts';
import type { ConfigurationHistory } from './history-sessions.ts';

/** What is shared, and by what. */
export interface SharedInstancesOptions {
  readonly registry: InstanceRegistry;
  readonly history: ConfigurationHistory;
  readonly clock: Clock;
  readonly log: Logger;
  /** The store is not the one that this control plane has served from: it must end before it says or writes anything more. Called once. */
  readonly onStoreReplaced: (error: Error) => void;
}

const RENEW_INTERVAL_MS = 2_000;
/**
 * A control plane that has not renewed for this long is taken for dead, and nobody waits for its instances. Before that they have left one that hangs or is
 * cut off from the store (after six seconds of silence, or three without the store, and some to move: ten in all at the longest in a hundred rounds), so that no answer says that
 * a revocation is in force everywhere while an instance that nobody counts goes on without it.
 */
export const CONTROL_PLANE_LEASE_MS = 15_000;
/** All connections are told anew after this many renewals, so that whatever got lost is put right. */
const RENEWALS_PER_FULL_REPORT = 5;
/** How long a newcomer waits at most for the others to be told of it. */
const MOST_TELLING_MS = 1_000;
/** Hints may get lost, so a wait looks by itself this often. */
const LOOK_INTERVAL_MS = 250;

/**
 * The instances of a control plane that shares its store with others: tells those what its own have in force, in batches of which one at a time
 * is under way, and waits for theirs. What the registry cannot tell is not waited for.
 */
export class SharedInstances {
  readonly #options: SharedInstancesOptions;
  readonly #connected = new Set<ConnectedInstance>();
  readonly #joined = new Set<ConnectedInstance>();
  readonly #changed = new Set<ConnectedInstance>();
  /** What goes on when the others have been told of a newcomer. */
  readonly #onTold = new Map<ConnectedInstance, () => void>();
  readonly #reads: FreshReads<readonly RegisteredInstance[]>;
  /** By group and instance: the newest revision that was written since a wait was missed. It is waited for again when it has answered that. */
  readonly #missed = new Map<string, number>();
  /** By group: the instances of others that the registry told of last. */
  readonly #lastTold = new Map<string, readonly RegisteredInstance[]>();
  readonly #wakers = new Set<{ readonly groupId: string; readonly wake: () => void }>();
  #reporting: Promise<void> | undefined;
  #renewals = 0;
  #isClosed = false;
  #isHistoryInDoubt = false;
  #cancelRenewal: CancelTask = () => undefined;
  #unwatch: () => Promise<void> = async () => undefined;

  constructor(options: SharedInstancesOptions) {
    this.#options = options;
    this.#reads = new FreshReads((groupId) => options.registry.listOthers(groupId));
  }

  start(): void {
    this.#unwatch = this.#options.registry.watch((groupId) => this.#wake(groupId));
    this.#scheduleRenewal();
  }

  /** Resolves when the others know of it, and their writes wait for it; also when they cannot be told now. */
  joined(instance: ConnectedInstance): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onTold.set(instance, resolve);
    const cancel = this.#options.clock.schedule(MOST_TELLING_MS, resolve);
    this.#connected.add(instance);
    this.#joined.add(instance);
    this.#report();
    return promise.finally(() => {
      cancel();
      this.#onTold.delete(instance);
    });
  }

  /** It has answered, or something else is to be said of it. */
  changed(instance: ConnectedInstance): void {
    this.#changed.add(instance);
    this.#report();
  }

  left(instance: ConnectedInstance): void {
    this.#connected.delete(instance);
    // What was never told must not take over from a newer connection.
    this.#joined.delete(instance);
    this.#onTold.get(instance)?.();
    this.changed(instance);
  }

  /**
   * Waits as `GroupChannel.waitApplied` does, for the instances that are connected to other control planes. Never rejects: when the registry
   * cannot be read, those that were connected last count as not having it.
   */
  async waitApplied(groupId: string, revision: number, timeoutMs: number): Promise<AppliedRevision> {
    const { clock, log } = this.#options;
    const deadlineMs = clock.monotonicMs() + timeoutMs;
    try {
      for (;;) {
        // Before the reading: what is told while that is under way may be newer than what it finds.
        const hint = this.#expectHint(groupId);
        try {
          const others = (await this.#reads.read(groupId)).filter((each) => each.isConnected);
          this.#lastTold.set(groupId, others);
          const pending = others.filter((each) => each.answeredRevision < revision && this.#isAwaited(each, revision));
          const leftMs = deadlineMs - clock.monotonicMs();
          if (pending.length === 0 || leftMs <= 0 || this.#isClosed) {
            if (timeoutMs > 0) for (const each of pending) this.#missed.set(keyOf(each), revision);
            return appliedRevision(others, revision);
          }
          await hint.within(Math.min(leftMs, LOOK_INTERVAL_MS));
        } finally {
          hint.end();
        }
      }
    } catch (error) {
      log.error('what instances of other control planes have in force could not be read', { groupId, revision }, error);
      const others = this.#lastTold.get(groupId);
      return others === undefined ? NOBODY_KNOWN : appliedRevision(others, revision);
    }
  }

  /** Ends all waits and tells the others that nothing is connected here any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelRenewal();
    for (const { wake } of this.#wakers) wake();
    for (const onTold of this.#onTold.values()) onTold();
    await this.#unwatch();
    await this.#reporting;
    await this.#options.registry
      .leave()
      .catch((error: unknown) => this.#options.log.warn('the other control planes could not be told of the end', { cause: String(error) }));
  }

  #isAwaited(instance: RegisteredInstance, revision: number): boolean {
    const key = keyOf(instance);
    const missed = this.#missed.get(key);
    if (missed === undefined) return instance.isAwaited;
    if (instance.answeredRevision < missed) {
      this.#missed.set(key, Math.max(missed, revision));
      return false;
    }
    this.#missed.delete(key);
    return instance.isAwaited;
  }

  /** A hint about the group that comes from now on; `within` resolves with it, or when the time is over. */
  #expectHint(groupId: string): { within(durationMs: number): Promise<void>; end(): void } {
    const { promise, resolve } = Promise.withResolvers<void>();
    const waker = { groupId, wake: resolve };
    this.#wakers.add(waker);
    return {
      within: (durationMs) => {
        const cancel = this.#options.clock.schedule(durationMs, resolve);
        return promise.finally(cancel);
      },
      end: () => this.#wakers.delete(waker),
    };
  }

  #wake(groupId: string | undefined): void {
    for (const waker of this.#wakers) if (groupId === undefined || waker.groupId === groupId) waker.wake();
  }

  #report(): void {
    if (this.#isClosed) return;
    this.#reporting ??= this.#reportAll().finally(() => {
      this.#reporting = undefined;
    });
  }

  async #reportAll(): Promise<void> {
    const { registry, log } = this.#options;
    while (!this.#isClosed && this.#joined.size + this.#changed.size > 0) {
      const joined = [...this.#joined];
      const changed = [...this.#changed].filter((instance) => !this.#joined.has(instance));
      this.#joined.clear();
      this.#changed.clear();
      try {
        await registry.report(newestOf(joined.map(this.#reportOf)), changed.map(this.#reportOf));
      } catch (error) {
        // The next full report says it again.
        log.warn('the other control planes could not be told what instances have in force', { cause: String(error) });
        for (const instance of joined) if (this.#connected.has(instance)) this.#joined.add(instance);
        for (const instance of changed) this.#changed.add(instance);
        return;
      } finally {
        for (const instance of joined) this.#onTold.get(instance)?.();
      }
    }
  }

  readonly #reportOf = (instance: ConnectedInstance): InstanceReport => instance.report(this.#connected.has(instance));

  #scheduleRenewal(): void {
    this.#cancelRenewal = this.#options.clock.schedule(RENEW_INTERVAL_MS, () => {
      void this.#renew().then(() => {
        if (!this.#isClosed) this.#scheduleRenewal();
      });
    });
  }

  #endWith(error: Error): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#options.onStoreReplaced(error);
  }

  async #renew(): Promise<void> {
    const { registry, history, log } = this.#options;
    try {
      const { wasExpired } = await registry.renew(history.id, CONTROL_PLANE_LEASE_MS);
      if (wasExpired) {
        log.warn('this control plane was taken for dead by the others for a while: its database did not answer');
        // Whoever started meanwhile has begun a history of its own.
        this.#isHistoryInDoubt = true;
      }
      if (this.#isHistoryInDoubt && !(await history.isPresent())) {
        return this.#endWith(new PortcullisError('store_replaced', { detail: OTHER_HISTORY }));
      }
      this.#isHistoryInDoubt = false;
    } catch (error) {
      if (error instanceof PortcullisError && error.reason === 'store_replaced') return this.#endWith(error);
      log.warn('this control plane could not tell the others that it lives', { cause: String(error) });
      // The database may come back without its newest transactions, and another control plane begin a history that leads on from there.
      this.#isHistoryInDoubt = true;
      return;
    }
    this.#renewals += 1;
    if (this.#renewals % RENEWALS_PER_FULL_REPORT === 0) for (const instance of this.#connected) this.#changed.add(instance);
    this.#report();
  }
}

/** Of instances that nothing was ever told of nobody may believe that they have a revision in force. */
const NOBODY_KNOWN: AppliedRevision = { applied: 0, expected: 1, lagging: ['unknown'] };

const OTHER_HISTORY =
  'the store goes on with the history of another control plane, which started while this one could not reach it: this control plane starts anew';

/** One that has come twice at once belongs to its newest connection; no registry can write down two for it. */
function newestOf(reports: readonly InstanceReport[]): readonly InstanceReport[] {
  const inOrder = reports.toSorted((one, other) => one.connectionId - other.connectionId);
  return [...new Map(inOrder.map((report) => [keyOf(report), report])).values()];
}

function keyOf({ groupId, instanceId }: Pick<InstanceReport, 'groupId' | 'instanceId'>): string {
  return JSON.stringify([groupId, instanceId]);
}

function appliedRevision(instances: readonly RegisteredInstance[], revision: number): AppliedRevision {
  const lagging = instances.filter((each) => each.revision < revision).map(({ instanceId }) => instanceId);
  const told = { applied: instances.length - lagging.length, expected: instances.length, lagging };
  const refusedElsewhere = instances.flatMap(({ instanceId, refused }) =>
    refused !== undefined && refused.revision >= revision ? [{ instanceId, refused }] : [],
  );
  return refusedElsewhere.length === 0 ? told : { ...told, refusedElsewhere };
}
