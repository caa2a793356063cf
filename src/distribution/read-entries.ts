import type { SnapshotChange, SnapshotItem } from '../schema/snapshot.ts';
import type { JournalEntry } from './journal-index.ts';
import { JournalReader } from './journal-reader.ts';
import type { JournalRecord } from './journal-record.ts';
import { parseChanges, parseItems } from './parse-payload.ts';

/** A piece of an entry: a snapshot comes as its begin and its parts, a delta in one. */
export type JournalPiece =
  | { readonly kind: 'snapshot'; readonly entry: JournalEntry }
  | { readonly kind: 'items'; readonly entry: JournalEntry; readonly items: readonly SnapshotItem[] }
  | { readonly kind: 'changes'; readonly entry: JournalEntry; readonly changes: readonly SnapshotChange[] };

/** The same, not yet parsed. */
export type JournalPayload =
  | { readonly kind: 'snapshot'; readonly entry: JournalEntry }
  | { readonly kind: 'items' | 'changes'; readonly entry: JournalEntry; readonly payload: string };

/** Streams the contents of entries from disk, in the order given. @throws Error when the file is not as it was when it was verified */
export async function* readEntries(
  entries: readonly JournalEntry[],
  key: Buffer,
  pathOf: (file: number) => string,
): AsyncGenerator<JournalPiece, void> {
  for await (const piece of readPayloads(entries, key, pathOf)) {
    const { kind, entry } = piece;
    if (kind === 'snapshot') yield { kind, entry };
    else if (kind === 'items') yield { kind, entry, items: parseItems(piece.payload).items };
    else yield { kind, entry, changes: parseChanges(piece.payload).changes };
  }
}

/** The same, with the exact texts that were received. @throws Error as above */
export async function* readPayloads(
  entries: readonly JournalEntry[],
  key: Buffer,
  pathOf: (file: number) => string,
): AsyncGenerator<JournalPayload, void> {
  let reader: JournalReader | undefined;
  try {
    for (const entry of entries) {
      if (reader?.file !== entry.place.file) {
        await reader?.close();
        reader = await JournalReader.open(pathOf(entry.place.file), key, entry.place);
      }
      reader.seek(entry.place);
      yield* entry.kind === 'snapshot' ? readSnapshot(reader, entry) : readDelta(reader, entry);
    }
  } finally {
    await reader?.close();
  }
}

async function* readSnapshot(reader: JournalReader, entry: JournalEntry): AsyncGenerator<JournalPayload, void> {
  for (;;) {
    const record = await readRecord(reader);
    if (record.kind === 'snapshot-end') return;
    if (record.kind === 'snapshot-start') yield { kind: 'snapshot', entry };
    if (record.kind === 'snapshot-part') yield { kind: 'items', entry, payload: record.payload };
  }
}

async function* readDelta(reader: JournalReader, entry: JournalEntry): AsyncGenerator<JournalPayload, void> {
  const record = await readRecord(reader);
  if (record.kind !== 'delta') throw new Error('the journal changed while it was read');
  yield { kind: 'changes', entry, payload: record.payload };
}

/** Records of later versions are passed over, as they were when the file was verified. */
async function readRecord(reader: JournalReader): Promise<JournalRecord> {
  for (;;) {
    const read = await reader.next();
    if (read.kind === 'end') throw new Error('the journal changed while it was read');
    if (read.record !== undefined) return read.record;
  }
}
