/**
 * The columns of `ResourceRow`, for a statement on `resources`. Columns are always named: a statement prepared with `*` fails for ever on a
 * connection as soon as a newer control plane has added a column.
 */
export const RESOURCE_COLUMNS = `
  group_id, kind, parent_id, id, revision, position, created_at, updated_at, document, secrets,
  (SELECT coalesce(json_agg(json_build_array(space, encode(digest, 'hex')) ORDER BY space, digest)::text, '[]')
   FROM unique_values WHERE resource_row = resources.row) AS unique_list`;
