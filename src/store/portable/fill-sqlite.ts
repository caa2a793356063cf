import type { SqliteDatabase, SqlValue } from '../sqlite/sqlite-database.ts';
import type { PortableRow, PortableTable, StorePart, TableSummary } from './portable-table.ts';
import { readSqlite, sqliteTables } from './read-sqlite.ts';
import { refuseUnknownColumns, refuseWrongTables } from './refuse-unknown.ts';
import { differingTables, summarise } from './summarise.ts';

/**
 * Fills the tables of a store on SQLite, which are empty but for what migrations have put in; to be called in a transaction. What was
 * written is read back and compared. @throws StartError when a table or column is unknown
 */
export async function fillSqlite(database: SqliteDatabase, parts: AsyncIterable<StorePart>): Promise<ReadonlyMap<string, TableSummary>> {
  const known = sqliteTables(database);
  for (const { name } of known.toReversed()) database.run(`DELETE FROM "${name}"`);
  const come = new Map<string, TableSummary>();
  for await (const part of parts) {
    switch (part.kind) {
      case 'table':
        refuseUnknownColumns(known, part.table);
        if (part.highestNumber !== undefined) keepHighestNumber(database, part.table.name, part.highestNumber);
        break;
      case 'rows':
        insertRows(database, part.table, part.rows);
        break;
      case 'end':
        come.set(part.table.name, part.summary);
    }
  }
  refuseWrongTables(differingTables(come, await summarise(readSqlite(database))));
  return come;
}

function insertRows(database: SqliteDatabase, { name, columns }: PortableTable, rows: readonly PortableRow[]): void {
  const names = columns.map((column) => `"${column.name}"`).join(', ');
  const places = columns.map(() => '?').join(', ');
  const sql = `INSERT INTO "${name}" (${names}) VALUES (${places})`;
  for (const row of rows) {
    database.run(
      sql,
      ...row.map(
        (value, index): SqlValue => (columns[index]?.type === 'bytes' && value !== null ? Buffer.from(String(value), 'base64') : value),
      ),
    );
  }
}

// Only a table with AUTOINCREMENT remembers; SQLite itself raises what it has when rows come.
function keepHighestNumber(database: SqliteDatabase, table: string, number: number): void {
  const sql = database.get<{ sql: string }>("SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?", table)?.sql ?? '';
  if (!/\bAUTOINCREMENT\b/i.test(sql)) return;
  database.run('DELETE FROM sqlite_sequence WHERE name = ?', table);
  database.run('INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)', table, number);
}
