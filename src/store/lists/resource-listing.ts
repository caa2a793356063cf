import { textLabels } from '../rows/write-checks.ts';
import type { ListOrder } from '../store.ts';
import { FIELD_SEPARATOR, foldText } from './fold-text.ts';
import { labelFacet, ownerFacet } from './list-facet.ts';
import { createdKey, nameKey, updatedKey } from './sort-key.ts';

/** The columns of `resources` that lists follow from. */
export interface ListableRow {
  readonly row: number;
  readonly group_id: string;
  readonly kind: string;
  readonly parent_id: string;
  readonly id: string;
  readonly owner_kind: string | null;
  readonly owner_id: string | null;
  readonly revision: number;
  readonly position: number;
  /** Without any secret. */
  readonly document: string;
}

/** A resource as it stands in lists. */
export interface ResourceListing {
  readonly row: number;
  readonly groupId: string;
  readonly kind: string;
  readonly parentId: string;
  readonly id: string;
  readonly keys: Readonly<Record<ListOrder, string>>;
  /** The lists it is in, besides that of its kind. */
  readonly facets: readonly string[];
  readonly labelNames: string;
  readonly searchText: string;
}

/** Where a resource stands in lists: a pure function of its row. */
export function listingOf(row: ListableRow): ResourceListing {
  const document: Readonly<Record<string, unknown>> = JSON.parse(row.document);
  const labels = textLabels(document.labels);
  const name = typeof document.name === 'string' ? document.name : row.id;
  const facets = labels.map(([label, value]) => labelFacet(label, value));
  if (row.owner_kind !== null && row.owner_id !== null) facets.push(ownerFacet(row.owner_kind, row.owner_id));
  return {
    row: row.row,
    groupId: row.group_id,
    kind: row.kind,
    parentId: row.parent_id,
    id: row.id,
    keys: {
      updated: updatedKey(row.revision, row.position),
      created: createdKey(row.row),
      name: nameKey(name, row.row),
    },
    facets,
    labelNames: labels.map(([label]) => labelNameNeedle(label)).join(''),
    searchText: searchTextOf(row.id, name, document.desc),
  };
}

/** What `label_names` holds exactly when the resource has a label of this name. */
export function labelNameNeedle(name: string): string {
  return `${FIELD_SEPARATOR}${JSON.stringify(name)}${FIELD_SEPARATOR}`;
}

function searchTextOf(id: string, name: string, desc: unknown): string {
  const texts = name === id ? [id] : [id, name];
  if (typeof desc === 'string') texts.push(desc);
  return texts.map(foldText).join(FIELD_SEPARATOR);
}
