/**
 * One step of the schema. Steps are never changed after they were released, only added.
 *
 * A step expands: it adds tables, columns with defaults and indexes, so that the version before still runs on the result. What a step
 * makes needless is dropped one minor version later by a step that contracts and raises `oldestCompatible`.
 */
export interface Migration {
  /** Counts up by one. */
  readonly version: number;
  readonly name: string;
  /** The oldest schema version whose software still runs on the result of this step. */
  readonly oldestCompatible: number;
  /** SQL statements for SQLite; they run in one transaction with all other pending steps. */
  readonly sqlite: string;
  /** The same step for PostgreSQL; runs likewise. Nothing that cannot run in a transaction, such as `CREATE INDEX CONCURRENTLY`. */
  readonly postgres: string;
}
