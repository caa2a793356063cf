import type { RecordPlace } from './journal-cipher.ts';
import { CRASHED, type JournalIndex } from './journal-index.ts';
import { JournalReader } from './journal-reader.ts';
import type { JournalOrigin, JournalRecord } from './journal-record.ts';
import { PayloadDigest, type SignedStatement, Verifier } from './signing.ts';

/** What a scan found. `foreign`: the file belongs to another gateway group. */
export interface JournalScan {
  readonly state: 'whole' | 'torn' | 'damaged' | 'foreign';
  /** The end of what can be trusted. */
  readonly end: RecordPlace;
  /** The last origin that was written. */
  readonly origin: JournalOrigin | undefined;
}

/** Reads one journal file from its beginning, verifies every signature again, and adds what it holds to `index`. */
export async function scanJournalFile(options: {
  readonly path: string;
  readonly file: number;
  readonly key: Buffer;
  readonly groupId: string;
  readonly index: JournalIndex;
}): Promise<JournalScan> {
  const reader = await JournalReader.open(options.path, options.key, { file: options.file, offset: 0, index: 0 });
  const scan = new FileScan(options.index);
  try {
    for (;;) {
      const read = await reader.next();
      if (read.kind === 'end') return { state: read.state, end: read.place, origin: scan.origin };
      if (read.record === undefined) continue;
      if (read.record.kind === 'origin' && read.record.groupId !== options.groupId) {
        return { state: 'foreign', end: read.place, origin: undefined };
      }
      if (!scan.take(read.record, read.place, read.bytes)) return { state: 'damaged', end: read.place, origin: scan.origin };
    }
  } finally {
    await reader.close();
  }
}

interface OpenSnapshot {
  readonly revision: number;
  readonly history: string | undefined;
  readonly place: RecordPlace;
  readonly digest: PayloadDigest;
  bytes: number;
}

class FileScan {
  readonly #index: JournalIndex;
  #verifier: Verifier | undefined;
  #snapshot: OpenSnapshot | undefined;
  origin: JournalOrigin | undefined;

  constructor(index: JournalIndex) {
    this.#index = index;
  }

  /** False when the record makes no sense here or its signature is not genuine. */
  take(record: JournalRecord, place: RecordPlace, bytes: number): boolean {
    switch (record.kind) {
      case 'origin':
        return this.#takeOrigin(record);
      case 'snapshot-start':
        this.#snapshot = { revision: record.revision, history: record.history, place, digest: new PayloadDigest(), bytes };
        return true;
      case 'snapshot-part':
        if (this.#snapshot === undefined) return false;
        this.#snapshot.digest.add(record.payload);
        this.#snapshot.bytes += bytes;
        return true;
      case 'snapshot-end':
        return this.#takeSnapshot(record);
      case 'delta':
        return this.#takeDelta(record, place, bytes);
      case 'good':
        this.#index.noteGood(record.revision);
        return true;
      case 'refused':
        this.#index.noteRefused({ revision: record.revision, reason: record.reason }, record.entryCount);
        // What one process could not take, another one may; only what brought a process down stays out.
        if (record.reason !== CRASHED) this.#index.forgetRefusal();
        return true;
    }
  }

  #takeOrigin({ groupId, keySalt, signingKey }: JournalOrigin): boolean {
    try {
      this.#verifier = new Verifier(signingKey);
    } catch {
      return false;
    }
    this.origin = { groupId, keySalt, signingKey };
    return true;
  }

  #takeSnapshot(record: Extract<JournalRecord, { readonly kind: 'snapshot-end' }>): boolean {
    const { origin } = this;
    const snapshot = this.#snapshot;
    this.#snapshot = undefined;
    if (snapshot === undefined || origin === undefined || snapshot.revision !== record.revision) return false;
    const toRevision = record.revision;
    const payloadDigest = snapshot.digest.finish();
    if (!this.#isGenuine({ kind: 'snapshot', fromRevision: 0, toRevision, count: record.itemCount, payloadDigest }, record.signature)) {
      return false;
    }
    const { place, bytes, history } = snapshot;
    this.#index.add({ kind: 'snapshot', fromRevision: 0, toRevision, place, bytes, origin, history });
    return true;
  }

  #takeDelta(record: Extract<JournalRecord, { readonly kind: 'delta' }>, place: RecordPlace, bytes: number): boolean {
    const { origin } = this;
    if (origin === undefined) return false;
    const { fromRevision, toRevision, count, history } = record;
    const payloadDigest = new PayloadDigest().add(record.payload).finish();
    if (!this.#isGenuine({ kind: 'delta', fromRevision, toRevision, count, payloadDigest }, record.signature)) return false;
    this.#index.add({ kind: 'delta', fromRevision, toRevision, place, bytes, origin, history });
    return true;
  }

  #isGenuine(statement: Omit<SignedStatement, 'groupId'>, signature: string): boolean {
    if (this.#verifier === undefined || this.origin === undefined) return false;
    return this.#verifier.isGenuine({ groupId: this.origin.groupId, ...statement }, signature);
  }
}
