import type { SizeStep } from '../history.ts';
import { addSizes } from '../rows/size-step.ts';
import type { PostgresConnection } from './postgres-connection.ts';

const ROWS = {
  versions: `SELECT number, coalesce(octet_length(document), 0) AS bytes FROM resource_versions
    WHERE number < $1 ORDER BY number DESC LIMIT $2`,
  audit: 'SELECT number, octet_length(detail) AS bytes FROM audit_entries WHERE number < $1 ORDER BY number DESC LIMIT $2',
} as const;

/** What `StoreHistory.measureHistory` promises. Lengths are read from the rows' heads, not from the documents. */
export async function measureHistory(
  connection: PostgresConnection,
  log: keyof typeof ROWS,
  from: Pick<SizeStep, 'below' | 'bytes'>,
  maxBytes: number,
  rows: number,
): Promise<SizeStep> {
  const found = await connection.all<{ number: number; bytes: number }>(ROWS[log], from.below ?? Number.MAX_SAFE_INTEGER, rows);
  return addSizes(found, from, maxBytes, rows);
}
