import { DIGEST_BYTES } from '../lib/key-digest.ts';
import type { Logger } from '../observability/logger.ts';
import { ProtocolError } from './frame-codec.ts';
import type { FrameConnection } from './frame-connection.ts';
import type { HeldConfiguration, TakeOutcome } from './held-configuration.ts';
import type { JournalOrigin } from './journal-record.ts';
import type { JournalSnapshotWriter } from './journal-snapshot-writer.ts';
import { parseControlPlaneMessage } from './parse-message.ts';
import { parseChanges } from './parse-payload.ts';
import type {
  AppliedMessage,
  DeltaMessage,
  HeartbeatMessage,
  RejectMessage,
  SnapshotEndMessage,
  SnapshotStartMessage,
  StateHashMessage,
  WelcomeMessage,
} from './protocol.ts';
import { PayloadDigest, Verifier } from './signing.ts';
import type { StateCheck } from './state-hash/state-check.ts';
import type { SubscriberIdentity } from './sync-client.ts';
import type { ConnectionUsageLink } from './usage-link.ts';

/** What a session needs, and whom it tells. */
export interface SyncSessionOptions {
  readonly identity: Pick<SubscriberIdentity, 'groupId' | 'instanceId'>;
  readonly held: HeldConfiguration;
  readonly stateCheck: Pick<StateCheck, 'compare'>;
  readonly connection: Pick<FrameConnection, 'send' | 'closeAfter' | 'expectHeartbeats'>;
  readonly usage: Pick<ConnectionUsageLink, 'noteWelcome' | 'noteKept'>;
  readonly log: Logger;
  readonly onCurrent: (revision: number) => void;
  readonly onAuthorities: (authority: string) => void;
  readonly onRefused: (revision: number, reason: string) => void;
  /** The control plane has told its time, in milliseconds since 1970. */
  readonly onTime: (nowMs: number) => void;
}

interface Welcomed {
  readonly origin: JournalOrigin;
  readonly verifier: Verifier;
}

/** A snapshot on its way in; without a writer it is refused and read only to get past it. */
interface IncomingSnapshot {
  readonly revision: number;
  readonly digest: PayloadDigest;
  readonly writer: JournalSnapshotWriter | undefined;
  readonly refusal: TakeOutcome | undefined;
}

/** The gateway's side of one sync connection, from the welcome on: verifies what arrives, has it taken, and answers. */
export class SyncSession {
  readonly #options: SyncSessionOptions;
  /** In force here, and told when the processes that serve beside this one have it. */
  #untold: number | undefined;
  #welcomed: Welcomed | undefined;
  #rejection: string | undefined;
  #newestKnown = 0;
  /** What is held is of the control plane's history: its deltas may be laid over it. */
  #isOfItsHistory = false;
  #snapshot: IncomingSnapshot | undefined;
  #snapshotRequested = false;
  #isStoreAway = false;
  /** After a refusal the control plane builds on what was kept; deltas that it had sent before build on what was refused. */
  #awaitsRebase = false;

  constructor(options: SyncSessionOptions) {
    this.#options = options;
  }

  get isWelcome(): boolean {
    return this.#welcomed !== undefined;
  }

  /** The newest that the control plane has named; undefined before it has, while it cannot know, and while what is held is of another history. */
  get newestRevision(): number | undefined {
    return this.#welcomed !== undefined && this.#isOfItsHistory && !this.#isStoreAway ? this.#newestKnown : undefined;
  }

  /** The control plane says that it does not reach its store. */
  get isStoreAway(): boolean {
    return this.#isStoreAway;
  }

  /** Why the control plane does not want this instance; undefined when it does. */
  get rejection(): string | undefined {
    return this.#rejection;
  }

