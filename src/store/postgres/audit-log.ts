import { type AuditColumns, CHAIN_START, type ChainEnd, type ChainEndName, hashOfEntry } from '../audit-chain.ts';
import type { FieldCipher } from '../field-cipher.ts';
import type { HistoryLimits, KeptChainEnd } from '../history.ts';
import { beginningToForget, CHAIN_SETTINGS, columnsOfEntry, openChainEnd, sealChainEnd } from '../rows/audit-entries.ts';
import type { AuditRow } from '../rows/history-rows.ts';
import type { AuditEntry, Author } from '../store.ts';
import type { PostgresConnection } from './postgres-connection.ts';
import type { PostgresDatabase } from './postgres-database.ts';
import { runTransaction } from './run-transaction.ts';

const HASHED_COLUMNS = 'number, at, author_id, author_name, action, group_id, resource, address, detail, origin';
/** The columns of `AuditRow`. */
export const AUDIT_COLUMNS = `${HASHED_COLUMNS}, previous_hash, hash`;
/** How many entries are chained between two reads, where there are some that never were. */
const ROWS_PER_READ = 1_000;

/**
 * The writing side of the audit log, as on SQLite: entries follow the end that is kept, in transactions that hold the writers' lock, and
 * nothing here judges the chain.
 */
export class AuditLog {
  readonly #cipher: FieldCipher;
  /** The end of the chain that this transaction has made and not kept yet. */
  #head: ChainEnd | undefined;

  constructor(cipher: FieldCipher) {
    this.#cipher = cipher;
  }

  /** Chains an entry. `settle` comes last in the transaction. */
  async append(connection: PostgresConnection, entry: AuditEntry, author: Author): Promise<void> {
    const row = await connection.get<AuditColumns>(
      `INSERT INTO audit_entries (at, author_id, author_name, action, group_id, resource, address, detail, origin)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING ${HASHED_COLUMNS}`,
      ...columnsOfEntry(entry, author),
    );
    if (row === undefined) throw new Error('a written row was not returned');
    const head = this.#head ?? (await this.readEnd(connection, 'head'));
    this.#head = await this.#chain(connection, row, typeof head === 'string' ? CHAIN_START : head.hash);
  }

  /** Keeps the end of what was appended. */
  async settle(connection: PostgresConnection, nowSeconds: number): Promise<void> {
    if (this.#head !== undefined) await this.#keepEnd(connection, 'head', this.#head, nowSeconds);
    this.#head = undefined;
  }

  async readEnd(connection: PostgresConnection, which: ChainEndName): Promise<KeptChainEnd> {
    const row = await connection.get<{ value: Buffer }>('SELECT value FROM settings WHERE name = $1', CHAIN_SETTINGS[which]);
    return row === undefined ? 'missing' : openChainEnd(this.#cipher, which, row.value);
  }

  /** Chains the entries of a log that has no chain yet; call it inside a transaction. */
  async begin(connection: PostgresConnection, nowSeconds: number): Promise<void> {
    if ((await this.readEnd(connection, 'head')) !== 'missing') return;
    if ((await connection.get('SELECT 1 FROM audit_entries WHERE hash IS NOT NULL LIMIT 1')) !== undefined) return;
    let end: ChainEnd = { number: 0, hash: CHAIN_START };
    for (let rows = await rowsAbove(connection, 0); rows.length > 0; rows = await rowsAbove(connection, end.number)) {
      for (const row of rows) end = await this.#chain(connection, row, end.hash);
    }
    await this.#keepEnd(connection, 'head', end, nowSeconds);
  }

  /** The beginning of the log that is too old or too much; call it inside a transaction. Returns how many entries went. */
  async prune(connection: PostgresConnection, limits: HistoryLimits, nowSeconds: number): Promise<number> {
    const rows = await connection.all<Pick<AuditRow, 'number' | 'at' | 'hash'>>(
      'SELECT number, at, hash FROM audit_entries ORDER BY number LIMIT $1',
      limits.limit,
    );
    const { count, end } = beginningToForget(rows, limits, await this.readEnd(connection, 'anchor'));
    if (end === undefined) return 0;
    await this.#keepEnd(connection, 'anchor', end, nowSeconds);
    await connection.run('DELETE FROM audit_entries WHERE number <= $1', end.number);
    return count;
  }

  async #chain(connection: PostgresConnection, row: AuditColumns, previousHash: Buffer): Promise<ChainEnd> {
    const hash = hashOfEntry(previousHash, row);
    await connection.run('UPDATE audit_entries SET previous_hash = $1, hash = $2 WHERE number = $3', previousHash, hash, row.number);
    return { number: row.number, hash };
  }

  async #keepEnd(connection: PostgresConnection, which: ChainEndName, end: ChainEnd, nowSeconds: number): Promise<void> {
    await connection.run(
      `INSERT INTO settings (name, value, secret, updated_at) VALUES ($1, $2, 1, $3)
       ON CONFLICT (name) DO UPDATE SET value = excluded.value, secret = excluded.secret, updated_at = excluded.updated_at`,
      ...[CHAIN_SETTINGS[which], sealChainEnd(this.#cipher, which, end), nowSeconds],
    );
  }
}

/** With the migration that makes place for the chain and never again: a chain whose end is gone later was cut by somebody. */
export async function beginAuditChain(database: PostgresDatabase, cipher: FieldCipher, nowSeconds: number): Promise<void> {
  const log = new AuditLog(cipher);
  await runTransaction(database, database.options.timeoutMs, (connection) => log.begin(connection, nowSeconds));
}

async function rowsAbove(connection: PostgresConnection, number: number): Promise<readonly AuditColumns[]> {
  return connection.all<AuditColumns>(
    `SELECT ${HASHED_COLUMNS} FROM audit_entries WHERE number > $1 ORDER BY number LIMIT $2`,
    ...[number, ROWS_PER_READ],
  );
}
