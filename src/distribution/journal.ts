import { rm } from 'node:fs/promises';
import type { Random } from '../lib/random.ts';
import type { Logger } from '../observability/logger.ts';
import type { SnapshotChange, SnapshotItem } from '../schema/snapshot.ts';
import { openDiskKey } from './disk-key.ts';
import { JournalFile } from './journal-file.ts';
import { JournalFiles } from './journal-files.ts';
import { CRASHED, type JournalEntry, JournalIndex, type RefusedRevision } from './journal-index.ts';
import type { JournalOrigin } from './journal-record.ts';
import { JournalSnapshotWriter } from './journal-snapshot-writer.ts';
import type { DeltaMessage, SnapshotStartMessage } from './protocol.ts';
import { type JournalPiece, readEntries, readPayloads } from './read-entries.ts';
import { itemsOf, mergedDeltas, type RecoveredConfiguration } from './recovered-configuration.ts';
import { scanJournalFile } from './scan-journal-file.ts';
import { hashEntries } from './state-hash/hash-entries.ts';
import type { SlowPace } from './state-hash/slow-pace.ts';
import type { StateHash } from './state-hash/state-hash.ts';
import { findWithdrawals } from './withdrawals.ts';

/** What a journal needs. */
export interface JournalOptions {
  /** Exists, mode 0700, and belongs to one instance alone. */
  readonly folder: string;
  readonly groupId: string;
  /** Take a configuration that is older than the newest this machine has seen. */
  readonly allowOlder: boolean;
  readonly random: Random;
  readonly log: Logger;
}

/** How the process before this one ended. `killed` says nothing about the configuration. */
export type PreviousProcessEnd = 'none' | 'clean' | 'killed' | 'crashed';

/** The deltas may grow to this many times the snapshot they stand on, … */
const DELTAS_PER_SNAPSHOT = 4;
/** … and to this much more, before a fresh snapshot is asked for; … */
const DELTA_ALLOWANCE_BYTES = 16 * 1024 * 1024;
/** … or to this number, because each costs 0.1 ms to verify at the start. */
const MAX_DELTA_COUNT = 10_000;

/**
 * The last good configuration and the candidates after it, on disk: encrypted, signatures kept, written before anything is
 * acknowledged, read back by streaming. After kill -9 at any moment it opens with everything that was acknowledged.
 */
export class Journal {
  readonly #options: JournalOptions;
  readonly #files: JournalFiles;
  readonly #key: Buffer;
  readonly #index = new JournalIndex();
  #fileNumbers: number[] = [];
  #file: JournalFile | undefined;
  #fileOrigin: JournalOrigin | undefined;
  #isDamaged = false;
  /** One write at a time: marks come from a timer while deltas come from the connection. */
  #lastWrite: Promise<unknown> = Promise.resolve();

  private constructor(options: JournalOptions, key: Buffer) {
    this.#options = options;
    this.#files = new JournalFiles(options.folder);
    this.#key = key;
  }

  /** Opens the journal of a folder, or begins one. A record that was never written to its end is cut off; damage ends the file where it stands. */
  static async open(options: JournalOptions): Promise<Journal> {
    const journal = new Journal(options, await openDiskKey(options.folder, options.random, options.log));
    await journal.#scan();
    return journal;
  }

  /** A fresh snapshot is needed: what is held cannot be built upon. */
  get isDamaged(): boolean {
    return this.#isDamaged;
  }

  /** The deltas have outgrown their snapshot; a fresh one would be smaller. */
  get wantsSnapshot(): boolean {
    const { snapshotBytes, deltaBytes, deltaCount } = this.#index.sizes;
    return deltaBytes > DELTAS_PER_SNAPSHOT * snapshotBytes + DELTA_ALLOWANCE_BYTES || deltaCount > MAX_DELTA_COUNT;
  }

  get hasCandidates(): boolean {
    return this.#index.hasCandidates;
  }

  /** The session of the control plane that sent what is in force last; undefined where that did not tell. */
  get history(): string | undefined {
    return this.#index.history;
  }

  /** The salt that the digests in force were made with. */
  get keySalt(): string | undefined {
    return this.#index.chain?.snapshot.origin.keySalt;
  }

  /** The refused revision, as long as nothing newer is in force. */
  get refused(): RefusedRevision | undefined {
    return this.#index.refused;
  }

