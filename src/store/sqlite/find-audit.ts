import type { AuditPlace, AuditQuery } from '../history.ts';
import type { AuditRow } from '../rows/history-rows.ts';
import type { SqliteDatabase, SqlValue } from './sqlite-database.ts';

const EQUALS = [
  ['resource', 'resource'],
  ['authorId', 'author_id'],
  ['address', 'address'],
  ['action', 'action'],
  ['groupId', 'group_id'],
] as const satisfies readonly (readonly [keyof AuditQuery, string])[];

/** The rows that a query finds, the latest by time first. An index over one condition and the time leads to them. */
export function findAuditRows(
  database: SqliteDatabase,
  query: AuditQuery,
  after: AuditPlace | undefined,
  limit: number,
): readonly AuditRow[] {
  const conditions: string[] = [];
  const values: SqlValue[] = [];
  for (const [field, column] of EQUALS) {
    const value = query[field];
    if (value === undefined) continue;
    conditions.push(`${column} = ?`);
    values.push(value);
  }
  if (query.from !== undefined) {
    conditions.push('at >= ?');
    values.push(query.from);
  }
  if (query.until !== undefined) {
    conditions.push('at < ?');
    values.push(query.until);
  }
  if (after !== undefined) {
    conditions.push('(at, number) < (?, ?)');
    values.push(after.at, after.number);
  }
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  return database.all<AuditRow>(`SELECT * FROM audit_entries ${where} ORDER BY at DESC, number DESC LIMIT ?`, ...values, limit);
}
