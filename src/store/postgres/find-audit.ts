import type { AuditPlace, AuditQuery } from '../history.ts';
import type { AuditRow } from '../rows/history-rows.ts';
import { AUDIT_COLUMNS } from './audit-log.ts';
import type { PostgresConnection, SqlValue } from './postgres-connection.ts';

const EQUALS = [
  ['resource', 'resource'],
  ['authorId', 'author_id'],
  ['address', 'address'],
  ['action', 'action'],
  ['groupId', 'group_id'],
] as const satisfies readonly (readonly [keyof AuditQuery, string])[];

/** The rows that a query finds, the latest by time first. An index over one condition and the time leads to them. */
export async function findAuditRows(
  connection: PostgresConnection,
  query: AuditQuery,
  after: AuditPlace | undefined,
  limit: number,
): Promise<readonly AuditRow[]> {
  const conditions: string[] = [];
  const values: SqlValue[] = [];
  const bind = (value: SqlValue): string => `$${values.push(value)}`;
  for (const [field, column] of EQUALS) {
    const value = query[field];
    if (value !== undefined) conditions.push(`${column} = ${bind(value)}`);
  }
  if (query.from !== undefined) conditions.push(`at >= ${bind(query.from)}`);
  if (query.until !== undefined) conditions.push(`at < ${bind(query.until)}`);
  if (after !== undefined) conditions.push(`(at, number) < (${bind(after.at)}, ${bind(after.number)})`);
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  return connection.all<AuditRow>(
    `SELECT ${AUDIT_COLUMNS} FROM audit_entries ${where} ORDER BY at DESC, number DESC LIMIT ${bind(limit)}`,
    ...values,
  );
}

/** The actions that occur, sorted: a step through the index for each, however many entries there are. */
export async function listAuditActions(connection: PostgresConnection): Promise<readonly string[]> {
  const rows = await connection.all<{ action: string }>(`
    WITH RECURSIVE actions AS (
      (SELECT action FROM audit_entries ORDER BY action LIMIT 1)
      UNION ALL
      SELECT (SELECT action FROM audit_entries WHERE action > actions.action ORDER BY action LIMIT 1) FROM actions
      WHERE actions.action IS NOT NULL
    )
    SELECT action FROM actions WHERE action IS NOT NULL ORDER BY action COLLATE "C"`);
  return rows.map(({ action }) => action);
}
