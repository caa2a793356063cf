import type { SizeStep } from '../history.ts';
import { addSizes } from '../rows/size-step.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

const ROWS = {
  versions:
    'SELECT number, coalesce(octet_length(document), 0) AS bytes FROM resource_versions WHERE number < ? ORDER BY number DESC LIMIT ?',
  audit: 'SELECT number, octet_length(detail) AS bytes FROM audit_entries WHERE number < ? ORDER BY number DESC LIMIT ?',
} as const;

/** What `StoreHistory.measureHistory` promises. Lengths are read from the rows' heads, not from the documents. */
export function measureHistory(
  database: SqliteDatabase,
  log: keyof typeof ROWS,
  from: Pick<SizeStep, 'below' | 'bytes'>,
  maxBytes: number,
  rows: number,
): SizeStep {
  const found = database.all<{ number: number; bytes: number }>(ROWS[log], from.below ?? Number.MAX_SAFE_INTEGER, rows);
  return addSizes(found, from, maxBytes, rows);
}
