import type { PostgresConnection } from '../postgres/postgres-connection.ts';
import type { SqliteDatabase } from '../sqlite/sqlite-database.ts';

/** Runs the same statements on either database. Places are `$1`, `$2`, … in their order. */
export interface SqlRunner {
  all<Row>(sql: string, ...values: readonly (string | number)[]): Promise<readonly Row[]>;
  run(sql: string, ...values: readonly (string | number)[]): Promise<number>;
  /** An expression for the bytes of a column as hexadecimal text. */
  hexOf(column: string): string;
  /** An expression for the bytes of hexadecimal text. */
  bytesOf(place: string): string;
}

export function sqliteRunner(database: SqliteDatabase): SqlRunner {
  return {
    all: async <Row>(sql: string, ...values: readonly (string | number)[]) => database.all<Row>(sql.replaceAll(/\$\d+/g, '?'), ...values),
    run: async (sql, ...values) => database.run(sql.replaceAll(/\$\d+/g, '?'), ...values),
    hexOf: (column) => `hex(${column})`,
    bytesOf: (place) => `unhex(${place})`,
  };
}

export function postgresRunner(connection: PostgresConnection): SqlRunner {
  return {
    all: <Row>(sql: string, ...values: readonly (string | number)[]) => connection.all<Row>(sql, ...values),
    run: (sql, ...values) => connection.run(sql, ...values),
    hexOf: (column) => `encode(${column}, 'hex')`,
    bytesOf: (place) => `decode(${place}, 'hex')`,
  };
}
