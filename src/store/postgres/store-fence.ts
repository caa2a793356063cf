import { PortcullisError } from '../../errors/index.ts';
import type { PostgresConnection } from './postgres-connection.ts';
import type { FirstRead } from './run-transaction.ts';

/**
 * Tells the store that was opened from another one that was put in its place under the same name, as a restore does: a process that could not
 * reach the database meanwhile must not write to that as if it were its own. Nor must one write resources whose software is too old for what
 * a newer one has made of the tables while it ran.
 */
export class StoreFence {
  readonly #sql: string;
  readonly #place: string;
  readonly #knownVersion: number;

  private constructor(sql: string, place: string, knownVersion: number) {
    this.#sql = sql;
    this.#place = place;
    this.#knownVersion = knownVersion;
  }

  /** Of the store that stands there now. `knownVersion`: the newest version of tables that this software knows. */
  static async open(connection: PostgresConnection, schema: string, knownVersion: number): Promise<StoreFence> {
    const sql = placeOf(schema);
    const found = await connection.get<{ place: string | null }>(`SELECT ${sql} AS place`);
    return new StoreFence(sql, found?.place ?? '', knownVersion);
  }

  /** @throws PortcullisError (`store_replaced`) */
  async assertSame(connection: PostgresConnection): Promise<void> {
    this.#check((await connection.get<{ place: string | null }>(`SELECT ${this.#sql} AS place`))?.place);
  }

  /** The first read of a transaction, which throws `store_replaced`, or `store_unavailable` for newer tables, before anything is written. */
  before(read: FirstRead): FirstRead {
    return {
      sql: `SELECT ${this.#sql} AS place, (SELECT max(oldest_compatible) FROM schema_migrations) AS needed, first.* FROM (VALUES (1)) AS one LEFT JOIN (${read.sql}) AS first ON true`,
      take: (rows) => {
        const [row] = rows;
        this.#check(typeof row === 'object' && row !== null && 'place' in row ? row.place : undefined);
        this.#checkVersion(typeof row === 'object' && row !== null && 'needed' in row ? row.needed : undefined);
        read.take(rows);
      },
    };
  }

  #check(place: unknown): void {
    if (place !== this.#place) throw storeReplaced();
  }

  #checkVersion(needed: unknown): void {
    if (typeof needed !== 'number' || needed <= this.#knownVersion) return;
    throw new PortcullisError('store_unavailable', {
      detail: `a newer version of Portcullis has changed the tables (they need schema ${needed}, this version knows ${this.#knownVersion}): upgrade this control plane`,
    });
  }
}

/** For whoever finds that the store is not the one that it knows. */
function storeReplaced(): PortcullisError {
  return new PortcullisError('store_replaced', {
    detail:
      'the store was replaced, as by a restore, while this control plane could not reach it: nothing was written to what is there now, on which the control plane starts anew',
  });
}

/** By its catalogue entry, which each table gets anew; without the caches of the connection, which may not know yet. The name is checked: it needs no quotes. */
function placeOf(schema: string): string {
  return `(SELECT (SELECT oid FROM pg_database WHERE datname = current_database()) || '/' || relation.oid
    FROM pg_class AS relation JOIN pg_namespace AS space ON space.oid = relation.relnamespace
    WHERE relation.relname = 'settings' AND space.nspname = '${schema}')`;
}
