import type { ListedPlace } from '../lists/listing-changes.ts';
import type { ResourceListing } from '../lists/resource-listing.ts';
import type { ResourceKey } from '../store.ts';
import type { PostgresConnection } from './postgres-connection.ts';

interface ListedRow {
  readonly kind: string;
  readonly parent_id: string;
  readonly id: string;
  readonly resource_row: number;
  readonly updated_key: string;
  readonly created_key: string;
  readonly name_key: string;
  readonly facets: string;
}

/** Where resources stand in the lists of a group, each by the JSON of its kind, parent and id. */
export async function readListed(
  connection: PostgresConnection,
  groupId: string,
  keys: readonly ResourceKey[],
): Promise<ReadonlyMap<string, ListedPlace>> {
  const rows = await connection.all<ListedRow>(
    `SELECT listed.kind, listed.parent_id, listed.id, resource_row, updated_key, created_key, name_key, array_to_string(facets, ',') AS facets
     FROM unnest($2::text[], $3::text[], $4::text[]) AS wanted (kind, parent_id, id)
     JOIN listed_resources AS listed ON group_id = $1 AND listed.kind = wanted.kind COLLATE "C"
       AND listed.parent_id = wanted.parent_id COLLATE "C" AND listed.id = wanted.id COLLATE "C"`,
    ...[groupId, keys.map(({ kind }) => kind), keys.map(({ parentId }) => parentId), keys.map(({ id }) => id)],
  );
  return new Map(rows.map((row) => [JSON.stringify([row.kind, row.parent_id, row.id]), placeOf(row)]));
}

/** Notes where resources stand now; putting them there is the caller's. */
export async function writeListed(
  connection: PostgresConnection,
  groupId: string,
  { gone, come }: { readonly gone: readonly ResourceKey[]; readonly come: readonly ResourceListing[] },
): Promise<void> {
  await connection.run(
    `WITH gone AS (
       DELETE FROM listed_resources AS listed USING unnest($2::text[], $3::text[], $4::text[]) AS gone (kind, parent_id, id)
       WHERE group_id = $1 AND listed.kind = gone.kind COLLATE "C" AND listed.parent_id = gone.parent_id COLLATE "C"
         AND listed.id = gone.id COLLATE "C")
     INSERT INTO listed_resources (group_id, kind, parent_id, id, resource_row, updated_key, created_key, name_key, facets,
       label_names, search_text)
     SELECT $1, kind, parent_id, id, resource_row, updated_key, created_key, name_key, string_to_array(facets, ','), label_names, search_text
     FROM unnest($5::text[], $6::text[], $7::text[], $8::bigint[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[],
       $14::text[]) AS come (kind, parent_id, id, resource_row, updated_key, created_key, name_key, facets, label_names, search_text)
     ON CONFLICT (group_id, kind, parent_id, id) DO UPDATE SET resource_row = excluded.resource_row,
       updated_key = excluded.updated_key, created_key = excluded.created_key, name_key = excluded.name_key,
       facets = excluded.facets, label_names = excluded.label_names, search_text = excluded.search_text`,
    ...[groupId, gone.map(({ kind }) => kind), gone.map(({ parentId }) => parentId), gone.map(({ id }) => id)],
    ...[come.map(({ kind }) => kind), come.map(({ parentId }) => parentId), come.map(({ id }) => id)],
    come.map(({ row }) => String(row)),
    ...[come.map(({ keys }) => keys.updated), come.map(({ keys }) => keys.created), come.map(({ keys }) => keys.name)],
    // Facets are digests, in which no comma occurs.
    ...[come.map(({ facets }) => facets.join(',')), come.map(({ labelNames }) => labelNames), come.map(({ searchText }) => searchText)],
  );
}

function placeOf(row: ListedRow): ListedPlace {
  return {
    row: row.resource_row,
    kind: row.kind,
    keys: { updated: row.updated_key, created: row.created_key, name: row.name_key },
    facets: row.facets === '' ? [] : row.facets.split(','),
  };
}
