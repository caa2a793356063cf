import { needsBlocks } from '../lists/block-sizes.ts';
import { type ListableRow, listingOf } from '../lists/resource-listing.ts';
import { SORTS } from '../lists/sort-key.ts';
import { makeBlocks } from './list-blocks.ts';
import { writeListed } from './listed-resources.ts';
import type { PostgresConnection } from './postgres-connection.ts';

/** The columns of `ListableRow`, for a statement on `resources`. */
export const LISTABLE_COLUMNS = 'resources.row, group_id, kind, parent_id, id, owner_kind, owner_id, revision, position, document';

const ROWS_AT_ONCE = 500;

/** Makes all lists of a group anew: in whole statements, which is much faster than one resource after the other. */
export async function rebuildLists(connection: PostgresConnection, groupId: string): Promise<void> {
  await clearLists(connection, groupId);
  for (let after = { kind: '', parent_id: '', id: '' }; ; ) {
    const rows = await connection.all<ListableRow>(
      `SELECT ${LISTABLE_COLUMNS} FROM resources WHERE group_id = $1 AND (kind, parent_id, id) > ($2, $3, $4)
       ORDER BY kind, parent_id, id LIMIT $5`,
      ...[groupId, after.kind, after.parent_id, after.id, ROWS_AT_ONCE],
    );
    const last = rows.at(-1);
    if (last === undefined) break;
    await writeListed(connection, groupId, { gone: [], come: rows.map(listingOf) });
    after = last;
  }
  await connection.run(
    `INSERT INTO resource_lists (group_id, kind, facet, entries, has_blocks)
     SELECT $1, kind, facet, count(*), 0 FROM (${FACETS}) AS listed GROUP BY kind, facet`,
    groupId,
  );
  await connection.run(
    `INSERT INTO list_entries (list, sort, sort_key, resource_row)
     SELECT list, sort, sort_key, resource_row FROM (${FACETS}) AS listed
     JOIN resource_lists AS kept ON kept.group_id = $1 AND kept.kind = listed.kind AND kept.facet = listed.facet,
     LATERAL (VALUES (${SORTS.updated}, updated_key), (${SORTS.created}, created_key), (${SORTS.name}, name_key)) AS place (sort, sort_key)
     ORDER BY list, sort, sort_key`,
    groupId,
  );
  const lists = await connection.all<{ list: number; entries: number }>(
    'SELECT list, entries FROM resource_lists WHERE group_id = $1',
    groupId,
  );
  await makeBlocks(
    connection,
    lists.filter(({ entries }) => needsBlocks(entries)).map(({ list }) => list),
  );
}

/** Takes away all lists of a group. */
export async function clearLists(connection: PostgresConnection, groupId: string): Promise<void> {
  for (const table of ['list_entries', 'list_blocks']) {
    await connection.run(`DELETE FROM ${table} WHERE list IN (SELECT list FROM resource_lists WHERE group_id = $1)`, groupId);
  }
  for (const table of ['resource_lists', 'listed_resources']) {
    await connection.run(`DELETE FROM ${table} WHERE group_id = $1`, groupId);
  }
}

/** Each resource of the group once for each list that it is in. */
const FACETS = `
  SELECT kind, '' COLLATE "C" AS facet, resource_row, updated_key, created_key, name_key FROM listed_resources WHERE group_id = $1
  UNION ALL SELECT kind, facet COLLATE "C", resource_row, updated_key, created_key, name_key
  FROM listed_resources, unnest(facets) AS each (facet) WHERE group_id = $1`;
