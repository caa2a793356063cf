import type { ResourceRow } from '../rows/resource-rows.ts';
import type { ResourceQuery } from '../store.ts';
import type { PostgresConnection, SqlValue } from './postgres-connection.ts';
import { RESOURCE_COLUMNS } from './resource-columns.ts';

/** The rows of a query, the most recently updated first. An index leads to them; labels are compared with each of those. */
export async function listResourceRows(connection: PostgresConnection, query: ResourceQuery): Promise<ResourceRow[]> {
  const conditions: string[] = [];
  const values: SqlValue[] = [];
  const where = (condition: string, value: SqlValue): void => {
    values.push(value);
    conditions.push(`${condition} $${values.length}`);
  };
  where('group_id =', query.groupId);
  where('kind =', query.kind);
  if (query.parentId !== undefined) where('parent_id =', query.parentId);
  if (query.owner !== undefined) {
    where('owner_kind =', query.owner.kind);
    where('owner_id =', query.owner.id);
  }
  if (query.labels !== undefined && query.labels.size > 0) where('labels @>', labelsArray([...query.labels]));
  return connection.all<ResourceRow>(
    `SELECT ${RESOURCE_COLUMNS} FROM resources WHERE ${conditions.join(' AND ')} ORDER BY revision DESC, position DESC`,
    ...values,
  );
}

/** The column `labels`: one element for each, in JSON, which escapes what PostgreSQL's text cannot hold. */
export function labelsArray(labels: readonly (readonly [name: string, value: string])[]): readonly string[] {
  return labels.map((label) => JSON.stringify(label));
}
