import { cutToPart, type SelectedEntry } from '../lists/cut-to-part.ts';
import type { ListFilter } from '../lists/plan-selection.ts';
import { SORTS } from '../lists/sort-key.ts';
import type { ListOrder, ResourceSelection, SelectedResources } from '../store.ts';
import type { SqliteDatabase, SqlValue } from './sqlite-database.ts';

const KEY_COLUMNS: Readonly<Record<ListOrder, string>> = { updated: 'updated_key', created: 'created_key', name: 'name_key' };

interface Condition {
  readonly sql: string;
  readonly values: readonly SqlValue[];
}

/** Goes through a whole list: for searches, and for several conditions at once. Every part costs about the same. */
export function selectFiltered(
  database: SqliteDatabase,
  selection: ResourceSelection,
  filter: ListFilter,
  cursor: string | undefined,
): SelectedResources {
  const { order, direction, part } = selection;
  const key = KEY_COLUMNS[order];
  const way = direction === 'ascending' ? 'ASC' : 'DESC';
  const { sql: from, values } = matching(selection, filter);
  if (part === undefined) {
    const rows = database.column<number>(`SELECT listed.resource_row ${from} ORDER BY ${key} ${way}`, ...values);
    return { rows, total: rows.length, next: undefined };
  }
  const total = database.get<{ total: number }>(`SELECT count(*) AS total ${from}`, ...values)?.total ?? 0;
  const offset = part.kind === 'page' ? part.offset : 0;
  if (offset >= total) return { rows: [], total, next: undefined };
  const after = cursor === undefined ? '' : `AND ${key} ${direction === 'ascending' ? '>' : '<'} ?`;
  const entries = database.all<SelectedEntry>(
    `SELECT ${key} AS sort_key, listed.resource_row ${from} ${after} ORDER BY ${key} ${way} LIMIT ? OFFSET ?`,
    ...[...values, ...(cursor === undefined ? [] : [cursor]), part.limit + 1, offset],
  );
  return cutToPart(entries, selection, part, total);
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
