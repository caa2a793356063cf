import type { PostgresConnection } from '../postgres/postgres-connection.ts';

/** The column of a table whose rows are numbered by PostgreSQL, and the sequence that gives the numbers; undefined where none is. */
export function numberedColumn(
  connection: PostgresConnection,
  table: string,
): Promise<{ readonly column: string; readonly sequence: string } | undefined> {
  return connection.get(
    `SELECT attname::text AS column, pg_get_serial_sequence(quote_ident(current_schema()) || '.' || quote_ident($1), attname::text) AS sequence
     FROM pg_attribute WHERE attrelid = (quote_ident(current_schema()) || '.' || quote_ident($1))::regclass AND attidentity <> '' AND NOT attisdropped`,
    table,
  );
}
