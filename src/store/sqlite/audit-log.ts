import { type AuditColumns, CHAIN_START, type ChainEnd, type ChainEndName, hashOfEntry } from '../audit-chain.ts';
import type { FieldCipher } from '../field-cipher.ts';
import type { HistoryLimits, KeptChainEnd } from '../history.ts';
import { beginningToForget, CHAIN_SETTINGS, columnsOfEntry, openChainEnd, sealChainEnd } from '../rows/audit-entries.ts';
import type { AuditRow } from '../rows/history-rows.ts';
import type { AuditEntry, Author } from '../store.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

/** How many entries are chained between two reads, where there are some that never were. */
const ROWS_PER_READ = 1_000;

/**
 * The writing side of the audit log: every entry is chained to the one before, and the end of the chain is kept encrypted and so
 * authenticated, in the same transaction. Nothing here judges the chain or refuses a write because of it: what somebody else did to the
 * rows is found by `verifyAuditChain`, and stays findable, since the next entry follows the kept end and not the last row.
 */
export class AuditLog {
  readonly #database: SqliteDatabase;
  readonly #cipher: FieldCipher;
  /** The end of the chain that this transaction has made and not kept yet: sealing it for each of many entries would cost as much as they do. */
  #head: ChainEnd | undefined;
  #lastNumber: number | undefined;

  constructor(database: SqliteDatabase, cipher: FieldCipher) {
    this.#database = database;
    this.#cipher = cipher;
  }

  /** Chains an entry. `settle` comes last in the transaction. @throws PortcullisError (`keyring_lacks_key`) */
  append(entry: AuditEntry, author: Author): void {
    const columns = columnsOfEntry(entry, author);
    const head = this.#head ?? this.readEnd('head');
    const previousHash = typeof head === 'string' ? CHAIN_START : head.hash;
    const number = (this.#lastNumber ?? this.#readLastNumber()) + 1;
    const hash = hashOfEntry(previousHash, { number, ...columns });
    const { at, author_id, author_name, action, group_id, resource, address, detail, origin } = columns;
    // Hashes as text: the driver takes ten times as long to hand over bytes.
    this.#database.run(
      `INSERT INTO audit_entries (number, at, author_id, author_name, action, group_id, resource, address, detail, origin, previous_hash, hash)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, unhex(?), unhex(?))`,
      ...[number, at, author_id, author_name, action, group_id, resource, address, detail, origin],
      ...[previousHash.toString('hex'), hash.toString('hex')],
    );
    this.#lastNumber = number;
    this.#head = { number, hash };
  }

  /** Keeps the end of what was appended. */
  settle(nowSeconds: number): void {
    if (this.#head !== undefined) this.#keepEnd('head', this.#head, nowSeconds);
    this.#head = undefined;
  }

  /** @throws PortcullisError (`keyring_lacks_key`) */
  readEnd(which: ChainEndName): KeptChainEnd {
    // One statement, so that no key is let go of between two.
    const row = this.#database.get<{ value: Buffer; required: string }>(
      'SELECT value, (SELECT json_group_array(key_id) FROM keyring_checks) AS required FROM settings WHERE name = ?',
      CHAIN_SETTINGS[which],
    );
    if (row === undefined) return 'missing';
    return openChainEnd(this.#cipher, which, { value: row.value, required: () => JSON.parse(row.required) });
  }

  /** Chains the entries of a log that has no chain yet; call it inside a transaction. */
  begin(nowSeconds: number): void {
    if (this.readEnd('head') !== 'missing') return;
    if (this.#database.get('SELECT 1 FROM audit_entries WHERE hash IS NOT NULL LIMIT 1') !== undefined) return;
    let end: ChainEnd = { number: 0, hash: CHAIN_START };
    for (let rows = this.#rowsAbove(0); rows.length > 0; rows = this.#rowsAbove(end.number)) {
      for (const row of rows) end = this.#chain(row, end.hash);
    }
    this.#keepEnd('head', end, nowSeconds);
  }

  /** The beginning of the log that is too old or too much; call it inside a transaction. Returns how many entries went. */
  prune(limits: HistoryLimits, nowSeconds: number): number {
    const rows = this.#database.all<Pick<AuditRow, 'number' | 'at' | 'hash'>>(
      'SELECT number, at, hash FROM audit_entries ORDER BY number LIMIT ?',
      limits.limit,
    );
    const { count, end } = beginningToForget(rows, limits, this.readEnd('anchor'));
    if (end === undefined) return 0;
    // Kept before the rows go, so that what is left follows something whenever it is looked at.
    this.#keepEnd('anchor', end, nowSeconds);
    this.#database.run('DELETE FROM audit_entries WHERE number <= ?', end.number);
    return count;
  }

  /** The highest number that was ever given: none is used twice. */
  #readLastNumber(): number {
    return this.#database.get<{ seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = 'audit_entries'")?.seq ?? 0;
  }

  #chain(row: AuditColumns, previousHash: Buffer): ChainEnd {
    const hash = hashOfEntry(previousHash, row);
    this.#database.run('UPDATE audit_entries SET previous_hash = ?, hash = ? WHERE number = ?', previousHash, hash, row.number);
    return { number: row.number, hash };
  }

  #keepEnd(which: ChainEndName, end: ChainEnd, nowSeconds: number): void {
    const sealed = sealChainEnd(this.#cipher, which, end);
    this.#database.run(
      `INSERT INTO settings (name, value, secret, updated_at) VALUES (?, ?, 1, ?)
       ON CONFLICT (name) DO UPDATE SET value = excluded.value, secret = excluded.secret, updated_at = excluded.updated_at`,
      ...[CHAIN_SETTINGS[which], sealed, nowSeconds],
    );
  }

  #rowsAbove(number: number): readonly AuditRow[] {
    return this.#database.all<AuditRow>('SELECT * FROM audit_entries WHERE number > ? ORDER BY number LIMIT ?', ...[number, ROWS_PER_READ]);
  }
}
