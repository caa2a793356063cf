import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/message-of.ts';
import { SerialQueue } from '../lib/serial-queue.ts';
import type { Logger } from '../observability/logger.ts';
import type { SnapshotChange, SnapshotDelta } from '../schema/snapshot.ts';
import { CandidateProbation } from './candidate-probation.ts';
import type { ConfigurationApplier } from './configuration-applier.ts';
import type { FormerProcesses } from './former-processes.ts';
import type { Journal, PreviousProcessEnd } from './journal.ts';
import type { RefusedRevision } from './journal-index.ts';
import type { JournalOrigin } from './journal-record.ts';
import type { JournalSnapshotWriter } from './journal-snapshot-writer.ts';
import type { ParsedChanges } from './parse-payload.ts';
import type { DeltaMessage, SnapshotStartMessage } from './protocol.ts';

/** What became of a revision. `retry`: it could not be kept on disk, which says nothing about the revision. */
export type TakeOutcome =
  | { readonly kind: 'applied'; readonly revision: number }
  | { readonly kind: 'refused'; readonly revision: number; readonly reason: string; readonly retry: boolean };

/** What a held configuration needs. */
export interface HeldConfigurationOptions {
  readonly applier: ConfigurationApplier;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: Logger;
  readonly former?: FormerProcesses | undefined;
}

/** Characters of a delta that is brought to other processes: more would hold this one up for longer than requests should wait. */
const MOST_TO_FOLLOW = 1024 * 1024;
const MOST_TO_WITHDRAW = 1_000;

/**
 * The configuration in force on this instance: every new one is kept on disk before it is tried, what is refused leaves the one
 * before in force, and what it would have taken away is taken away all the same.
 */
export class HeldConfiguration {
  readonly #options: HeldConfigurationOptions;
  readonly #probation: CandidateProbation;
  #revision: number | undefined;
  #former: FormerProcesses | undefined;
  #settling: Promise<void> | undefined;
  /** What the former processes are known to have. */
  #followed = 0;
  #isOver = false;
  readonly #following = new SerialQueue();

