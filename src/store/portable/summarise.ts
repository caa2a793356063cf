import { hash } from 'node:crypto';
import type { PortableRow, StorePart, TableSummary } from './portable-table.ts';

const MODULUS = 1n << 256n;

/** Adds up rows: the same rows give the same summary, in whatever order they come, and a row that comes twice counts twice. */
export class RowSum {
  #rows = 0;
  #sum = 0n;

  add(rows: readonly PortableRow[]): void {
    this.#rows += rows.length;
    for (const row of rows) this.#sum += BigInt(`0x${hash('sha256', JSON.stringify(row), 'hex')}`);
    this.#sum %= MODULUS;
  }

  summary(): TableSummary {
    return { rows: this.#rows, digest: this.#sum.toString(16).padStart(64, '0') };
  }
}

/** What the tables of a stream add up to. Reads it to its end. */
export async function summarise(parts: AsyncIterable<StorePart>): Promise<ReadonlyMap<string, TableSummary>> {
  const summaries = new Map<string, TableSummary>();
  for await (const part of parts) if (part.kind === 'end') summaries.set(part.table.name, part.summary);
  return summaries;
}

/** The tables in which two stores differ. A table that only one of them has differs unless it is empty. */
export function differingTables(one: ReadonlyMap<string, TableSummary>, other: ReadonlyMap<string, TableSummary>): readonly string[] {
  const names = new Set([...one.keys(), ...other.keys()]);
  const textOf = (summary: TableSummary | undefined): string =>
    summary === undefined || summary.rows === 0 ? '' : `${summary.rows} ${summary.digest}`;
  return [...names].filter((name) => textOf(one.get(name)) !== textOf(other.get(name)));
}
