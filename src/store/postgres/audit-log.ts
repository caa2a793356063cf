import { type AuditColumns, CHAIN_START, type ChainEnd, type ChainEndName, hashOfEntry } from '../audit-chain.ts';
import type { FieldCipher } from '../field-cipher.ts';
import type { HistoryLimits, KeptChainEnd } from '../history.ts';
import { beginningToForget, CHAIN_SETTINGS, columnsOfEntry, openChainEnd, sealChainEnd } from '../rows/audit-entries.ts';
import type { AuditRow } from '../rows/history-rows.ts';
import type { AuditEntry, Author } from '../store.ts';
import { allSettled } from './all-settled.ts';
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
  readonly #gathered: Omit<AuditColumns, 'number'>[] = [];
  #numbers: readonly number[] = [];

  constructor(cipher: FieldCipher) {
    this.#cipher = cipher;
  }

  /** How many entries the database does not have yet. */
  get gathered(): number {
    return this.#gathered.length;
  }

  /** Gathers an entry; `prepare` and `write` bring what was gathered to the database. */
  append(entry: AuditEntry, author: Author): void {
    this.#gathered.push(columnsOfEntry(entry, author));
  }

  /** Reads what the gathered entries are chained with. @throws PortcullisError (`keyring_lacks_key`) */
  async prepare(connection: PostgresConnection): Promise<void> {
    if (this.#gathered.length === 0) return;
    const [numbers, head] = await allSettled([
      connection.all<{ number: number }>(
        "SELECT nextval(pg_get_serial_sequence('audit_entries', 'number')) AS number FROM generate_series(1, $1::integer)",
        this.#gathered.length,
      ),
      this.#head ?? this.readEnd(connection, 'head'),
    ]);
    this.#numbers = numbers.map(({ number }) => number).sort((one, other) => one - other);
    this.#head = typeof head === 'string' ? { number: 0, hash: CHAIN_START } : head;
  }

  /** Writes the gathered entries, in their order, and with `isLast` the end of the chain. */
  async write(connection: PostgresConnection, nowSeconds: number, isLast: boolean): Promise<void> {
    const rows: (AuditColumns & { readonly previousHash: Buffer; readonly hash: Buffer })[] = [];
    for (const [index, columns] of this.#gathered.entries()) {
      const number = this.#numbers[index] ?? 0;
      const previousHash = this.#head?.hash ?? CHAIN_START;
      const hash = hashOfEntry(previousHash, { number, ...columns });
      rows.push({ number, ...columns, previousHash, hash });
      this.#head = { number, hash };
    }
    this.#gathered.length = 0;
    await allSettled([
      rows.length === 0 ? undefined : insertEntries(connection, rows),
      isLast && this.#head !== undefined ? this.#keepEnd(connection, 'head', this.#head, nowSeconds) : undefined,
    ]);
  }

  /** @throws PortcullisError (`keyring_lacks_key`) */
  async readEnd(connection: PostgresConnection, which: ChainEndName): Promise<KeptChainEnd> {
    const row = await connection.get<{ value: Buffer; required: readonly string[] }>(
      'SELECT value, ARRAY(SELECT key_id FROM keyring_checks) AS required FROM settings WHERE name = $1',
      CHAIN_SETTINGS[which],
    );
    if (row === undefined) return 'missing';
    return openChainEnd(this.#cipher, which, { value: row.value, required: () => row.required });
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

async function insertEntries(
  connection: PostgresConnection,
  rows: readonly (AuditColumns & { readonly previousHash: Buffer; readonly hash: Buffer })[],
): Promise<void> {
  await connection.run(
    `INSERT INTO audit_entries (number, at, author_id, author_name, action, group_id, resource, address, detail, origin, previous_hash, hash)
     OVERRIDING SYSTEM VALUE
     SELECT number, at, author_id, author_name, action, group_id, resource, address, detail, origin, decode(previous_hash, 'hex'), decode(hash, 'hex')
     FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
       $11::text[], $12::text[])
       AS entry (number, at, author_id, author_name, action, group_id, resource, address, detail, origin, previous_hash, hash)`,
    ...[rows.map(({ number }) => String(number)), rows.map(({ at }) => String(at))],
    ...[rows.map(({ author_id }) => author_id), rows.map(({ author_name }) => author_name), rows.map(({ action }) => action)],
    ...[rows.map(({ group_id }) => group_id), rows.map(({ resource }) => resource), rows.map(({ address }) => address)],
    ...[rows.map(({ detail }) => detail), rows.map(({ origin }) => origin)],
    ...[rows.map(({ previousHash }) => previousHash.toString('hex')), rows.map(({ hash }) => hash.toString('hex'))],
  );
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
