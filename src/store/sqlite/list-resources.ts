import type { ResourceRow } from '../rows/resource-rows.ts';
import type { ResourceQuery } from '../store.ts';
import { RESOURCE_COLUMNS } from './resource-columns.ts';
import type { SqliteDatabase, SqlValue } from './sqlite-database.ts';

// Labels have a column of their own: SQLite reads no JSON deeper than 1000, so one deep document would break every list by label.
// Those of the query come as one JSON object, so that the statement is the same for any number of them.
const HAS_LABELS = `NOT EXISTS (
  SELECT 1 FROM json_each(?) AS wanted WHERE NOT EXISTS (
    SELECT 1 FROM json_each(resources.labels) AS label WHERE label.key = wanted.key AND label.value = wanted.value))`;

// Named, because without statistics SQLite prefers the index that saves the sorting, and reads the whole kind for one owner's few.
function indexFor(query: ResourceQuery): string {
  if (query.owner !== undefined) return 'resources_by_owner';
  return query.parentId === undefined ? 'resources_by_kind_and_age' : 'resources_by_key';
}

/** The rows of a query, the most recently updated first. An index leads to them; labels are compared with each of those. */
export function listResourceRows(database: SqliteDatabase, query: ResourceQuery): ResourceRow[] {
  const conditions = ['group_id = ?', 'kind = ?'];
  const values: SqlValue[] = [query.groupId, query.kind];
  if (query.parentId !== undefined) {
    conditions.push('parent_id = ?');
    values.push(query.parentId);
  }
  if (query.owner !== undefined) {
    conditions.push('owner_kind = ?', 'owner_id = ?');
    values.push(query.owner.kind, query.owner.id);
  }
  if (query.labels !== undefined && query.labels.size > 0) {
    conditions.push(HAS_LABELS);
    values.push(JSON.stringify(Object.fromEntries(query.labels)));
  }
  return database.all<ResourceRow>(
    `SELECT ${RESOURCE_COLUMNS} FROM resources INDEXED BY ${indexFor(query)} WHERE ${conditions.join(' AND ')} ORDER BY revision DESC, position DESC`,
    ...values,
  );
}
