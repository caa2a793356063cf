import { cutFound } from '../lists/cut-found.ts';
import { type SelectedEntry, withPlaces } from '../lists/cut-to-part.ts';
import { findPlace } from '../lists/find-place.ts';
import { type FoundLists, type FoundRows, type GroupState, STATE_COLUMNS, stateOf } from '../lists/found-lists.ts';
import type { ListFilter } from '../lists/plan-selection.ts';
import { formatCursor, SORTS } from '../lists/sort-key.ts';
import type { ListOrder, ResourceSelection, SelectedResources } from '../store.ts';
import type { SqliteDatabase, SqlValue } from './sqlite-database.ts';

const KEY_COLUMNS: Readonly<Record<ListOrder, string>> = { updated: 'updated_key', created: 'created_key', name: 'name_key' };

interface Condition {
  readonly sql: string;
  readonly values: readonly SqlValue[];
}

/**
 * Goes through a whole list: for searches, and for several conditions at once. What it finds is kept in `found`, where there is one, so that
 * further parts need not.
 */
export function selectFiltered(
  database: SqliteDatabase,
  selection: ResourceSelection,
  filter: ListFilter,
  cursorKey: string | undefined,
  found: FoundLists | undefined,
): SelectedResources {
  const { direction, part } = selection;
  if (selection.withPlaces === true) return withPlaces(selection, allEntries(database, selection, filter));
  const rows = findRows(database, selection, filter, found);
  if (part === undefined) {
    const all = Array.from(rows);
    return { rows: direction === 'ascending' ? all : all.reverse(), total: rows.length, next: undefined };
  }
  const before = cursorKey === undefined ? undefined : placeOf(database, selection, rows, cursorKey);
  const cut = cutFound(rows, direction, part, before);
  const lastKey = cut.last === undefined ? undefined : keysOf(database, selection, [cut.last]).get(cut.last);
  return { rows: cut.rows, total: rows.length, next: lastKey === undefined ? undefined : formatCursor(selection.order, lastKey) };
}

function findRows(database: SqliteDatabase, selection: ResourceSelection, filter: ListFilter, found: FoundLists | undefined): FoundRows {
  const group = database.get<GroupState>(`SELECT ${STATE_COLUMNS} FROM gateway_groups WHERE id = ?`, selection.groupId);
  const state = group === undefined ? '' : stateOf(group);
  const known = found?.get(selection, state);
  if (known !== undefined) return known;
  const { sql: from, values } = matching(selection, filter);
  const rows = database.column<number>(`SELECT listed.resource_row ${from} ORDER BY ${KEY_COLUMNS[selection.order]}`, ...values);
  found?.set(selection, state, rows);
  return rows;
}

function placeOf(database: SqliteDatabase, selection: ResourceSelection, rows: FoundRows, cursorKey: string): number {
  const search = findPlace(rows, cursorKey, selection.direction);
  let step = search.next();
  while (step.done !== true) step = search.next(keysOf(database, selection, step.value));
  return step.value;
}

function keysOf(
  database: SqliteDatabase,
  { groupId, kind, order }: ResourceSelection,
  rows: readonly number[],
): ReadonlyMap<number, string> {
  const entries = database.all<SelectedEntry>(
    `SELECT ${KEY_COLUMNS[order]} AS sort_key, resource_row FROM listed_resources
     WHERE group_id = ? AND kind = ? AND resource_row IN (SELECT value FROM json_each(?))`,
    ...[groupId, kind, JSON.stringify(rows)],
  );
  return new Map(entries.map(({ resource_row, sort_key }) => [resource_row, sort_key]));
}

function allEntries(database: SqliteDatabase, selection: ResourceSelection, filter: ListFilter): SelectedEntry[] {
  const { sql: from, values } = matching(selection, filter);
  const key = KEY_COLUMNS[selection.order];
  const way = selection.direction === 'ascending' ? 'ASC' : 'DESC';
  return database.all<SelectedEntry>(`SELECT ${key} AS sort_key, listed.resource_row ${from} ORDER BY ${key} ${way}`, ...values);
}

// The text depends only on how many conditions of each sort there are, so that few statements are ever prepared.
function matching({ groupId, kind }: ResourceSelection, filter: ListFilter): Condition {
  const conditions: Condition[] = [{ sql: 'listed.group_id = ? AND listed.kind = ?', values: [groupId, kind] }];
  // The cross join keeps SQLite from going through the kind instead of the list.
  const list = 'list_entries AS entry CROSS JOIN listed_resources AS listed ON listed.resource_row = entry.resource_row';
  if (filter.list !== undefined) conditions.push({ sql: 'entry.list = ? AND entry.sort = ?', values: [filter.list, SORTS.created] });
  if (filter.search !== '') conditions.push({ sql: 'instr(search_text, ?) > 0', values: [filter.search] });
  for (const labelName of filter.labelNames) conditions.push({ sql: 'instr(label_names, ?) > 0', values: [labelName] });
  for (const facet of filter.facets) conditions.push({ sql: 'instr(facets, ?) > 0', values: [JSON.stringify(facet)] });
  return {
    sql: `FROM ${filter.list === undefined ? 'listed_resources AS listed' : list} WHERE ${conditions.map(({ sql }) => sql).join(' AND ')}`,
    values: conditions.flatMap(({ values }) => values),
  };
}
