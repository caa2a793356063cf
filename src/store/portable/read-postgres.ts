import type { PostgresConnection } from '../postgres/postgres-connection.ts';
import { numberedColumn } from './numbered-column.ts';
import {
  inOrderOfReference,
  isCarried,
  type PortableRow,
  type PortableTable,
  type PortableValue,
  portableType,
  type StorePart,
} from './portable-table.ts';
import { charactersIn, ROWS_AT_ONCE, tableParts } from './table-parts.ts';

const LARGE_ROWS_AT_ONCE = 10;
const CHARACTERS_OF_LARGE_ROWS = 4_000_000;

/** The tables of a store on PostgreSQL that are carried over, those that others refer to first. */
export async function postgresTables(connection: PostgresConnection): Promise<readonly PortableTable[]> {
  const columns = await connection.all<{ table: string; name: string; type: string }>(
    `SELECT class.relname::text AS table, attribute.attname::text AS name, format_type(attribute.atttypid, NULL) AS type
     FROM pg_class AS class JOIN pg_attribute AS attribute ON attribute.attrelid = class.oid
     WHERE class.relnamespace = current_schema()::regnamespace AND class.relkind IN ('r', 'p')
       AND attribute.attnum > 0 AND NOT attribute.attisdropped
     ORDER BY class.relname::text COLLATE "C", attribute.attnum`,
  );
  const references = await connection.all<{ from: string; to: string }>(
    `SELECT child.relname::text AS from, parent.relname::text AS to
     FROM pg_constraint JOIN pg_class AS child ON child.oid = conrelid JOIN pg_class AS parent ON parent.oid = confrelid
     WHERE contype = 'f' AND connamespace = current_schema()::regnamespace`,
  );
  const names = [...new Set(columns.map(({ table }) => table))].filter(isCarried);
  const ordered = inOrderOfReference(
    names,
    references.map(({ from, to }): readonly [string, string] => [from, to]),
  );
  return ordered.map((name) => ({
    name,
    columns: columns
      .filter(({ table }) => table === name)
      .map((column) => ({ name: column.name, type: portableType(name, column.name, column.type) })),
  }));
}

/** A whole store on PostgreSQL, in the state that the connection's transaction sees: it has to be in one. Memory is bounded by the largest rows. */
export async function* readPostgres(connection: PostgresConnection): AsyncGenerator<StorePart> {
  for (const table of await postgresTables(connection)) {
    yield* tableParts(table, await highestNumber(connection, table.name), portions(connection, table));
  }
}

async function highestNumber(connection: PostgresConnection, table: string): Promise<number | undefined> {
  const numbered = await numberedColumn(connection, table);
  if (numbered === undefined) return undefined;
  const given = await connection.get<{ last: number; used: boolean }>(
    `SELECT last_value AS last, is_called AS used FROM ${numbered.sequence}`,
  );
  return given?.used ? given.last : undefined;
}

async function* portions(connection: PostgresConnection, table: PortableTable): AsyncGenerator<readonly PortableRow[]> {
  const cursor = `"carried_${table.name}"`;
  const columns = table.columns.map(({ name, type }) => {
    if (type === 'bytes') return `translate(encode("${name}", 'base64'), E'\\n', '') AS "${name}"`;
    return type === 'labels' ? `array_to_json("${name}")::text AS "${name}"` : `"${name}"`;
  });
  await connection.execute(`DECLARE ${cursor} NO SCROLL CURSOR FOR SELECT ${columns.join(', ')} FROM "${table.name}"`);
  let size = ROWS_AT_ONCE;
  for (;;) {
    const found = await connection.all<Readonly<Record<string, unknown>>>(`FETCH ${size} FROM ${cursor}`);
    if (found.length === 0) break;
    const rows = found.map((row) => portableRow(table, row));
    const characters = rows.reduce((sum, row) => sum + charactersIn(row), 0);
    // A portion of the largest rows that there were must fit.
    size = (characters / found.length) * ROWS_AT_ONCE > CHARACTERS_OF_LARGE_ROWS ? LARGE_ROWS_AT_ONCE : ROWS_AT_ONCE;
    yield rows;
  }
  await connection.execute(`CLOSE ${cursor}`);
}

function portableRow(table: PortableTable, row: Readonly<Record<string, unknown>>): PortableRow {
  return table.columns.map(({ name, type }): PortableValue => {
    const value = row[name] ?? null;
    if (value === null || typeof value === 'number') return value;
    if (typeof value !== 'string') throw new Error(`${table.name}.${name} holds a value that cannot be carried over`);
    return type === 'labels' ? labelsObject(value) : value;
  });
}

/** An array of pairs in JSON, as SQLite keeps it. */
function labelsObject(text: string): string {
  const pairs: string[] = JSON.parse(text);
  return JSON.stringify(Object.fromEntries(pairs.map((pair): readonly [string, string] => JSON.parse(pair))));
}