  /** Why this machine does not take a revision; undefined when it does. */
  reasonToRefuse(revision: number): string | undefined {
    const { refused, newestSeen } = this.#index;
    if (this.#options.allowOlder && revision < newestSeen) return undefined;
    if (refused !== undefined && revision <= refused.revision) return refused.reason;
    if (revision < newestSeen)
      return `older than revision ${newestSeen}, which this machine has seen; start it once with --allow-older to take it`;
    return undefined;
  }

  /**
   * What is to be loaded at the start; undefined when there is nothing.
   *
   * After a crash with candidates pending it is the last good configuration: the candidates are skipped for good, but what they
   * would have taken away is taken away. Where nothing has proved itself yet, the candidates are all there is and are loaded.
   */
  recover(previousEnd: PreviousProcessEnd): Promise<RecoveredConfiguration | undefined> {
    return this.#exclusively(async () => {
      if (previousEnd === 'crashed' && this.#index.hasCandidates) await this.#refuseAfterGood(CRASHED);
      return this.#recovered();
    });
  }

  /** Skips all candidates because they could not be loaded. False when there is nothing good to go back to. */
  refuseCandidates(reason: string): Promise<boolean> {
    return this.#exclusively(async () => this.#index.hasCandidates && (await this.#refuseAfterGood(reason)));
  }

