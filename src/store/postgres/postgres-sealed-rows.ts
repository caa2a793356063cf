import type { SealedRow, SealedTable } from '../keys/sealed-row.ts';
import { type KeyColumns, keyOfRow } from '../rows/resource-rows.ts';
import type { PostgresConnection } from './postgres-connection.ts';

/** Rows of a table that hold ciphertexts, after one of them or from the beginning. */
export async function pageOfSealedRows(
  connection: PostgresConnection,
  table: SealedTable,
  after: SealedRow | undefined,
  limit: number,
): Promise<readonly SealedRow[]> {
  switch (table) {
    case 'resources': {
      const rows = await connection.all<KeyColumns & { readonly row: number; readonly secrets: string }>(
        `SELECT row, group_id, kind, parent_id, id, secrets FROM resources WHERE row > $1 AND secrets IS NOT NULL ORDER BY row LIMIT $2`,
        ...[after?.table === table ? after.row : 0, limit],
      );
      return rows.map((columns) => ({ table, row: columns.row, key: keyOfRow(columns), text: columns.secrets }));
    }
    case 'records': {
      const rows = await connection.all<{ readonly kind: string; readonly id: string; readonly secrets: string }>(
        `SELECT kind, id, secrets FROM records WHERE (kind, id) > ($1, $2) AND secrets IS NOT NULL ORDER BY kind, id LIMIT $3`,
        ...(after?.table === table ? [after.kind, after.id, limit] : ['', '', limit]),
      );
      return rows.map(({ kind, id, secrets }) => ({ table, kind, id, text: secrets }));
    }
    case 'settings': {
      const rows = await connection.all<{ readonly name: string; readonly value: Buffer }>(
        `SELECT name, value FROM settings WHERE name > $1 AND secret = 1 ORDER BY name LIMIT $2`,
        ...[after?.table === table ? after.name : '', limit],
      );
      return rows.map(({ name, value }) => ({ table, name, text: value.toString() }));
    }
  }
}

/** A row and the text that is to stand in the place of its own. */
export interface SealedReplacement {
  readonly row: SealedRow;
  readonly text: string;
}

/** Replaces the texts of rows, in one statement for each table, unless they have changed meanwhile. Returns the rows whose text was replaced. */
export async function replaceSealedTexts(
  connection: PostgresConnection,
  replacements: readonly SealedReplacement[],
): Promise<ReadonlySet<SealedRow>> {
  const replaced = new Set<SealedRow>();
  for (const statement of STATEMENTS) {
    const own = replacements.filter(({ row }) => row.table === statement.table);
    if (own.length === 0) continue;
    const keys = own.map(({ row }) => keyTextsOf(row));
    const changed = await connection.all<{ readonly place: number }>(
      statement.sql,
      ...[keys.map(([first]) => first), keys.map(([, second]) => second)],
      ...[own.map(({ row }) => row.text), own.map(({ text }) => text)],
    );
    for (const { place } of changed) {
      const row = own[place - 1]?.row;
      if (row !== undefined) replaced.add(row);
    }
  }
  return replaced;
}

const GIVEN = `unnest($1::text[], $2::text[], $3::text[], $4::text[]) WITH ORDINALITY AS given (first, second, was, becomes, place)`;

const STATEMENTS: readonly { readonly table: SealedTable; readonly sql: string }[] = [
  {
    table: 'resources',
    sql: `UPDATE resources SET secrets = given.becomes FROM ${GIVEN}
          WHERE resources.row = given.first::bigint AND given.second = '' AND resources.secrets = given.was RETURNING given.place`,
  },
  {
    table: 'records',
    sql: `UPDATE records SET secrets = given.becomes FROM ${GIVEN}
          WHERE records.kind = given.first AND records.id = given.second AND records.secrets = given.was RETURNING given.place`,
  },
  {
    table: 'settings',
    sql: `UPDATE settings SET value = convert_to(given.becomes, 'UTF8') FROM ${GIVEN}
          WHERE settings.name = given.first AND given.second = '' AND settings.value = convert_to(given.was, 'UTF8') RETURNING given.place`,
  },
];

function keyTextsOf(row: SealedRow): readonly [string, string] {
  switch (row.table) {
    case 'resources':
      return [String(row.row), ''];
    case 'records':
      return [row.kind, row.id];
    case 'settings':
      return [row.name, ''];
  }
}
