import type { PostgresConnection, SqlValue } from '../postgres/postgres-connection.ts';
import { numberedColumn } from './numbered-column.ts';
import type { PortableColumn, PortableRow, PortableTable, PortableType, StorePart, TableSummary } from './portable-table.ts';
import { postgresTables, readPostgres } from './read-postgres.ts';
import { refuseUnknownColumns, refuseWrongTables } from './refuse-unknown.ts';
import { differingTables, summarise } from './summarise.ts';

/**
 * Fills the tables of a store on PostgreSQL, which are empty but for what migrations have put in; to be called in a transaction that holds
 * the write lock. What was written is read back and compared. @throws StartError when a table or column is unknown
 */
export async function fillPostgres(
  connection: PostgresConnection,
  parts: AsyncIterable<StorePart>,
): Promise<ReadonlyMap<string, TableSummary>> {
  const known = await postgresTables(connection);
  for (const { name } of known.toReversed()) await connection.run(`DELETE FROM "${name}"`);
  const come = new Map<string, TableSummary>();
  const numbers = new Map<string, number>();
  for await (const part of parts) {
    switch (part.kind) {
      case 'table':
        refuseUnknownColumns(known, part.table);
        if (part.highestNumber !== undefined) numbers.set(part.table.name, part.highestNumber);
        break;
      case 'rows':
        await insertRows(connection, part.table, part.rows);
        break;
      case 'end':
        come.set(part.table.name, part.summary);
    }
  }
  for (const { name } of known) await moveNumbers(connection, name, numbers.get(name) ?? 0);
  refuseWrongTables(differingTables(come, await summarise(readPostgres(connection))));
  await connection.execute(known.map(({ name }) => `ANALYZE "${name}"`).join('; '));
  return come;
}

const ARRAYS: Readonly<Record<PortableType, string>> = { integer: 'bigint[]', text: 'text[]', bytes: 'text[]', labels: 'text[]' };

async function insertRows(connection: PostgresConnection, { name, columns }: PortableTable, rows: readonly PortableRow[]): Promise<void> {
  const names = columns.map((column) => `"${column.name}"`).join(', ');
  const arrays = columns.map(({ type }, index) => `$${index + 1}::${ARRAYS[type]}`).join(', ');
  await connection.run(
    `INSERT INTO "${name}" (${names}) OVERRIDING SYSTEM VALUE SELECT ${columns.map(storedValue).join(', ')} FROM unnest(${arrays}) AS come (${names})`,
    ...columns.map((column, index): SqlValue => rows.map((row) => arrayElement(column, row[index] ?? null))),
  );
}

function storedValue({ name, type }: PortableColumn): string {
  if (type === 'bytes') return `decode("${name}", 'base64')`;
  return type === 'labels'
    ? `CASE WHEN "${name}" IS NOT NULL THEN ARRAY(SELECT json_array_elements_text("${name}"::json)) END`
    : `"${name}"`;
}

function arrayElement({ type }: PortableColumn, value: PortableRow[number]): string | null {
  if (value === null) return null;
  return type === 'labels' ? labelsArray(String(value)) : String(value);
}

function labelsArray(text: string): string {
  const labels: Readonly<Record<string, string>> = JSON.parse(text);
  return JSON.stringify(Object.entries(labels).map((label) => JSON.stringify(label)));
}

async function moveNumbers(connection: PostgresConnection, table: string, atLeast: number): Promise<void> {
  const numbered = await numberedColumn(connection, table);
  if (numbered === undefined) return;
  await connection.all(
    `SELECT setval('${numbered.sequence}', greatest($1::bigint, max("${numbered.column}"))) FROM "${table}" HAVING greatest($1::bigint, max("${numbered.column}")) > 0`,
    atLeast,
  );
}