  /** Keeps a verified delta as a candidate; durable when the promise resolves. On failure the journal is as before. */
  appendDelta(delta: DeltaMessage, count: number, origin: JournalOrigin): Promise<void> {
    return this.#exclusively(async () => {
      const file = this.#file;
      if (file === undefined) throw new Error('there is no snapshot to append to');
      const known = this.#fileOrigin;
      if (known?.signingKey !== origin.signingKey || known.keySalt !== origin.keySalt) {
        await file.append({ kind: 'origin', ...origin }, { durable: false });
        this.#fileOrigin = origin;
      }
      const { kind, fromRevision, toRevision, history, signature, payload } = delta;
      const record = { kind, fromRevision, toRevision, history, count, signature, payload };
      const { place, bytes } = await file.append(record, { durable: true });
      this.#index.add({ kind, fromRevision, toRevision, place, bytes, origin, history });
    });
  }

  /** Begins to keep a snapshot in a file of its own; the journal goes on as before until the writer commits. */
  async beginSnapshot(start: Pick<SnapshotStartMessage, 'revision' | 'history'>, origin: JournalOrigin): Promise<JournalSnapshotWriter> {
    const file = (this.#fileNumbers.at(-1) ?? 0) + 1;
    const draft = this.#files.draftPathOf(file);
    return JournalSnapshotWriter.begin({
      file: await JournalFile.create(draft, file, { key: this.#key, random: this.#options.random }),
      origin,
      start,
      onCommit: (entry, journalFile) =>
        this.#exclusively(async () => {
          await this.#files.adopt(file);
          await this.#file?.close();
          this.#file = journalFile;
          this.#fileOrigin = origin;
          this.#fileNumbers.push(file);
          this.#isDamaged = false;
          this.#index.add(entry);
        }),
      onAbort: () => rm(draft, { force: true }),
    });
  }

  /** The items of the newest snapshot that is not refused, streamed from disk. */
  snapshotItems(): AsyncIterable<readonly SnapshotItem[]> {
    const snapshot = this.#index.chain?.snapshot;
    return itemsOf(readEntries(snapshot === undefined ? [] : [snapshot], this.#key, (file) => this.#files.pathOf(file)));
  }

  /** What the revision in force lies in, as long as no other snapshot takes its place; undefined when there is nothing. */
  get standsOn(): { readonly snapshot: JournalEntry; readonly revision: number } | undefined {
    const chain = this.#index.chain;
    return chain && { snapshot: chain.snapshot, revision: chain.revision };
  }

  /**
   * What the configuration comes to that would be loaded now, read from disk. Writes need not wait for it. @throws Error when there is none, when the
   * files are not as they were, or have been removed meanwhile for newer ones
   */
  stateHash(pace: SlowPace): Promise<StateHash> {
    const chain = this.#index.chain;
    if (chain === undefined) throw new Error('there is no configuration on disk');
    const read = (entries: readonly JournalEntry[]) => readPayloads(entries, this.#key, (file) => this.#files.pathOf(file));
    return hashEntries({ snapshot: chain.snapshot, deltas: [...chain.deltas] }, read, pace);
  }

  /** Everything in force up to this revision has proved itself; files that only led to a replaced snapshot are removed. */
  markGood(revision: number): Promise<void> {
    return this.#exclusively(async () => {
      // Not forced to disk: at worst a configuration has to prove itself once more.
      await this.#file?.append({ kind: 'good', revision }, { durable: false });
      this.#index.noteGood(revision);
      await this.#removeFilesBefore(this.#index.oldestUsefulFile);
    });
  }

  /** The entry that was kept last is skipped from now on, also after a restart. */
  markRefused(revision: number, reason: string): Promise<void> {
    return this.#exclusively(() => this.#refuse({ revision, reason }, 1));
  }

  /** What refused revisions would have taken away from the configuration in force; `unkept` is one that never got into the journal. */
  withdrawals(unkept: readonly SnapshotChange[] = []): Promise<readonly SnapshotChange[]> {
    return this.#exclusively(() => this.#withdrawals(unkept));
  }

  /** Waits for the last write and closes the file. */
  close(): Promise<void> {
    return this.#exclusively(async () => {
      await this.#file?.close();
      this.#file = undefined;
    });
  }

  async #scan(): Promise<void> {
    const { groupId, log, random } = this.#options;
    for (const file of await this.#files.list()) {
      const scan = await scanJournalFile({ path: this.#files.pathOf(file), file, key: this.#key, groupId, index: this.#index });
      if (scan.state === 'foreign') {
        log.warn('a disk copy of another gateway group was removed', { groupId });
        await this.#files.remove(file);
        continue;
      }
      if (scan.state === 'damaged') {
        log.warn('the disk copy is damaged; a fresh snapshot will be asked for', { file, offset: scan.end.offset });
        this.#isDamaged = true;
      }
      this.#fileNumbers.push(file);
      await this.#file?.close();
      this.#file = await JournalFile.reopen(this.#files.pathOf(file), scan.end, { key: this.#key, random });
      this.#fileOrigin = scan.origin;
    }
  }

  #recovered(): RecoveredConfiguration | undefined {
    const chain = this.#index.chain;
    if (chain === undefined) return undefined;
    const deltas = { ...chain, deltas: [...chain.deltas] };
    const { goodRevision } = this.#index;
    const read = this.#read.bind(this);
    const withdrawals = this.#withdrawals.bind(this);
    return {
      revision: chain.revision,
      snapshotRevision: chain.snapshot.toRevision,
      keySalt: Buffer.from(chain.snapshot.origin.keySalt, 'base64'),
      items: () => itemsOf(read([chain.snapshot])),
      async *deltas() {
        yield* mergedDeltas(deltas, goodRevision, read(deltas.deltas));
        const changes = await withdrawals([]);
        if (changes.length > 0) yield { fromRevision: deltas.revision, toRevision: deltas.revision, changes };
      },
    };
  }

  #read(entries: Parameters<typeof readEntries>[0]): AsyncIterable<JournalPiece> {
    return readEntries(entries, this.#key, (file) => this.#files.pathOf(file));
  }

  async #withdrawals(unkept: readonly SnapshotChange[]): Promise<readonly SnapshotChange[]> {
    const { chain } = this.#index;
    const skipped = this.#index.skippedAhead();
    if (chain === undefined || (skipped.length === 0 && unkept.length === 0)) return [];
    const read = this.#read.bind(this);
    async function* refused() {
      yield* read(skipped);
      yield { kind: 'changes', changes: unkept } as const;
    }
    return findWithdrawals(refused(), read([chain.snapshot, ...chain.deltas]));
  }

  async #refuseAfterGood(reason: string): Promise<boolean> {
    const { chain, goodRevision } = this.#index;
    if (chain === undefined || goodRevision === undefined) return false;
    await this.#refuse({ revision: chain.revision, reason }, this.#index.entriesAfterGood());
    return true;
  }

  async #refuse(refused: RefusedRevision, entryCount: number): Promise<void> {
    try {
      await this.#file?.append({ kind: 'refused', ...refused, entryCount }, { durable: true });
    } finally {
      this.#index.noteRefused(refused, entryCount);
    }
  }

  async #removeFilesBefore(file: number): Promise<void> {
    if (this.#fileNumbers.every((number) => number >= file)) return;
    this.#index.dropFilesBefore(file);
    for (const number of this.#fileNumbers.filter((each) => each < file)) await this.#files.remove(number);
    this.#fileNumbers = this.#fileNumbers.filter((number) => number >= file);
  }

  #exclusively<Result>(task: () => Promise<Result>): Promise<Result> {
    const result = this.#lastWrite.then(task);
    this.#lastWrite = result.catch(() => undefined);
    return result;
  }
}
