import type { ListPart, ResourceSelection } from '../store.ts';
import type { FoundRows } from './found-lists.ts';

/** A part of what was found. */
export interface CutRows {
  /** In the direction asked for. */
  readonly rows: readonly number[];
  /** The row that the next part follows; undefined at the end. */
  readonly last: number | undefined;
}

/** A part of rows that are in upward order; `before` is what `findPlace` gave for a cursor. */
export function cutFound(found: FoundRows, direction: ResourceSelection['direction'], part: ListPart, before: number | undefined): CutRows {
  const { length } = found;
  const isAscending = direction === 'ascending';
  const offset = part.kind === 'page' ? part.offset : isAscending ? (before ?? 0) : length - (before ?? length);
  const end = Math.min(length, offset + part.limit);
  const rows: number[] = [];
  for (let place = offset; place < end; place += 1) rows.push(found[isAscending ? place : length - 1 - place] ?? 0);
  return { rows, last: end < length ? rows.at(-1) : undefined };
}
