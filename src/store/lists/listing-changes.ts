import type { ListOrder } from '../store.ts';
import { WHOLE_KIND } from './list-facet.ts';
import type { ResourceListing } from './resource-listing.ts';
import { SORTS } from './sort-key.ts';

/** Where a resource stands, or stood. */
export type ListedPlace = Pick<ResourceListing, 'row' | 'kind' | 'keys' | 'facets'>;

/** What one list gains and loses, in all of its orders. */
export interface ListChange {
  readonly kind: string;
  readonly facet: string;
  /** By so many entries the list grows; below 0 where it shrinks. */
  grownBy: number;
  readonly gone: EntryChange[];
  readonly come: EntryChange[];
}

interface EntryChange {
  readonly sort: number;
  readonly key: string;
  readonly row: number;
}

const ORDERS: readonly ListOrder[] = ['updated', 'created', 'name'];

/** What the lists of a group gain and lose when resources go from their former places to their new ones; what stays is in neither. */
export function listingChanges(
  moves: Iterable<{ readonly from: ListedPlace | undefined; readonly to: ListedPlace | undefined }>,
): readonly ListChange[] {
  const changes = new Map<string, ListChange>();
  const changeOf = (kind: string, facet: string): ListChange => {
    const name = JSON.stringify([kind, facet]);
    const change = changes.get(name) ?? { kind, facet, grownBy: 0, gone: [], come: [] };
    changes.set(name, change);
    return change;
  };
  for (const { from, to } of moves) {
    const before = new Set(from === undefined ? [] : [WHOLE_KIND, ...from.facets]);
    const after = new Set(to === undefined ? [] : [WHOLE_KIND, ...to.facets]);
    for (const facet of before) {
      if (from === undefined) continue;
      const stays = after.has(facet) ? to : undefined;
      const orders = ORDERS.filter((order) => from.keys[order] !== stays?.keys[order] || from.row !== stays.row);
      if (orders.length === 0) continue;
      const change = changeOf(from.kind, facet);
      if (stays === undefined) change.grownBy -= 1;
      for (const order of orders) change.gone.push(entryOf(from, order));
    }
    for (const facet of after) {
      if (to === undefined) continue;
      const stayed = before.has(facet) ? from : undefined;
      const orders = ORDERS.filter((order) => to.keys[order] !== stayed?.keys[order] || to.row !== stayed.row);
      if (orders.length === 0) continue;
      const change = changeOf(to.kind, facet);
      if (stayed === undefined) change.grownBy += 1;
      for (const order of orders) change.come.push(entryOf(to, order));
    }
  }
  return [...changes.values()];
}

function entryOf({ row, keys }: ListedPlace, order: ListOrder): EntryChange {
  return { sort: SORTS[order], key: keys[order], row };
}
