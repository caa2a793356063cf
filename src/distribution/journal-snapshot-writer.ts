import type { RecordPlace } from './journal-cipher.ts';
import type { JournalFile } from './journal-file.ts';
import type { JournalEntry } from './journal-index.ts';
import type { JournalOrigin } from './journal-record.ts';
import type { SnapshotStartMessage } from './protocol.ts';

interface SnapshotWriterOptions {
  /** New and empty. */
  readonly file: JournalFile;
  readonly origin: JournalOrigin;
  readonly start: Pick<SnapshotStartMessage, 'revision' | 'history'>;
  /** Makes the file, which is complete and on disk, part of the journal. */
  readonly onCommit: (entry: JournalEntry, file: JournalFile) => Promise<void>;
  readonly onAbort: () => Promise<void>;
}

/** Keeps a snapshot while it arrives. It is part of the journal only when `commit` has resolved. */
export class JournalSnapshotWriter {
  readonly #options: SnapshotWriterOptions;
  readonly #place: RecordPlace;
  #bytes: number;

  private constructor(options: SnapshotWriterOptions, place: RecordPlace, bytes: number) {
    this.#options = options;
    this.#place = place;
    this.#bytes = bytes;
  }

  static async begin(options: SnapshotWriterOptions): Promise<JournalSnapshotWriter> {
    try {
      await options.file.append({ kind: 'origin', ...options.origin }, { durable: false });
      const { revision, history } = options.start;
      const { place, bytes } = await options.file.append({ kind: 'snapshot-start', revision, history }, { durable: false });
      return new JournalSnapshotWriter(options, place, bytes);
    } catch (error) {
      await options.file.close();
      await options.onAbort();
      throw error;
    }
  }

  async add(payload: string): Promise<void> {
    const { bytes } = await this.#options.file.append({ kind: 'snapshot-part', payload }, { durable: false });
    this.#bytes += bytes;
  }

  /** Durable when the promise resolves. The signature must have been verified. */
  async commit(itemCount: number, signature: string): Promise<void> {
    const { file, start, origin } = this.#options;
    const { revision, history } = start;
    await file.append({ kind: 'snapshot-end', revision, itemCount, signature }, { durable: false });
    await file.sync();
    const span = { kind: 'snapshot', fromRevision: 0, toRevision: revision } as const;
    const entry: JournalEntry = { ...span, place: this.#place, bytes: this.#bytes, origin, history };
    await this.#options.onCommit(entry, file);
  }

  /** Leaves nothing behind. */
  async abort(): Promise<void> {
    await this.#options.file.close();
    await this.#options.onAbort();
  }
}
