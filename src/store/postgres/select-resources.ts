import { cutToPart, nothingOf, type SelectedEntry, withPlaces } from '../lists/cut-to-part.ts';
import type { FoundLists } from '../lists/found-lists.ts';
import { WHOLE_KIND } from '../lists/list-facet.ts';
import { facetsOf, type KeptList, planSelection, stretchOf } from '../lists/plan-selection.ts';
import { parseCursor, SORTS } from '../lists/sort-key.ts';
import type { ListPart, ResourceSelection, SelectedResources } from '../store.ts';
import { blockAt } from './list-blocks.ts';
import type { PostgresConnection } from './postgres-connection.ts';
import { selectFiltered } from './select-filtered.ts';

/**
 * What `StoreReader.selectResources` promises, of lists that are current. Call it where its statements see one state. `found` is only for where
 * that is what is committed.
 */
export async function selectResources(
  connection: PostgresConnection,
  selection: ResourceSelection,
  found?: FoundLists,
): Promise<SelectedResources> {
  const { part } = selection;
  const cursor = part?.kind === 'after' ? parseCursor(part.cursor, selection.order) : undefined;
  const plan = planSelection(selection, await findLists(connection, selection));
  switch (plan.kind) {
    case 'nothing':
      return nothingOf(selection);
    case 'filtered':
      return selectFiltered(connection, selection, plan.filter, cursor, found);
    case 'kept': {
      const { kept } = plan;
      if (selection.withPlaces === true) return withPlaces(selection, await allEntries(connection, kept, selection));
      if (part === undefined) return { rows: await allRows(connection, kept, selection), total: kept.entries, next: undefined };
      const entries =
        cursor === undefined ? await pageOf(connection, kept, selection) : await entriesAfter(connection, kept, selection, cursor, part);
      return cutToPart(entries, selection, part, kept.entries);
    }
  }
}

function findLists(connection: PostgresConnection, selection: ResourceSelection): Promise<readonly KeptList[]> {
  return connection.all<KeptList>(
    'SELECT list, facet, entries FROM resource_lists WHERE group_id = $1 AND kind = $2 AND facet = ANY ($3::text[])',
    ...[selection.groupId, selection.kind, [...new Set([WHOLE_KIND, ...facetsOf(selection)])]],
  );
}

function allEntries(connection: PostgresConnection, { list }: KeptList, { order, direction }: ResourceSelection): Promise<SelectedEntry[]> {
  const way = direction === 'ascending' ? 'ASC' : 'DESC';
  return connection.all<SelectedEntry>(
    `SELECT sort_key, resource_row FROM list_entries WHERE list = $1 AND sort = $2 ORDER BY sort_key ${way}`,
    ...[list, SORTS[order]],
  );
}

async function allRows(connection: PostgresConnection, { list }: KeptList, { order, direction }: ResourceSelection): Promise<number[]> {
  const way = direction === 'ascending' ? 'ASC' : 'DESC';
  const found = await connection.all<{ resource_row: number }>(
    `SELECT resource_row FROM list_entries WHERE list = $1 AND sort = $2 ORDER BY sort_key ${way}`,
    ...[list, SORTS[order]],
  );
  return found.map((row) => row.resource_row);
}

function entriesAfter(
  connection: PostgresConnection,
  { list }: KeptList,
  { order, direction }: ResourceSelection,
  cursor: string,
  { limit }: ListPart,
): Promise<SelectedEntry[]> {
  const [after, way] = direction === 'ascending' ? ['>', 'ASC'] : ['<', 'DESC'];
  return connection.all<SelectedEntry>(
    `SELECT sort_key, resource_row FROM list_entries WHERE list = $1 AND sort = $2 AND sort_key ${after} $3 ORDER BY sort_key ${way} LIMIT $4`,
    ...[list, SORTS[order], cursor, limit + 1],
  );
}

// Both directions read upwards: places are counted from the beginning.
async function pageOf(
  connection: PostgresConnection,
  { list, entries: length }: KeptList,
  selection: ResourceSelection,
): Promise<SelectedEntry[]> {
  const stretch = stretchOf(selection, length);
  if (stretch === undefined) return [];
  const sort = SORTS[selection.order];
  const block = await blockAt(connection, list, sort, stretch.place);
  const entries = await connection.all<SelectedEntry>(
    `SELECT sort_key, resource_row FROM list_entries WHERE list = $1 AND sort = $2 AND sort_key >= $3 ORDER BY sort_key LIMIT $4 OFFSET $5`,
    ...[list, sort, block.firstKey, stretch.count, stretch.place - block.firstPlace],
  );
  return selection.direction === 'ascending' ? entries : entries.toReversed();
}
