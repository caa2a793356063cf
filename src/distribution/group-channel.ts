import type { CancelTask, Clock } from '../lib/clock.ts';
import type { Random } from '../lib/random.ts';
import { RateLimit } from '../lib/rate-limit.ts';
import type { Logger } from '../observability/logger.ts';
import type { StoreReader } from '../store/store.ts';
import { AppliedWait } from './applied-wait.ts';
import type { ConnectedInstance, InstanceStatus } from './connected-instance.ts';
import type { AppliedMessage, StateCheckedMessage } from './protocol.ts';
import type { PublisherEvents } from './publisher-events.ts';
import type { DeltaFrame, SignedMessages } from './signed-messages.ts';
import { StateComparison } from './state-hash/state-comparison.ts';
import type { StoredState } from './state-hash/stored-state.ts';
import type { StoreContinuity } from './store-continuity.ts';

/** How far a revision has come. */
export interface AppliedRevision {
  /** Connected instances that have it in force. */
  readonly applied: number;
  /** Connected instances. */
  readonly expected: number;
  /** Ids of the connected instances that do not have it in force. */
  readonly lagging: readonly string[];
  /** Why some of them, which are connected to other control planes, cannot put it in force. Absent: nobody says so. */
  readonly refusedElsewhere?: readonly Refusal[];
}

/** An instance could not put a revision in force. */
export interface Refusal {
  readonly instanceId: string;
  readonly refused: { readonly revision: number; readonly reason: string };
}

/** What a channel needs. */
export interface GroupChannelOptions {
  readonly groupId: string;
  readonly messages: SignedMessages;
  readonly store: Pick<StoreReader, 'getGroup'>;
  readonly state: StoredState;
  /** How often instances compare what they hold with it; 0 for never. */
  readonly compareIntervalMs: number;
  readonly continuity: StoreContinuity;
  readonly events: PublisherEvents | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/**
 * A gateway needs one when it holds nothing, when its disk copy is worn out or a delta is missing: a few times an hour. Each snapshot is the whole
 * configuration, signed and sent.
 */
const SNAPSHOTS_PER_SECOND = 0.1;
const SNAPSHOTS_BURST_SECONDS = 100;

/**
 * All connected instances of one gateway group. Changes that come while deltas are being built wait for the next round, so a
 * burst becomes one delta; instances that stand at the same revision get the same frame.
 */
export class GroupChannel {
  readonly #options: GroupChannelOptions;
  readonly #instances = new Map<string, ConnectedInstance>();
  readonly #draining = new Set<ConnectedInstance>();
  readonly #waits = new Set<AppliedWait>();
  readonly #comparison: StateComparison;
  /** By instance, over all its connections. */
  readonly #snapshots = new RateLimit(SNAPSHOTS_PER_SECOND, SNAPSHOTS_BURST_SECONDS);
  /** Instances whose snapshot waits for its turn, and how to call that off. */
  readonly #postponed = new Map<ConnectedInstance, CancelTask>();
  /** The oldest delta that an instance has not answered, and when it was sent. */
  readonly #unanswered = new WeakMap<ConnectedInstance, { readonly revision: number; readonly sentAtMs: number }>();
  #newest = 0;
  #publishing = false;
  #publishAgain = false;

  constructor(options: GroupChannelOptions) {
    this.#options = options;
    this.#comparison = new StateComparison({ ...options, onResync: (instance) => this.#wantSnapshot(instance) });
  }

  get newestRevision(): number {
    return this.#newest;
  }

  /** The group has this revision now, and perhaps a later one. Also makes up for what a failing store has kept back. */
  noteRevision(revision: number): void {
    this.#newest = Math.max(this.#newest, revision);
    void this.#publish();
  }

  /** Asks the store, because another process may have written: also when no instance is here, for one that comes may hold what the store has lost since. */
  async poll(): Promise<void> {
    // Known before the question, so the answer cannot be older than it.
    const known = this.#newest;
    const { groupId, store, continuity } = this.#options;
    try {
      const group = await store.getGroup(groupId);
      if (group === undefined) return;
      if (group.revision < known) continuity.noteLoss();
      else this.noteRevision(group.revision);
    } catch (error) {
      this.#options.log.error('the revision of a group could not be read', { groupId }, error);
    }
  }

