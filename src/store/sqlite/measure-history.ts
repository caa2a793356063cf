import type { SizeStep } from '../history.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

/** What a row holds besides its documents: names, indexes. */
const BYTES_OF_A_ROW = 300;

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
  let { bytes } = from;
  for (const row of found) {
    bytes += row.bytes + BYTES_OF_A_ROW;
    if (bytes > maxBytes) return { below: row.number, bytes, cut: row.number + 1 };
  }
  return { below: found.length < rows ? undefined : found.at(-1)?.number, bytes, cut: undefined };
}