  /** @throws ProtocolError when the peer is broken, or what it sent is not genuine */
  async receive(text: string): Promise<void> {
    const message = parseControlPlaneMessage(text);
    if (message === undefined) return;
    if (message.kind === 'heartbeat') return this.#noteHeartbeat(message);
    if (message.kind === 'reject') return this.#reject(message);
    if (message.kind === 'welcome') return this.#welcome(message);
    if (this.#welcomed === undefined) throw new ProtocolError('the first message was no welcome');
    switch (message.kind) {
      case 'authorities':
        return this.#options.onAuthorities(message.authority);
      case 'snapshot-start':
        return this.#beginSnapshot(message, this.#welcomed);
      case 'snapshot-part':
        return this.#addToSnapshot(message.payload);
      case 'snapshot-end':
        return this.#endSnapshot(message, this.#welcomed);
      case 'delta':
        return this.#takeDelta(message, this.#welcomed);
      case 'state-hash':
        return this.#compareState(message);
      case 'usage-kept':
        return this.#options.usage.noteKept(message);
    }
  }

  /** The connection is gone; a snapshot that had not arrived as a whole leaves nothing behind. */
  async end(): Promise<void> {
    const writer = this.#snapshot?.writer;
    this.#snapshot = undefined;
    await writer?.abort();
  }

  #noteHeartbeat({ nowMs, storeAway }: HeartbeatMessage): void {
    this.#isStoreAway = storeAway === true;
    if (this.isWelcome) this.#options.onTime(nowMs);
  }

