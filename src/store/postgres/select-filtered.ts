import { cutToPart, type SelectedEntry } from '../lists/cut-to-part.ts';
import type { ListFilter } from '../lists/plan-selection.ts';
import { SORTS } from '../lists/sort-key.ts';
import type { ListOrder, ResourceSelection, SelectedResources } from '../store.ts';
import type { PostgresConnection, SqlValue } from './postgres-connection.ts';

const KEY_COLUMNS: Readonly<Record<ListOrder, string>> = { updated: 'updated_key', created: 'created_key', name: 'name_key' };

/** Goes through a whole list: for searches, and for several conditions at once. Every part costs about the same. */
export async function selectFiltered(
  connection: PostgresConnection,
  selection: ResourceSelection,
  filter: ListFilter,
  cursor: string | undefined,
): Promise<SelectedResources> {
  const { order, direction, part } = selection;
  const key = KEY_COLUMNS[order];
  const way = direction === 'ascending' ? 'ASC' : 'DESC';
  const { sql: from, values } = matching(selection, filter);
  if (part === undefined) {
    const found = await connection.all<{ resource_row: number }>(`SELECT listed.resource_row ${from} ORDER BY ${key} ${way}`, ...values);
    return { rows: found.map((row) => row.resource_row), total: found.length, next: undefined };
  }
  const total = (await connection.get<{ total: number }>(`SELECT count(*) AS total ${from}`, ...values))?.total ?? 0;
  const offset = part.kind === 'page' ? part.offset : 0;
  if (offset >= total) return { rows: [], total, next: undefined };
  const bound = [...values, part.limit + 1, offset, ...(cursor === undefined ? [] : [cursor])];
  const after = cursor === undefined ? '' : `AND ${key} ${direction === 'ascending' ? '>' : '<'} $${bound.length}`;
  const entries = await connection.all<SelectedEntry>(
    `SELECT ${key} AS sort_key, listed.resource_row ${from} ${after} ORDER BY ${key} ${way}
     LIMIT $${values.length + 1} OFFSET $${values.length + 2}`,
    ...bound,
  );
  return cutToPart(entries, selection, part, total);
}

// The text depends only on how many conditions of each sort there are, so that few statements are ever prepared.
function matching(
  { groupId, kind }: ResourceSelection,
  filter: ListFilter,
): { readonly sql: string; readonly values: readonly SqlValue[] } {
  const values: SqlValue[] = [groupId, kind];
  const bound = (value: SqlValue): string => `$${values.push(value)}`;
  const conditions = ['listed.group_id = $1 AND listed.kind = $2'];
  const list = 'list_entries AS entry JOIN listed_resources AS listed ON listed.resource_row = entry.resource_row';
  if (filter.list !== undefined) conditions.push(`entry.list = ${bound(filter.list)} AND entry.sort = ${SORTS.created}`);
  if (filter.facets.length > 0) conditions.push(`facets @> ${bound(filter.facets)}::text[]`);
  for (const text of filter.labelNames) conditions.push(`position(${bound(text)} in label_names) > 0`);
  if (filter.search !== '') conditions.push(`position(${bound(filter.search)} in search_text) > 0`);
  return { sql: `FROM ${filter.list === undefined ? 'listed_resources AS listed' : list} WHERE ${conditions.join(' AND ')}`, values };
}
