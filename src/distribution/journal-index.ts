import type { RecordPlace } from './journal-cipher.ts';
import type { JournalOrigin } from './journal-record.ts';

/** A verified snapshot or delta that lies in the journal. Snapshots start at revision 0. */
export interface JournalEntry {
  readonly kind: 'snapshot' | 'delta';
  readonly fromRevision: number;
  readonly toRevision: number;
  /** Of its first record. */
  readonly place: RecordPlace;
  readonly bytes: number;
  readonly origin: JournalOrigin;
  /** The session of the control plane that sent it; undefined where that did not tell. */
  readonly history: string | undefined;
}

/** A snapshot and the deltas that lead on from it, without gaps. */
export interface JournalChain {
  readonly snapshot: JournalEntry;
  readonly deltas: readonly JournalEntry[];
  readonly revision: number;
}

/** A revision that this machine will not take, and why. */
export interface RefusedRevision {
  readonly revision: number;
  readonly reason: string;
}

/** The reason of a revision that was a candidate when the process died. */
export const CRASHED = 'crashed';

/**
 * What a journal holds, in the order in which it was written: which entries lead to the configuration in force, which of them
 * have proved themselves, which are skipped. Pure: it knows nothing of files.
 */
export class JournalIndex {
  #entries: JournalEntry[] = [];
  readonly #skipped = new Set<JournalEntry>();
  #chain: { snapshot: JournalEntry; deltas: JournalEntry[]; revision: number } | undefined;
  #good: JournalEntry | undefined;
  #deltaBytes = 0;
  #newestSeen = 0;
  #refused: RefusedRevision | undefined;

  /** What leads to the newest configuration that is not skipped. */
  get chain(): JournalChain | undefined {
    return this.#chain;
  }

  /** The session of the control plane that sent what stands at the end of the chain. */
  get history(): string | undefined {
    return this.#lastOfChain()?.history;
  }

  /** The newest revision that was ever accepted as a candidate, whatever became of it. */
  get newestSeen(): number {
    return this.#newestSeen;
  }

  /** The refused revision, as long as nothing newer is in force. */
  get refused(): RefusedRevision | undefined {
    return this.#refused;
  }

  /** Revision of the last entry that has proved itself. */
  get goodRevision(): number | undefined {
    return this.#good?.toRevision;
  }

  /** The entries in force have not all proved themselves. */
  get hasCandidates(): boolean {
    return this.#chain !== undefined && this.#lastOfChain() !== this.#good;
  }

  /** Bytes of the deltas in force, and of the snapshot they stand on. */
  get sizes(): { readonly snapshotBytes: number; readonly deltaBytes: number; readonly deltaCount: number } {
    const deltas = this.#chain?.deltas ?? [];
    return {
      snapshotBytes: this.#chain?.snapshot.bytes ?? 0,
      deltaBytes: this.#deltaBytes,
      deltaCount: deltas.length,
    };
  }

  add(entry: JournalEntry): void {
    this.#entries.push(entry);
    // A snapshot that is older than what was seen was accepted on an operator's word, and counts from then on.
    this.#newestSeen = entry.kind === 'snapshot' ? entry.toRevision : Math.max(this.#newestSeen, entry.toRevision);
    this.#extendChain(entry);
    if (this.#refused !== undefined && entry.toRevision > this.#refused.revision) this.#refused = undefined;
  }

  /** All entries in force up to this revision have proved themselves. */
  noteGood(revision: number): void {
    const chain = this.#chain;
    if (chain === undefined) return;
    const good = chain.deltas.findLast((delta) => delta.toRevision <= revision);
    if (good !== undefined) this.#good = good;
    else if (chain.snapshot.toRevision <= revision) this.#good = chain.snapshot;
  }

  /** The last `entryCount` entries are skipped from now on. Where damage has taken some of them away, what has proved itself before is not skipped in their place. */
  noteRefused(refused: RefusedRevision, entryCount: number): void {
    const count = Math.min(entryCount, this.entriesAfterGood());
    for (const entry of this.#entries.slice(this.#entries.length - count)) this.#skipped.add(entry);
    this.#refused = refused;
    this.#chain = undefined;
    this.#deltaBytes = 0;
    for (const entry of this.#entries) if (!this.#skipped.has(entry)) this.#extendChain(entry);
  }

  /** Forgets that a revision was refused; a new process may try again what another one could not take. */
  forgetRefusal(): void {
    this.#refused = undefined;
  }

  /** How many entries came after the last good one. */
  entriesAfterGood(): number {
    return this.#good === undefined ? this.#entries.length : this.#entries.length - 1 - this.#entries.lastIndexOf(this.#good);
  }

  /** Skipped entries that go beyond the configuration in force, in order. */
  skippedAhead(): readonly JournalEntry[] {
    const revision = this.#chain?.revision ?? 0;
    return this.#entries.filter((entry) => this.#skipped.has(entry) && entry.toRevision > revision);
  }

  /** The first file that is still of use: older ones only led to what a good snapshot has replaced. */
  get oldestUsefulFile(): number {
    const first = this.#good === undefined ? this.#entries[0] : this.#snapshotBefore(this.#good);
    return first?.place.file ?? 0;
  }

  /** Forgets what lay in files before this one. */
  dropFilesBefore(file: number): void {
    this.#entries = this.#entries.filter((entry) => entry.place.file >= file);
  }

  #extendChain(entry: JournalEntry): void {
    if (entry.kind === 'snapshot') {
      this.#chain = { snapshot: entry, deltas: [], revision: entry.toRevision };
      this.#deltaBytes = 0;
      return;
    }
    const chain = this.#chain;
    if (chain === undefined || entry.fromRevision > chain.revision || entry.toRevision <= chain.revision) return;
    chain.deltas.push(entry);
    chain.revision = entry.toRevision;
    this.#deltaBytes += entry.bytes;
  }

  #lastOfChain(): JournalEntry | undefined {
    return this.#chain?.deltas.at(-1) ?? this.#chain?.snapshot;
  }

  #snapshotBefore(entry: JournalEntry): JournalEntry | undefined {
    return this.#entries
      .slice(0, this.#entries.lastIndexOf(entry) + 1)
      .findLast((each) => each.kind === 'snapshot' && !this.#skipped.has(each));
  }
}
