import type { SizeStep } from '../history.ts';

/** What a row holds besides its documents: names, indexes. */
const BYTES_OF_A_ROW = 300;

/** One step of `StoreHistory.measureHistory` over rows that were read backwards, of at most `rows`. */
export function addSizes(
  found: readonly { readonly number: number; readonly bytes: number }[],
  from: Pick<SizeStep, 'bytes'>,
  maxBytes: number,
  rows: number,
): SizeStep {
  let { bytes } = from;
  for (const row of found) {
    bytes += row.bytes + BYTES_OF_A_ROW;
    if (bytes > maxBytes) return { below: row.number, bytes, cut: row.number + 1 };
  }
  return { below: found.length < rows ? undefined : found.at(-1)?.number, bytes, cut: undefined };
}