  /** Takes an instance in; an older connection of the same instance is closed. */
  join(instance: ConnectedInstance): void {
    const { instanceId } = instance.name;
    const former = this.#instances.get(instanceId);
    // Whoever waits for the former one is told of the instance all the same.
    this.#instances.set(instanceId, instance);
    former?.connection.close('replaced by a newer connection of the same instance');
    this.#comparison.join(instance);
    void this.#publish();
  }

  leave(instance: ConnectedInstance): void {
    this.#postponed.get(instance)?.();
    this.#postponed.delete(instance);
    this.#comparison.leave(instance);
    if (this.#instances.get(instance.name.instanceId) === instance) this.#instances.delete(instance.name.instanceId);
    this.#reviewWaits(instance);
  }

  /** @returns false when the answer speaks of something that was never sent */
  noteAnswer(instance: ConnectedInstance, answer: AppliedMessage): boolean {
    const makesSense = instance.noteAnswer(answer, this.#newest);
    this.#tell(instance, answer);
    this.#reviewWaits(instance);
    void this.#publish();
    return makesSense;
  }

  /** One that asks or comes anew too often gets its snapshot later, and one only, however often it has asked until then. */
  noteSnapshotRequest(instance: ConnectedInstance): void {
    if (instance.takesSnapshot || this.#postponed.has(instance) || instance.connection.isClosed) return;
    const { clock } = this.#options;
    const waitMs = this.#snapshots.take(instance.name.instanceId, clock.monotonicMs());
    if (waitMs === 0) {
      this.#wantSnapshot(instance);
      return;
    }
    const again = (): void => {
      this.#postponed.delete(instance);
      this.noteSnapshotRequest(instance);
    };
    this.#postponed.set(instance, clock.schedule(waitMs, again));
  }

  /** @returns false when it was not asked: then it is not listened to */
  noteChecked(instance: ConnectedInstance, message: StateCheckedMessage): boolean {
    if (!this.#comparison.noteChecked(instance, message)) return false;
    this.#options.events?.onCompared(message.outcome);
    return true;
  }

  /** Resolves when all awaited instances have answered the revision, at the latest after `timeoutMs`; at once when that is 0. */
  waitApplied(revision: number, timeoutMs: number): Promise<AppliedRevision> {
    const awaited = [...this.#instances.values()].filter((instance) => instance.isAwaited && !instance.hasAnswered(revision));
    if (awaited.length === 0 || timeoutMs <= 0) return Promise.resolve(this.#appliedRevision(revision));
    return new Promise((resolve) => {
      const onEnd = (wait: AppliedWait): void => {
        this.#waits.delete(wait);
        resolve(this.#appliedRevision(revision));
      };
      this.#waits.add(new AppliedWait({ revision, awaited, timeoutMs, clock: this.#options.clock, onEnd }));
    });
  }

  /** Nobody will answer any more. */
  endWaits(): void {
    for (const wait of this.#waits) wait.end();
  }

  instances(): readonly InstanceStatus[] {
    return [...this.#instances.values()].map((instance) => instance.status());
  }

  /** Ends all connections and waits. */
  close(): void {
    for (const instance of this.#instances.values()) instance.connection.close('the control plane is stopping');
    this.endWaits();
    this.#comparison.close();
    for (const cancel of this.#postponed.values()) cancel();
  }

  #wantSnapshot(instance: ConnectedInstance): void {
    instance.noteSnapshotRequest();
    void this.#publish();
  }

  #tell(instance: ConnectedInstance, { revision, outcome }: AppliedMessage): void {
    const { events, clock } = this.#options;
    if (outcome === 'refused') events?.onRefused();
    const sent = this.#unanswered.get(instance);
    if (sent === undefined || revision < sent.revision) return;
    this.#unanswered.delete(instance);
    if (outcome === 'applied') events?.onAcknowledged(clock.monotonicMs() - sent.sentAtMs);
  }

  #appliedRevision(revision: number): AppliedRevision {
    const all = [...this.#instances.values()];
    const lagging = all.filter((instance) => !instance.hasApplied(revision)).map((instance) => instance.name.instanceId);
    return { applied: all.length - lagging.length, expected: all.length, lagging };
  }

  #reviewWaits(instance: ConnectedInstance): void {
    for (const wait of this.#waits) wait.review(instance);
  }

  async #publish(): Promise<void> {
    if (this.#options.continuity.isBroken) return;
    this.#publishAgain = true;
    if (this.#publishing) return;
    this.#publishing = true;
    try {
      while (this.#publishAgain) {
        this.#publishAgain = false;
        await this.#publishOnce();
      }
    } catch (error) {
      // The next write or poll tries again.
      this.#options.log.error('changes could not be published', { groupId: this.#options.groupId }, error);
    } finally {
      this.#publishing = false;
    }
  }

  async #publishOnce(): Promise<void> {
    const deltas = new Map<number, DeltaFrame | undefined>();
    for (const instance of [...this.#instances.values()]) {
      if (instance.noteCongestion()) this.#publishWhenDrained(instance);
      const step = instance.nextStep(this.#newest);
      if (step.kind === 'nothing') continue;
      if (step.kind === 'snapshot') {
        this.#sendSnapshotInTurn(instance);
        continue;
      }
      if (!deltas.has(step.fromRevision)) deltas.set(step.fromRevision, await this.#options.messages.delta(step.fromRevision));
      // What is there does not lead on from what instances hold.
      if (this.#options.continuity.isBroken) return;
      this.#sendDelta(instance, step.fromRevision, deltas.get(step.fromRevision));
    }
  }

  #sendDelta(instance: ConnectedInstance, fromRevision: number, delta: DeltaFrame | undefined): void {
    // An answer may have come while the delta was being built.
    const step = instance.nextStep(this.#newest);
    if (step.kind !== 'delta' || step.fromRevision !== fromRevision) {
      this.#publishAgain = true;
      return;
    }
    if (delta === undefined) {
      this.#sendSnapshotInTurn(instance);
      return;
    }
    if (delta.toRevision <= fromRevision) return;
    this.#newest = Math.max(this.#newest, delta.toRevision);
    instance.noteDeltaSent(delta.toRevision);
    if (!this.#unanswered.has(instance)) {
      this.#unanswered.set(instance, { revision: delta.toRevision, sentAtMs: this.#options.clock.monotonicMs() });
    }
    instance.connection.sendFrame(delta.frame);
  }

  #publishWhenDrained(instance: ConnectedInstance): void {
    if (this.#draining.has(instance)) return;
    this.#draining.add(instance);
    void instance.connection.drained().then(() => {
      this.#draining.delete(instance);
      if (!instance.connection.isClosed) void this.#publish();
    });
  }

  /** What was asked for, and for a comparison, has had its turn. */
  #sendSnapshotInTurn(instance: ConnectedInstance): void {
    if (instance.takesSnapshot) void this.#sendSnapshot(instance);
    else this.noteSnapshotRequest(instance);
  }

  async #sendSnapshot(instance: ConnectedInstance): Promise<void> {
    const { connection } = instance;
    instance.noteSnapshotBegun();
    this.#unanswered.delete(instance);
    let bytes = 0;
    try {
      for await (const message of this.#options.messages.snapshot()) {
        if (connection.isClosed) return;
        connection.send(message);
        if (message.kind === 'snapshot-part') bytes += Buffer.byteLength(message.payload);
        if (message.kind === 'snapshot-end') {
          this.#newest = Math.max(this.#newest, message.revision);
          instance.noteSnapshotSent(message.revision);
        }
        await connection.drained();
      }
      this.#options.events?.onSnapshotSent(this.#options.groupId, bytes);
      // Items that were newer than the snapshot wait for their delta, whoever wrote them.
      void this.poll();
    } catch (error) {
      this.#options.log.error('a snapshot could not be sent', { ...instance.name }, error);
      connection.close('the snapshot could not be sent');
    }
  }
}