  #reject(message: RejectMessage): void {
    this.#rejection = message.reason;
    throw new ProtocolError('the control plane turned this instance away');
  }

  #welcome(message: WelcomeMessage): void {
    const { identity, held, connection, usage } = this.#options;
    connection.expectHeartbeats(message.heartbeatMs);
    if (message.groupId !== identity.groupId || message.instanceId !== identity.instanceId) {
      throw new ProtocolError('the control plane takes this instance for another one');
    }
    if (Buffer.from(message.keySalt, 'base64').length !== DIGEST_BYTES) throw new ProtocolError('the salt has the wrong length');
    const { groupId, keySalt, signingKey } = message;
    this.#welcomed = { origin: { groupId, keySalt, signingKey }, verifier: new Verifier(signingKey) };
    usage.noteWelcome(message.acknowledgesUsage ?? false);
    this.#newestKnown = message.revision;
    this.#isOfItsHistory = message.historyAccepted ?? true;
    const { refused } = held;
    if (refused !== undefined) this.#answer({ kind: 'refused', ...refused, retry: false });
    if (held.settling !== undefined && held.revision !== undefined && this.#isOfItsHistory) this.#tellApplied(held.revision);
    // A control plane that does not know the history sends a snapshot unasked.
    if (this.#isOfItsHistory && !held.fits(this.#welcomed.origin)) this.#requestSnapshot();
    else this.#tellWhenCurrent();
  }

  async #beginSnapshot(start: SnapshotStartMessage, { origin }: Welcomed): Promise<void> {
    if (this.#snapshot !== undefined) throw new ProtocolError('a snapshot began inside a snapshot');
    const { held } = this.#options;
    const { revision } = start;
    this.#newestKnown = Math.max(this.#newestKnown, revision);
    const digest = new PayloadDigest();
    const reason = held.reasonToRefuse(revision);
    if (reason !== undefined) {
      this.#snapshot = { revision, digest, writer: undefined, refusal: { kind: 'refused', revision, reason, retry: false } };
      return;
    }
    try {
      this.#snapshot = { revision, digest, writer: await held.beginSnapshot(start, origin), refusal: undefined };
    } catch (error) {
      this.#answer(await held.notKept(revision, error));
    }
  }

  async #addToSnapshot(payload: string): Promise<void> {
    const snapshot = this.#snapshot;
    if (snapshot === undefined) throw new ProtocolError('a part of a snapshot came without its start');
    snapshot.digest.add(payload);
    try {
      await snapshot.writer?.add(payload);
    } catch (error) {
      await this.end();
      this.#answer(await this.#options.held.notKept(snapshot.revision, error));
    }
  }

  async #endSnapshot(message: SnapshotEndMessage, { origin, verifier }: Welcomed): Promise<void> {
    const snapshot = this.#snapshot;
    if (snapshot === undefined || snapshot.revision !== message.revision) throw new ProtocolError('a snapshot ended that never began');
    const { groupId } = this.#options.identity;
    const { revision: toRevision, itemCount: count } = message;
    const payloadDigest = snapshot.digest.finish();
    if (!verifier.isGenuine({ groupId, kind: 'snapshot', fromRevision: 0, toRevision, count, payloadDigest }, message.signature)) {
      throw new ProtocolError('the signature of a snapshot is not genuine');
    }
    this.#snapshot = undefined;
    this.#snapshotRequested = false;
    this.#awaitsRebase = false;
    const { held } = this.#options;
    if (snapshot.refusal !== undefined) this.#answer(snapshot.refusal);
    if (snapshot.writer === undefined) return;
    const outcome = await held.takeSnapshot(snapshot.writer, message, origin);
    if (outcome.kind === 'applied') this.#isOfItsHistory = true;
    this.#answer(outcome);
  }

  async #takeDelta(message: DeltaMessage, { origin, verifier }: Welcomed): Promise<void> {
    if (this.#snapshot !== undefined) throw new ProtocolError('a delta came inside a snapshot');
    const { held, identity } = this.#options;
    const parsed = parseChanges(message.payload);
    const { fromRevision, toRevision, payload } = message;
    const payloadDigest = new PayloadDigest().add(payload).finish();
    const statement = { groupId: identity.groupId, kind: 'delta', fromRevision, toRevision, count: parsed.count, payloadDigest } as const;
    if (!verifier.isGenuine(statement, message.signature)) throw new ProtocolError('the signature of a delta is not genuine');
    this.#newestKnown = Math.max(this.#newestKnown, toRevision);
    if (this.#snapshotRequested && !held.fits(origin)) return;
    // It was sent after a snapshot that was refused, and builds on that.
    if (!this.#isOfItsHistory) return;
    const { revision } = held;
    if (revision !== undefined && toRevision <= revision) {
      this.#answer({ kind: 'applied', revision });
      return;
    }
    if (revision === undefined || fromRevision > revision) {
      if (!this.#awaitsRebase) this.#requestSnapshot();
      return;
    }
    this.#awaitsRebase = false;
    const reason = held.reasonToRefuse(toRevision);
    if (reason !== undefined) this.#answer({ kind: 'refused', revision: toRevision, reason, retry: false });
    else this.#answer(await held.takeDelta(message, parsed, origin));
  }

  /** What comes next does not wait for the answer. */
  #compareState(message: StateHashMessage): void {
    if (this.#snapshot !== undefined || !this.#isOfItsHistory || this.#awaitsRebase) return;
    const { stateCheck, connection } = this.#options;
    void stateCheck.compare(message).then((answer) => {
      if (answer !== undefined) connection.send(answer);
    });
  }

  #requestSnapshot(): void {
    if (this.#snapshotRequested) return;
    this.#snapshotRequested = true;
    this.#options.connection.send({ kind: 'snapshot-request' });
  }

  #answer(outcome: TakeOutcome): void {
    const { connection, held, log, onRefused } = this.#options;
    if (outcome.kind === 'applied') {
      this.#tellApplied(outcome.revision);
      if (held.wantsSnapshot) this.#requestSnapshot();
      this.#tellWhenCurrent();
      return;
    }
    const { revision, reason } = outcome;
    // The control plane goes back to what it was told of last.
    this.#untold = undefined;
    log.warn('a revision was refused', { revision, cause: reason });
    onRefused(revision, reason);
    const message: AppliedMessage = { kind: 'applied', revision, outcome: 'refused', reason };
    if (outcome.retry) {
      // Coming back brings the same revision once more.
      connection.closeAfter(message, 'a revision could not be kept on disk');
      return;
    }
    this.#awaitsRebase = true;
    connection.send(message);
  }

  /** Speaks for all processes of the instance that answer requests. */
  #tellApplied(revision: number): void {
    const { held, connection } = this.#options;
    const { settling } = held;
    this.#untold = settling === undefined ? undefined : revision;
    if (settling === undefined) connection.send({ kind: 'applied', revision, outcome: 'applied' });
    else void settling.then(() => this.#untold === revision && this.#tellApplied(revision));
  }

  #tellWhenCurrent(): void {
    const { revision } = this.#options.held;
    // A revision beyond the newest is none that this control plane has named.
    if (this.#isOfItsHistory && revision !== undefined && revision === this.#newestKnown) this.#options.onCurrent(revision);
  }
}
