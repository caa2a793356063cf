import type { SnapshotChange, SnapshotDelta, SnapshotItem } from '../schema/snapshot.ts';
import type { JournalChain } from './journal-index.ts';
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
 * The deltas of a chain, laid together in larger steps. No step crosses `goodRevision`, so that what has proved itself is in
 * force before the first candidate is tried.
 */
export async function* mergedDeltas(
  chain: JournalChain,
  goodRevision: number | undefined,
  pieces: AsyncIterable<JournalPiece>,
): AsyncGenerator<SnapshotDelta, void> {
  let fromRevision = chain.snapshot.toRevision;
  let toRevision = fromRevision;
  let changes: SnapshotChange[] = [];
  for await (const piece of pieces) {
    if (piece.kind !== 'changes') continue;
    if (toRevision > fromRevision && (toRevision === goodRevision || changes.length + piece.changes.length > MAX_MERGED_CHANGES)) {
      yield { fromRevision, toRevision, changes };
      fromRevision = toRevision;
      changes = [];
    }
    for (const change of piece.changes) changes.push(change);
    toRevision = piece.entry.toRevision;
  }
  if (toRevision > fromRevision) yield { fromRevision, toRevision, changes };
}
