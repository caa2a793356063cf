import type { SealedRow, SealedTable } from '../keys/sealed-row.ts';
import { type KeyColumns, keyOfRow } from '../rows/resource-rows.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

/** Rows of a table that hold ciphertexts, after one of them or from the beginning. */
export function pageOfSealedRows(database: SqliteDatabase, table: SealedTable, after: SealedRow | undefined, limit: number): SealedRow[] {
  switch (table) {
    case 'resources':
      return database
        .all<KeyColumns & { readonly row: number; readonly secrets: string }>(
          `SELECT row, group_id, kind, parent_id, id, secrets FROM resources WHERE row > ? AND secrets IS NOT NULL ORDER BY row LIMIT ?`,
          ...[after?.table === table ? after.row : 0, limit],
        )
        .map((columns) => ({ table, row: columns.row, key: keyOfRow(columns), text: columns.secrets }));
    case 'records':
      return database
        .all<{ readonly kind: string; readonly id: string; readonly secrets: string }>(
          `SELECT kind, id, secrets FROM records WHERE (kind, id) > (?, ?) AND secrets IS NOT NULL ORDER BY kind, id LIMIT ?`,
          ...(after?.table === table ? [after.kind, after.id, limit] : ['', '', limit]),
        )
        .map(({ kind, id, secrets }) => ({ table, kind, id, text: secrets }));
    case 'settings':
      return database
        .all<{ readonly name: string; readonly value: Buffer }>(
          `SELECT name, value FROM settings WHERE name > ? AND secret = 1 ORDER BY name LIMIT ?`,
          ...[after?.table === table ? after.name : '', limit],
        )
        .map(({ name, value }) => ({ table, name, text: value.toString() }));
  }
}

/** Puts another text in the place of a row's, unless that has changed meanwhile. */
export function replaceSealedText(database: SqliteDatabase, row: SealedRow, text: string): boolean {
  switch (row.table) {
    case 'resources':
      return database.run('UPDATE resources SET secrets = ? WHERE row = ? AND secrets = ?', text, row.row, row.text) > 0;
    case 'records':
      return (
        database.run('UPDATE records SET secrets = ? WHERE kind = ? AND id = ? AND secrets = ?', ...[text, row.kind, row.id, row.text]) > 0
      );
    case 'settings':
      return (
        database.run('UPDATE settings SET value = ? WHERE name = ? AND value = ?', Buffer.from(text), row.name, Buffer.from(row.text)) > 0
      );
  }
}
