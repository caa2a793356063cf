import type { ListPart, ResourceSelection, SelectedResources } from '../store.ts';
import { KeyedPlaces } from './keyed-places.ts';
import { formatCursor } from './sort-key.ts';

/** An entry of a list with its key in the order that was asked for. */
export interface SelectedEntry {
  readonly sort_key: string;
  readonly resource_row: number;
}

/** A part of a list, of its entries and one more: that one says that the list goes on. */
export function cutToPart(
  entries: readonly SelectedEntry[],
  { order }: ResourceSelection,
  { limit }: ListPart,
  total: number,
): SelectedResources {
  const shown = entries.slice(0, limit);
  const last = shown.at(-1);
  const next = last === undefined || entries.length <= limit ? undefined : formatCursor(order, last.sort_key);
  return { rows: shown.map((entry) => entry.resource_row), total, next };
}

/** A whole list with the places of its entries. */
export function withPlaces(selection: ResourceSelection, entries: readonly SelectedEntry[]): SelectedResources {
  const places = new KeyedPlaces(
    selection,
    entries.map((entry) => entry.sort_key),
  );
  return { rows: entries.map((entry) => entry.resource_row), total: entries.length, next: undefined, places };
}

/** A list in which there is nothing. */
export function nothingOf(selection: ResourceSelection): SelectedResources {
  return selection.withPlaces === true ? withPlaces(selection, []) : { rows: [], total: 0, next: undefined };
}