  constructor(options: HeldConfigurationOptions) {
    this.#options = options;
    this.#former = options.former;
    void options.former?.gone.then(() => {
      this.#former = undefined;
    });
    this.#probation = new CandidateProbation(options.clock, (revision) => {
      options.journal.markGood(revision).catch((error: unknown) => {
        options.log.warn('a good revision could not be marked on disk', { revision, cause: messageOf(error) });
      });
    });
  }

  /** In force now; undefined when nothing is, or when what is cannot be built upon. */
  get revision(): number | undefined {
    return this.#revision;
  }

  /** The session of the control plane that sent what is in force last. */
  get history(): string | undefined {
    return this.#options.journal.history;
  }

  /** The refused revision, as long as nothing newer is in force. */
  get refused(): RefusedRevision | undefined {
    return this.#options.journal.refused;
  }

  /** Resolves when what is in force here is so in the processes that serve beside this one; undefined when it is. Never rejects. */
  get settling(): Promise<void> | undefined {
    return this.#settling;
  }

  /** The newest revision that those processes are known to have; undefined when they have what is in force here. */
  get followedRevision(): number | undefined {
    return this.#settling === undefined ? undefined : this.#followed;
  }

  get wantsSnapshot(): boolean {
    return this.#options.journal.wantsSnapshot;
  }

  /** The disk copy of what is in force; undefined when that cannot be built upon. */
  get journal(): Pick<Journal, 'standsOn' | 'stateHash'> | undefined {
    return this.#revision === undefined ? undefined : this.#options.journal;
  }

  /** Puts in force what the disk holds. Never rejects: an instance without a copy asks for one. */
  async load(previousEnd: PreviousProcessEnd): Promise<void> {
    const { journal, log } = this.#options;
    try {
      await this.#loadOnce(previousEnd);
    } catch (error) {
      log.error('the disk copy of the configuration could not be loaded', {}, error);
      this.#revision = undefined;
      try {
        if (await journal.refuseCandidates(messageOf(error))) await this.#loadOnce('none');
      } catch (again) {
        log.error('the last good configuration could not be loaded either', {}, again);
        this.#revision = undefined;
      }
    }
    if (journal.isDamaged) this.#revision = undefined;
    // The process before may have written down what it could not put in force any more, and others serve beside this one.
    const revision = this.#revision ?? 0;
    this.#settle(this.#former?.follow({ fromRevision: revision, toRevision: revision, changes: [] }), revision);
  }

  /** True when the digests in force were made with this salt, or nothing is in force. */
  fits(origin: JournalOrigin): boolean {
    return this.#revision === undefined || this.#options.journal.keySalt === origin.keySalt;
  }

  reasonToRefuse(revision: number): string | undefined {
    return this.#options.journal.reasonToRefuse(revision);
  }

  /** A verified delta that starts at or before the revision in force and leads on. */
  async takeDelta(delta: DeltaMessage, parsed: ParsedChanges, origin: JournalOrigin): Promise<TakeOutcome> {
    const { journal, applier } = this.#options;
    const { toRevision: revision } = delta;
    const { changes } = parsed;
    try {
      await journal.appendDelta(delta, parsed.count, origin);
    } catch (error) {
      return this.#notKept(revision, error, changes);
    }
    try {
      await applier.applyDelta({ fromRevision: this.#revision ?? delta.fromRevision, toRevision: revision, changes });
    } catch (error) {
      return this.#refuse(revision, messageOf(error));
    }
    const step = { fromRevision: this.#revision ?? delta.fromRevision, toRevision: revision, changes };
    this.#settle(delta.payload.length > MOST_TO_FOLLOW ? this.#former?.gone : this.#former?.follow(step), revision);
    this.#revision = revision;
    this.#prove(revision);
    return { kind: 'applied', revision };
  }

  /**
   * Puts in force what the process that has taken this one's place says, and keeps nothing on disk, which is not this one's any more.
   * In the order of calls.
   *
   * @throws Error when it does not lead on from what is in force, or cannot be put in force; only consumers and credentials that are gone are gone here, too
   */
  follow(delta: SnapshotDelta): Promise<void> {
    return this.#following.run(() => this.#follow(delta));
  }

  beginSnapshot(start: Pick<SnapshotStartMessage, 'revision' | 'history'>, origin: JournalOrigin): Promise<JournalSnapshotWriter> {
    return this.#options.journal.beginSnapshot(start, origin);
  }

  /** A verified snapshot whose parts are all in `writer`. */
  async takeSnapshot(
    writer: JournalSnapshotWriter,
    end: { readonly revision: number; readonly itemCount: number; readonly signature: string },
    origin: JournalOrigin,
  ): Promise<TakeOutcome> {
    const { journal, applier } = this.#options;
    const { revision } = end;
    // What is in force may bear the same number in another history: its time must not speak for the snapshot.
    this.#probation.clear();
    try {
      await writer.commit(end.itemCount, end.signature);
    } catch (error) {
      await writer.abort();
      this.#probeAgain();
      return this.#notKept(revision, error, []);
    }
    try {
      await applier.loadSnapshot(journal.snapshotItems(), { revision, keySalt: Buffer.from(origin.keySalt, 'base64') });
    } catch (error) {
      const refused = await this.#refuse(revision, messageOf(error));
      this.#probeAgain();
      return refused;
    }
    // A whole configuration is not brought to a process that is about to end.
    this.#settle(this.#former?.gone, revision);
    this.#revision = revision;
    this.#prove(revision);
    return { kind: 'applied', revision };
  }

  /** A snapshot could not be written down. */
  notKept(revision: number, error: unknown): Promise<TakeOutcome> {
    return this.#notKept(revision, error, []);
  }

  /** All candidates have to prove themselves anew. */
  restartProbation(): void {
    this.#probation.restart();
  }

  /** What is on disk is nobody's here any more. */
  stop(): void {
    this.#isOver = true;
    this.#probation.clear();
  }

  async #follow(delta: SnapshotDelta): Promise<void> {
    const { applier } = this.#options;
    const { fromRevision, toRevision, changes } = delta;
    const revision = this.#revision;
    if (revision !== undefined && fromRevision === revision) {
      if (changes.length > 0) await applier.applyDelta(delta);
      this.#revision = toRevision;
      return;
    }
    const taken = changes.filter(takesAccess);
    if (revision !== undefined && taken.length > 0)
      await applier.applyDelta({ fromRevision: revision, toRevision: revision, changes: taken });
    throw new Error(`revision ${fromRevision} is not in force here`);
  }

  #prove(revision: number): void {
    if (!this.#isOver) this.#probation.add(revision);
  }

  #settle(step: Promise<void> | undefined, revision: number): void {
    if (step === undefined) return;
    const settling: Promise<void> = Promise.all([this.#settling, step]).then(() => {
      this.#followed = revision;
      if (this.#settling === settling) this.#settling = undefined;
    });
    this.#settling = settling;
  }

  /** What stays in force has to prove itself, unless it has. */
  #probeAgain(): void {
    if (this.#revision !== undefined && this.#options.journal.hasCandidates) this.#prove(this.#revision);
  }

  async #loadOnce(previousEnd: PreviousProcessEnd): Promise<void> {
    const { journal, applier, log } = this.#options;
    const recovered = await journal.recover(previousEnd);
    if (recovered === undefined) return;
    await applier.loadSnapshot(recovered.items(), { revision: recovered.snapshotRevision, keySalt: recovered.keySalt });
    for await (const delta of recovered.deltas()) await applier.applyDelta(delta);
    this.#revision = recovered.revision;
    if (journal.hasCandidates) this.#prove(recovered.revision);
    log.info('the configuration was loaded from disk', { revision: recovered.revision });
  }

  async #refuse(revision: number, reason: string): Promise<TakeOutcome> {
    try {
      await this.#options.journal.markRefused(revision, reason);
    } catch (error) {
      this.#options.log.error('a refused revision could not be marked on disk', { revision }, error);
    }
    await this.#withdraw([]);
    return { kind: 'refused', revision, reason, retry: false };
  }

  async #notKept(revision: number, error: unknown, changes: readonly SnapshotChange[]): Promise<TakeOutcome> {
    this.#options.log.error('a revision could not be kept on disk', { revision }, error);
    await this.#withdraw(changes);
    return { kind: 'refused', revision, reason: `cannot be kept on disk: ${messageOf(error)}`, retry: true };
  }

  /** Takes away what a revision that is not taken would have taken away. */
  async #withdraw(unkept: readonly SnapshotChange[]): Promise<void> {
    const { journal, applier, log } = this.#options;
    const revision = this.#revision;
    if (revision === undefined) return;
    try {
      const changes = await journal.withdrawals(unkept);
      if (changes.length === 0) return;
      const delta = { fromRevision: revision, toRevision: revision, changes };
      await applier.applyDelta(delta);
      this.#settle(changes.length > MOST_TO_WITHDRAW ? this.#former?.gone : this.#former?.follow(delta), revision);
    } catch (error) {
      log.error('what a refused revision takes away could not be taken away', { revision }, error);
    }
  }
}

function takesAccess(change: SnapshotChange): boolean {
  return change.op === 'delete' && (change.name.kind === 'credential' || change.name.kind === 'consumer');
}
