import { cutFound } from '../lists/cut-found.ts';
import { type SelectedEntry, withPlaces } from '../lists/cut-to-part.ts';
import { findPlace } from '../lists/find-place.ts';
import { type FoundLists, type FoundRows, type GroupState, STATE_COLUMNS, stateOf } from '../lists/found-lists.ts';
import type { ListFilter } from '../lists/plan-selection.ts';
import { formatCursor, SORTS } from '../lists/sort-key.ts';
import type { ListOrder, ResourceSelection, SelectedResources } from '../store.ts';
import type { PostgresConnection, SqlValue } from './postgres-connection.ts';

const KEY_COLUMNS: Readonly<Record<ListOrder, string>> = { updated: 'updated_key', created: 'created_key', name: 'name_key' };

/**
 * Goes through a whole list: for searches, and for several conditions at once. What it finds is kept in `found`, where there is one, so that
 * further parts need not.
 */
export async function selectFiltered(
  connection: PostgresConnection,
  selection: ResourceSelection,
  filter: ListFilter,
  cursorKey: string | undefined,
  found: FoundLists | undefined,
): Promise<SelectedResources> {
  const { direction, part } = selection;
  if (selection.withPlaces === true) return withPlaces(selection, await allEntries(connection, selection, filter));
  const rows = await findRows(connection, selection, filter, found);
  if (part === undefined) {
    const all = Array.from(rows);
    return { rows: direction === 'ascending' ? all : all.reverse(), total: rows.length, next: undefined };
  }
  const before = cursorKey === undefined ? undefined : await placeOf(connection, selection, rows, cursorKey);
  const cut = cutFound(rows, direction, part, before);
  const lastKey = cut.last === undefined ? undefined : (await keysOf(connection, selection, [cut.last])).get(cut.last);
  return { rows: cut.rows, total: rows.length, next: lastKey === undefined ? undefined : formatCursor(selection.order, lastKey) };
}

async function findRows(
  connection: PostgresConnection,
  selection: ResourceSelection,
  filter: ListFilter,
  found: FoundLists | undefined,
): Promise<FoundRows> {
  const group = await connection.get<GroupState>(`SELECT ${STATE_COLUMNS} FROM gateway_groups WHERE id = $1`, selection.groupId);
  const state = group === undefined ? '' : stateOf(group);
  const known = found?.get(selection, state);
  if (known !== undefined) return known;
  const { sql: from, values } = matching(selection, filter);
  const entries = await connection.all<{ readonly resource_row: number }>(
    `SELECT listed.resource_row ${from} ORDER BY ${KEY_COLUMNS[selection.order]}`,
    ...values,
  );
  const rows = entries.map((entry) => entry.resource_row);
  found?.set(selection, state, rows);
  return rows;
}

async function placeOf(connection: PostgresConnection, selection: ResourceSelection, rows: FoundRows, cursorKey: string): Promise<number> {
  const search = findPlace(rows, cursorKey, selection.direction);
  let step = search.next();
  while (step.done !== true) step = search.next(await keysOf(connection, selection, step.value));
  return step.value;
}

async function keysOf(
  connection: PostgresConnection,
  { groupId, kind, order }: ResourceSelection,
  rows: readonly number[],
): Promise<ReadonlyMap<number, string>> {
  const entries = await connection.all<SelectedEntry>(
    `SELECT ${KEY_COLUMNS[order]} AS sort_key, resource_row FROM listed_resources
     WHERE group_id = $1 AND kind = $2 AND resource_row = ANY ($3::bigint[])`,
    ...[groupId, kind, rows.map(String)],
  );
  return new Map(entries.map(({ resource_row, sort_key }) => [resource_row, sort_key]));
}

function allEntries(connection: PostgresConnection, selection: ResourceSelection, filter: ListFilter): Promise<SelectedEntry[]> {
  const { sql: from, values } = matching(selection, filter);
  const key = KEY_COLUMNS[selection.order];
  const way = selection.direction === 'ascending' ? 'ASC' : 'DESC';
  return connection.all<SelectedEntry>(`SELECT ${key} AS sort_key, listed.resource_row ${from} ORDER BY ${key} ${way}`, ...values);
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
