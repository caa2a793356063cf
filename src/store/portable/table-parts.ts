import type { PortableRow, PortableTable, StorePart } from './portable-table.ts';
import { RowSum } from './summarise.ts';

/** Rows that travel together, at most. */
export const ROWS_AT_ONCE = 500;

/** One table of a stream: its name, its rows in portions, and what they add up to. */
export async function* tableParts(
  table: PortableTable,
  highestNumber: number | undefined,
  portions: Iterable<readonly PortableRow[]> | AsyncIterable<readonly PortableRow[]>,
): AsyncGenerator<StorePart> {
  yield { kind: 'table', table, highestNumber };
  const sum = new RowSum();
  for await (const rows of portions) {
    sum.add(rows);
    yield { kind: 'rows', table, rows };
  }
  yield { kind: 'end', table, summary: sum.summary() };
}

/** About how much of memory a row takes. */
export function charactersIn(row: PortableRow): number {
  return row.reduce<number>((all, value) => all + (typeof value === 'string' ? value.length : 8), 0);
}
