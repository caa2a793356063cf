import { needsBlocks } from '../lists/block-sizes.ts';
import { type ListableRow, listingOf, type ResourceListing } from '../lists/resource-listing.ts';
import { SORTS } from '../lists/sort-key.ts';
import { makeBlocks } from './list-blocks.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

/** The columns of `ListableRow`. */
export const LISTABLE_COLUMNS = 'row, group_id, kind, parent_id, id, owner_kind, owner_id, revision, position, document';

const ROWS_AT_ONCE = 500;
const KEY_COLUMNS: ReadonlyArray<readonly [sort: number, column: string]> = [
  [SORTS.updated, 'updated_key'],
  [SORTS.created, 'created_key'],
  [SORTS.name, 'name_key'],
];

/** Makes all lists of a group anew: in whole statements, ten times as fast as one resource after the other. */
export function rebuildLists(database: SqliteDatabase, groupId: string): void {
  clearLists(database, groupId);
  for (let after = 0; ; ) {
    const rows = database.all<ListableRow>(
      `SELECT ${LISTABLE_COLUMNS} FROM resources NOT INDEXED WHERE row > ? AND group_id = ? ORDER BY row LIMIT ?`,
      ...[after, groupId, ROWS_AT_ONCE],
    );
    for (const row of rows) insertListing(database, listingOf(row));
    const last = rows.at(-1);
    if (last === undefined) break;
    after = last.row;
  }
  database.run(
    `INSERT INTO resource_lists (group_id, kind, facet, entries, has_blocks)
     SELECT group_id, kind, facet, count(*), 0 FROM (
       SELECT group_id, kind, '' AS facet FROM listed_resources WHERE group_id = ?
       UNION ALL SELECT group_id, kind, value FROM listed_resources, json_each(facets) WHERE group_id = ?)
     GROUP BY group_id, kind, facet`,
    ...[groupId, groupId],
  );
  for (const [sort, column] of KEY_COLUMNS) insertEntries(database, groupId, sort, column);
  const lists = database.all<{ list: number; entries: number }>('SELECT list, entries FROM resource_lists WHERE group_id = ?', groupId);
  for (const { list, entries } of lists.filter((long) => needsBlocks(long.entries))) {
    for (const [sort] of KEY_COLUMNS) makeBlocks(database, list, sort, entries);
    database.run('UPDATE resource_lists SET has_blocks = 1 WHERE list = ?', list);
  }
}

/** Notes a resource as it stands in lists; putting it there is the caller's. */
export function insertListing(database: SqliteDatabase, listing: ResourceListing): void {
  database.run(
    `INSERT INTO listed_resources (group_id, kind, resource_row, parent_id, id, updated_key, created_key, name_key, facets,
       label_names, search_text) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ...[listing.groupId, listing.kind, listing.row, listing.parentId, listing.id],
    ...[listing.keys.updated, listing.keys.created, listing.keys.name],
    ...[JSON.stringify(listing.facets), listing.labelNames, listing.searchText],
  );
}

/** Takes away all lists of a group. */
export function clearLists(database: SqliteDatabase, groupId: string): void {
  for (const table of ['list_entries', 'list_blocks']) {
    database.run(`DELETE FROM ${table} WHERE list IN (SELECT list FROM resource_lists WHERE group_id = ?)`, groupId);
  }
  for (const table of ['resource_lists', 'listed_resources']) database.run(`DELETE FROM ${table} WHERE group_id = ?`, groupId);
}

// CROSS JOIN is SQLite's word for this order of tables. In the other one it reads a whole kind for each of a hundred thousand lists.
function insertEntries(database: SqliteDatabase, groupId: string, sort: number, column: string): void {
  database.run(
    `INSERT INTO list_entries (list, sort, sort_key, resource_row)
     SELECT list, ?, sort_key, resource_row FROM (
       SELECT list, ${column} AS sort_key, resource_row FROM listed_resources AS listed CROSS JOIN resource_lists AS kept
         ON kept.group_id = listed.group_id AND kept.kind = listed.kind AND kept.facet = '' WHERE listed.group_id = ?
       UNION ALL SELECT list, ${column}, resource_row FROM listed_resources AS listed CROSS JOIN json_each(facets) CROSS JOIN resource_lists AS kept
         ON kept.group_id = listed.group_id AND kept.kind = listed.kind AND kept.facet = value WHERE listed.group_id = ?)
     ORDER BY list, sort_key`,
    ...[sort, groupId, groupId],
  );
}
