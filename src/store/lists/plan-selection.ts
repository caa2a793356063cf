import type { ResourceSelection } from '../store.ts';
import { foldText } from './fold-text.ts';
import { labelFacet, ownerFacet, WHOLE_KIND } from './list-facet.ts';
import { labelNameNeedle } from './resource-listing.ts';

/** A list as it is kept. */
export interface KeptList {
  readonly list: number;
  readonly facet: string;
  readonly entries: number;
}

/** What no kept list answers alone. */
export interface ListFilter {
  /** The list that is gone through; undefined for all of the kind. */
  readonly list: number | undefined;
  /** The lists that an entry must be in. */
  readonly facets: readonly string[];
  /** Folded; empty for no search. */
  readonly search: string;
  /** What `label_names` must hold, each. */
  readonly labelNames: readonly string[];
}

/** How a selection is answered. */
export type SelectionPlan =
  | { readonly kind: 'nothing' }
  /** A list as it is. */
  | { readonly kind: 'kept'; readonly kept: KeptList }
  | { readonly kind: 'filtered'; readonly filter: ListFilter };

/** A list that is shorter than its kind by this factor is gone through itself; else going through the kind, side by side, is faster. */
const SHORT_LIST_SHARE = 4;

/** The lists that a selection is about: an entry must be in all of them. */
export function facetsOf({ owner, labels }: ResourceSelection): readonly string[] {
  const facets = [...(labels ?? [])].map(([name, value]) => labelFacet(name, value));
  if (owner !== undefined) facets.push(ownerFacet(owner.kind, owner.id));
  return facets.length === 0 ? [WHOLE_KIND] : facets;
}

/** How a selection is answered, given those of its lists that exist and that of its kind. */
export function planSelection(selection: ResourceSelection, known: readonly KeptList[]): SelectionPlan {
  const byFacet = new Map(known.map((list) => [list.facet, list]));
  const facets = facetsOf(selection);
  const lists = facets.flatMap((facet) => byFacet.get(facet) ?? []);
  const [smallest, ...others] = lists.sort((a, b) => a.entries - b.entries);
  if (smallest === undefined || lists.length < facets.length) return { kind: 'nothing' };
  const search = selection.search === undefined ? '' : foldText(selection.search);
  const labelNames = (selection.labelNames ?? []).map(labelNameNeedle);
  if (others.length === 0 && search === '' && labelNames.length === 0) return { kind: 'kept', kept: smallest };
  const isShort = smallest.entries * SHORT_LIST_SHARE < (byFacet.get(WHOLE_KIND)?.entries ?? 0);
  const wanted = (isShort ? others : [smallest, ...others]).map(({ facet }) => facet).filter((facet) => facet !== WHOLE_KIND);
  return { kind: 'filtered', filter: { list: isShort ? smallest.list : undefined, facets: wanted, search, labelNames } };
}

/** Where a page lies in its list as it is kept, upwards, with one entry more to say that it goes on; undefined behind the end. */
export function stretchOf(
  { direction, part }: ResourceSelection,
  entries: number,
): { readonly place: number; readonly count: number } | undefined {
  const offset = part?.kind === 'page' ? part.offset : 0;
  const count = Math.min((part?.limit ?? entries) + 1, entries - offset);
  if (count <= 0) return undefined;
  return { place: direction === 'ascending' ? offset : entries - offset - count, count };
}
