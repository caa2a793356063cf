import type { SnapshotChange, SnapshotDelta, SnapshotItem } from '../schema/snapshot.ts';
import type { JournalChain } from './journal-index.ts';
import { nameKeyOfChange } from './name-key.ts';
import type { JournalPiece } from './read-entries.ts';

/** What a journal gives to load at the start. */
export interface RecoveredConfiguration {
  /** In force when everything is loaded. */
  readonly revision: number;
  readonly snapshotRevision: number;
  readonly keySalt: Buffer;
  /** The snapshot, streamed. */
  items(): AsyncIterable<readonly SnapshotItem[]>;
  /** What leads on from the snapshot, streamed, in order. What takes access away without a change of revision comes last. */
  deltas(): AsyncIterable<SnapshotDelta>;
}

/** Many small deltas are laid together up to this many changes: each costs a round through all workers. */
const MAX_MERGED_CHANGES = 2_000;

/** The items of a snapshot's pieces. */
export async function* itemsOf(pieces: AsyncIterable<JournalPiece>): AsyncGenerator<readonly SnapshotItem[], void> {
  for await (const piece of pieces) if (piece.kind === 'items') yield piece.items;
}

/**
 * The deltas of a chain, laid together in larger steps, of which each names an item once, with what became of it last: whoever puts a step
 * in force need not keep its order, and a key that was given and then revoked is not in it. No step crosses `goodRevision`, so that what has proved itself is in
 * force before the first candidate is tried.
 */
export async function* mergedDeltas(
  chain: JournalChain,
  goodRevision: number | undefined,
  pieces: AsyncIterable<JournalPiece>,
): AsyncGenerator<SnapshotDelta, void> {
  let fromRevision = chain.snapshot.toRevision;
  let toRevision = fromRevision;
  let changes = new Map<string, SnapshotChange>();
  for await (const piece of pieces) {
    if (piece.kind !== 'changes') continue;
    if (toRevision > fromRevision && (toRevision === goodRevision || changes.size + piece.changes.length > MAX_MERGED_CHANGES)) {
      yield { fromRevision, toRevision, changes: [...changes.values()] };
      fromRevision = toRevision;
      changes = new Map();
    }
    for (const change of piece.changes) {
      const key = nameKeyOfChange(change);
      // It stands where its last change stood: what came between may have needed the one before.
      changes.delete(key);
      changes.set(key, change);
    }
    toRevision = piece.entry.toRevision;
  }
  if (toRevision > fromRevision) yield { fromRevision, toRevision, changes: [...changes.values()] };
}
