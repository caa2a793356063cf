import { cutToPart, nothingOf, type SelectedEntry, withPlaces } from '../lists/cut-to-part.ts';
import type { FoundLists } from '../lists/found-lists.ts';
import { WHOLE_KIND } from '../lists/list-facet.ts';
import { facetsOf, type KeptList, planSelection, stretchOf } from '../lists/plan-selection.ts';
import { parseCursor, SORTS } from '../lists/sort-key.ts';
import type { ListPart, ResourceSelection, SelectedResources } from '../store.ts';
import { blockAt } from './list-blocks.ts';
import { selectFiltered } from './select-filtered.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

/**
 * What `StoreReader.selectResources` promises, of lists that are current. Call it where its statements see one state. `found` is only for where
 * that is what is committed.
 */
export function selectResources(database: SqliteDatabase, selection: ResourceSelection, found?: FoundLists): SelectedResources {
  const { part } = selection;
  const cursor = part?.kind === 'after' ? parseCursor(part.cursor, selection.order) : undefined;
  const facets = new Set([WHOLE_KIND, ...facetsOf(selection)]);
  const plan = planSelection(
    selection,
    [...facets].flatMap((facet) => findList(database, selection, facet) ?? []),
  );
  switch (plan.kind) {
    case 'nothing':
      return nothingOf(selection);
    case 'filtered':
      return selectFiltered(database, selection, plan.filter, cursor, found);
    case 'kept': {
      const { kept } = plan;
      if (selection.withPlaces === true) return withPlaces(selection, allEntries(database, kept, selection));
      if (part === undefined) return { rows: allRows(database, kept, selection), total: kept.entries, next: undefined };
      const entries = cursor === undefined ? pageOf(database, kept, selection) : entriesAfter(database, kept, selection, cursor, part);
      return cutToPart(entries, selection, part, kept.entries);
    }
  }
}

function findList(database: SqliteDatabase, { groupId, kind }: ResourceSelection, facet: string): KeptList | undefined {
  return database.get<KeptList>(
    'SELECT list, facet, entries FROM resource_lists WHERE group_id = ? AND kind = ? AND facet = ?',
    ...[groupId, kind, facet],
  );
}

function allEntries(database: SqliteDatabase, { list }: KeptList, { order, direction }: ResourceSelection): SelectedEntry[] {
  const sql = 'SELECT sort_key, resource_row FROM list_entries WHERE list = ? AND sort = ? ORDER BY sort_key';
  return database.all<SelectedEntry>(direction === 'ascending' ? sql : `${sql} DESC`, list, SORTS[order]);
}

function allRows(database: SqliteDatabase, { list }: KeptList, { order, direction }: ResourceSelection): number[] {
  const sql = `SELECT resource_row FROM list_entries WHERE list = ? AND sort = ? ORDER BY sort_key`;
  return database.column<number>(direction === 'ascending' ? sql : `${sql} DESC`, list, SORTS[order]);
}

function entriesAfter(
  database: SqliteDatabase,
  { list }: KeptList,
  { order, direction }: ResourceSelection,
  cursor: string,
  { limit }: ListPart,
): SelectedEntry[] {
  const [after, way] = direction === 'ascending' ? ['>', 'ASC'] : ['<', 'DESC'];
  return database.all<SelectedEntry>(
    `SELECT sort_key, resource_row FROM list_entries WHERE list = ? AND sort = ? AND sort_key ${after} ? ORDER BY sort_key ${way} LIMIT ?`,
    ...[list, SORTS[order], cursor, limit + 1],
  );
}

// Both directions read upwards: places are counted from the beginning.
function pageOf(database: SqliteDatabase, { list, entries: length }: KeptList, selection: ResourceSelection): SelectedEntry[] {
  const stretch = stretchOf(selection, length);
  if (stretch === undefined) return [];
  const sort = SORTS[selection.order];
  const block = blockAt(database, list, sort, stretch.place);
  const entries = database.all<SelectedEntry>(
    'SELECT sort_key, resource_row FROM list_entries WHERE list = ? AND sort = ? AND sort_key >= ? ORDER BY sort_key LIMIT ? OFFSET ?',
    ...[list, sort, block.firstKey, stretch.count, stretch.place - block.firstPlace],
  );
  return selection.direction === 'ascending' ? entries : entries.toReversed();
}
