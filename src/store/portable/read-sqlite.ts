import type { SqliteDatabase } from '../sqlite/sqlite-database.ts';
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

const CHARACTERS_AT_ONCE = 1_000_000;

/** The tables of a store on SQLite that are carried over, those that others refer to first. */
export function sqliteTables(database: SqliteDatabase): readonly PortableTable[] {
  const names = database
    .column<string>("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name")
    .filter(isCarried);
  const references = names.flatMap((name) =>
    database.column<string>('SELECT "table" FROM pragma_foreign_key_list(?)', name).map((to): readonly [string, string] => [name, to]),
  );
  return inOrderOfReference(names, references).map((name) => ({
    name,
    columns: database
      .all<{ name: string; type: string }>('SELECT name, type FROM pragma_table_info(?) ORDER BY cid', name)
      .map((column) => ({ name: column.name, type: portableType(name, column.name, column.type) })),
  }));
}

/**
 * A whole store on SQLite in one state, the one at the time of the first read: other connections may write meanwhile. The connection has to
 * be the caller's own. Memory is bounded by the largest rows.
 */
export async function* readSqlite(database: SqliteDatabase): AsyncGenerator<StorePart> {
  const isOwn = !database.inTransaction;
  if (isOwn) database.execute('BEGIN');
  try {
    for (const table of sqliteTables(database)) {
      yield* tableParts(table, highestNumber(database, table.name), portions(database, table));
    }
  } finally {
    if (isOwn) database.execute('ROLLBACK');
  }
}

/** Of tables with AUTOINCREMENT; others give the next number after the last row. */
function highestNumber(database: SqliteDatabase, table: string): number | undefined {
  return database.get<{ seq: number }>('SELECT seq FROM sqlite_sequence WHERE name = ?', table)?.seq;
}

function* portions(database: SqliteDatabase, table: PortableTable): Generator<readonly PortableRow[]> {
  const columns = table.columns.map(({ name, type }) =>
    type === 'bytes' ? `hex("${name}") AS "${name}", "${name}" IS NULL` : `"${name}"`,
  );
  let rows: PortableRow[] = [];
  let characters = 0;
  for (const row of database.iterate(`SELECT ${columns.join(', ')} FROM "${table.name}"`)) {
    const read = portableRow(table, row);
    rows.push(read);
    characters += charactersIn(read);
    if (rows.length >= ROWS_AT_ONCE || characters >= CHARACTERS_AT_ONCE) {
      yield rows;
      rows = [];
      characters = 0;
    }
  }
  if (rows.length > 0) yield rows;
}

// Bytes come as hexadecimal text: the driver takes ten times as long to hand over buffers.
function portableRow(table: PortableTable, row: readonly unknown[]): PortableRow {
  const values: PortableValue[] = [];
  let index = 0;
  for (const { name, type } of table.columns) {
    const value = row[index];
    index += type === 'bytes' ? 2 : 1;
    if (type === 'bytes') values.push(row[index - 1] === 1 ? null : Buffer.from(String(value), 'hex').toString('base64'));
    else if (value === null || typeof value === 'string' || typeof value === 'number') values.push(value);
    else throw new Error(`${table.name}.${name} holds a value that cannot be carried over`);
  }
  return values;
}
