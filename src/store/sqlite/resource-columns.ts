/** The columns of `ResourceRow`, for a statement on `resources`. */
export const RESOURCE_COLUMNS = `
  group_id, kind, parent_id, id, revision, position, created_at, updated_at, document, secrets,
  (SELECT json_group_array(json_array(space, hex(digest))) FROM unique_values WHERE resource_row = resources.row) AS unique_list`;
