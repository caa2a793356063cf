import type { JournalChain, JournalEntry } from '../journal-index.ts';
import type { JournalPayload } from '../read-entries.ts';
import { changeTexts, itemTexts } from './item-texts.ts';
import type { SlowPace } from './slow-pace.ts';
import type { StateHash } from './state-hash.ts';
import { StateMarks } from './state-marks.ts';

/**
 * What a snapshot and the deltas after it come to. The deltas are read first: what they name is remembered, and of the snapshot, which can
 * hold millions of items, nothing needs to be.
 *
 * @throws Error what reading throws
 */
export async function hashEntries(
  chain: Pick<JournalChain, 'snapshot' | 'deltas'>,
  read: (entries: readonly JournalEntry[]) => AsyncIterable<JournalPayload>,
  pace: SlowPace,
): Promise<StateHash> {
  const marks = new StateMarks();
  for await (const piece of read(chain.deltas)) {
    if (piece.kind !== 'changes') continue;
    if (pace.isDue) await pace.rest();
    for (const { kind, name, text } of changeTexts(piece.payload)) {
      marks.change(kind, name, text);
      if (pace.isDue) await pace.rest();
    }
  }
  for await (const piece of read([chain.snapshot])) {
    if (piece.kind !== 'items') continue;
    // Parsing a part takes a few milliseconds that cannot be cut.
    if (pace.isDue) await pace.rest();
    for (const { kind, name, text } of itemTexts(piece.payload)) {
      if (text !== undefined) marks.addEarlier(kind, name, text);
      if (pace.isDue) await pace.rest();
    }
  }
  return marks.hash();
}
