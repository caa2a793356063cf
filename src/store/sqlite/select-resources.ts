import { cutToPart, type SelectedEntry } from '../lists/cut-to-part.ts';
import { foldText } from '../lists/fold-text.ts';
import { labelFacet, ownerFacet, WHOLE_KIND } from '../lists/list-facet.ts';
import { labelNameNeedle } from '../lists/resource-listing.ts';
import { parseCursor, SORTS } from '../lists/sort-key.ts';
import type { ListPart, ResourceSelection, SelectedResources } from '../store.ts';
import { blockAt } from './list-blocks.ts';
import { selectFiltered } from './select-filtered.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

/** A list as it is kept. */
interface KeptList {
  readonly list: number;
  readonly facet: string;
  readonly entries: number;
  readonly has_blocks: number;
}

/** A list that is shorter than its kind by this factor is gone through itself; else going through the kind, side by side, is faster. */
const SHORT_LIST_SHARE = 4;

const NOTHING: SelectedResources = { rows: [], total: 0, next: undefined };

/** What `StoreReader.selectResources` promises, of lists that are current. Call it where its statements see one state. */
export function selectResources(database: SqliteDatabase, selection: ResourceSelection): SelectedResources {
  const { part } = selection;
  const cursor = part?.kind === 'after' ? parseCursor(part.cursor, selection.order) : undefined;
  const lists = facetsOf(selection).map((facet) => findList(database, selection, facet));
  const [smallest, ...others] = lists.filter((list) => list !== undefined).sort((a, b) => a.entries - b.entries);
  if (smallest === undefined || others.length + 1 < lists.length) return NOTHING;
  const search = selection.search === undefined ? '' : foldText(selection.search);
  const labelNames = (selection.labelNames ?? []).map(labelNameNeedle);
  if (others.length > 0 || search !== '' || labelNames.length > 0) {
    const isShort = smallest.entries * SHORT_LIST_SHARE < (findList(database, selection, WHOLE_KIND)?.entries ?? 0);
    const facets = (isShort ? others : [smallest, ...others]).map(({ facet }) => facet).filter((facet) => facet !== WHOLE_KIND);
    return selectFiltered(database, selection, { list: isShort ? smallest.list : undefined, facets, search, labelNames }, cursor);
  }
  if (part === undefined) return { rows: allRows(database, smallest, selection), total: smallest.entries, next: undefined };
  const entries =
    cursor === undefined ? pageOf(database, smallest, selection, part) : entriesAfter(database, smallest, selection, cursor, part);
  return cutToPart(entries, selection, part, smallest.entries);
}

function findList(database: SqliteDatabase, { groupId, kind }: ResourceSelection, facet: string): KeptList | undefined {
  return database.get<KeptList>(
    'SELECT list, facet, entries, has_blocks FROM resource_lists WHERE group_id = ? AND kind = ? AND facet = ?',
    ...[groupId, kind, facet],
  );
}

function facetsOf({ owner, labels }: ResourceSelection): readonly string[] {
  const facets = [...(labels ?? [])].map(([name, value]) => labelFacet(name, value));
  if (owner !== undefined) facets.push(ownerFacet(owner.kind, owner.id));
  return facets.length === 0 ? [WHOLE_KIND] : facets;
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
function pageOf(database: SqliteDatabase, kept: KeptList, { order, direction }: ResourceSelection, part: ListPart): SelectedEntry[] {
  const offset = part.kind === 'page' ? part.offset : 0;
  const count = Math.min(part.limit + 1, kept.entries - offset);
  if (count <= 0) return [];
  const place = direction === 'ascending' ? offset : kept.entries - offset - count;
  const { list } = kept;
  const block = blockAt(database, list, SORTS[order], place);
  const entries = database.all<SelectedEntry>(
    'SELECT sort_key, resource_row FROM list_entries WHERE list = ? AND sort = ? AND sort_key >= ? ORDER BY sort_key LIMIT ? OFFSET ?',
    ...[list, SORTS[order], block.firstKey, count, place - block.firstPlace],
  );
  return direction === 'ascending' ? entries : entries.toReversed();
}
