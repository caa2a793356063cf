import { PortcullisError } from '../../errors/index.ts';
import type { Clock } from '../../lib/clock.ts';
import { CommitGroups } from '../commit-groups.ts';
import type { FieldCipher } from '../field-cipher.ts';
import type {
  AuditPlace,
  AuditQuery,
  ChainedEntry,
  HistoryLimits,
  KeptChainEnd,
  NumberedAuditEntry,
  SizeStep,
  StoreHistory,
} from '../history.ts';
import type { InstanceMemory } from '../instance-registry.ts';
import type { Keyring } from '../keyring.ts';
import type { KeyStore, KeyWriter, StoreKeys } from '../keys/key-store.ts';
import { FoundLists } from '../lists/found-lists.ts';
import { MANY_RESOURCES, type ProgressListener, tellOfLists } from '../lists/tell-of-lists.ts';
import { CHAINED_SINCE, MIGRATIONS } from '../migrations/index.ts';
import { type AuditRow, auditEntryOfRow, chainedEntryOfRow } from '../rows/history-rows.ts';
import type { Author, ResourceSelection, RevisionHints, SelectedResources, Store, StoreTransaction } from '../store.ts';
import { TransactionQueue } from '../transaction-queue.ts';
import type { StoreUsage, UsageStore } from '../usage.ts';
import { AuditLog } from './audit-log.ts';
import { BUSY_TIMEOUT_MS, beginImmediate } from './begin-immediate.ts';
import { areListsCurrent, catchUpLists } from './catch-up-lists.ts';
import { checkKeyring } from './check-keyring.ts';
import { runFailure, startFailure } from './failures.ts';
import { findAuditRows } from './find-audit.ts';
import { inSavepoint } from './in-savepoint.ts';
import { measureHistory } from './measure-history.ts';
import { type Connections, openConnections } from './open-connections.ts';
import { pruneVersionsAndRemovals } from './prune-history.ts';
import type { SqliteDatabase } from './sqlite-database.ts';
import { SqliteHistoryReader } from './sqlite-history-reader.ts';
import { SqliteInstances } from './sqlite-instances.ts';
import { followKeyring, SqliteKeyWriter, sqliteKeys } from './sqlite-keys.ts';
import { SqliteTransaction } from './sqlite-transaction.ts';
import { SqliteUsage } from './sqlite-usage.ts';

/**
 * Opens the embedded store: one SQLite file (mode 0600, made when absent) that several processes of this machine may use at once.
 *
 * A transaction that resolved survives kill -9 and power loss (WAL, `synchronous=FULL`). A commit takes 1-2 ms and blocks the thread.
 * Work given to `transaction` holds the only write lock of the file, and should wait for nothing but the transaction itself. Reads
 * outside a transaction see what is committed and never wait for a writer. At run time SQLite's own failures (disk full, locked for
 * over 5 s, damaged) are PortcullisErrors with the reason `store_unavailable`; a name that is no well-formed text is `admin_invalid`,
 * a write to an unknown group `admin_not_found`.
 *
 * @throws StartError when the file is unusable, needs a newer version, or the keyring does not open it; nothing is changed then.
 */
export async function openSqliteStore(options: {
  readonly file: string;
  readonly keyring: Keyring;
  readonly clock: Clock;
  readonly onProgress?: ProgressListener | undefined;
}): Promise<Store & StoreHistory & StoreUsage & StoreKeys & RevisionHints> {
  const connections = await openConnections({ ...options, migrations: MIGRATIONS });
  try {
    const cipher = await checkKeyring(connections.writer, options.keyring, options.file, Math.floor(options.clock.nowMs() / 1000));
    if (connections.schemaBefore < CHAINED_SINCE) await beginAuditChain(connections.writer, cipher, options.clock);
    const store = new SqliteStore(connections, { cipher, keyring: options.keyring }, options.clock, new TransactionQueue());
    for (const { id } of await store.listGroups()) await store.keepListsCurrent(id, options.onProgress);
    return store;
  } catch (error) {
    closeConnections(connections);
    throw startFailure(error, options.file);
  }
}

/** With the migration that makes place for the chain and never again: a chain whose end is gone later was cut by somebody. */
async function beginAuditChain(writer: SqliteDatabase, cipher: FieldCipher, clock: Clock): Promise<void> {
  const log = new AuditLog(writer, cipher);
  await beginImmediate(writer);
  try {
    log.begin(Math.floor(clock.nowMs() / 1000));
    writer.execute('COMMIT');
  } catch (error) {
    if (writer.inTransaction) writer.execute('ROLLBACK');
    throw error;
  }
}

/** Enough for a short transaction of another process, whatever was waited for before. */
const SHORTEST_WAIT_MS = 20;

class SqliteStore extends SqliteHistoryReader implements Store, StoreHistory, StoreUsage, StoreKeys, RevisionHints {
  readonly usage: UsageStore;
  readonly keys: KeyStore;
  readonly instanceMemory: InstanceMemory;
  readonly #connections: Connections;
  readonly #clock: Clock;
  readonly #queue: TransactionQueue;
  readonly #groups: CommitGroups<SqliteDatabase>;

  constructor(
    connections: Connections,
    { cipher, keyring }: { readonly cipher: FieldCipher; readonly keyring: Keyring },
    clock: Clock,
    queue: TransactionQueue,
  ) {
    super({ database: connections.reader, cipher, assertUsable: () => assertOpen(queue), found: new FoundLists() });
    this.#connections = connections;
    this.#clock = clock;
    this.#queue = queue;
    const hold = (askedAtMs: number, work: (writer: SqliteDatabase) => Promise<void>): Promise<void> =>
      this.#holdingTheLock(askedAtMs, () => work(connections.writer));
    const apart = {
      read: async <Result>(work: (database: SqliteDatabase) => Result) => this.step(() => work(this.database)),
      write: <Result>(work: (database: SqliteDatabase) => Result) => {
        const askedAtMs = this.#clock.monotonicMs();
        return queue.run(() => this.#holdingTheLock(askedAtMs, async () => work(connections.writer)));
      },
    };
    this.usage = new SqliteUsage(apart);
    this.instanceMemory = new SqliteInstances(apart);
    this.keys = sqliteKeys({
      keyring,
      read: async (work) => this.step(() => work(this.database)),
      transaction: (author, work) => this.#groups.run(() => this.#transact(author, work)),
    });
    this.#groups = new CommitGroups(queue, { hold, nest: inSavepoint, isUsable: (writer) => writer.inTransaction }, clock);
  }

  async transaction<Result>(author: Author, work: (transaction: StoreTransaction) => Promise<Result>): Promise<Result> {
    return this.#groups.run(() => this.#transact(author, work));
  }

  override async selectResources(selection: ResourceSelection): Promise<SelectedResources> {
    await this.keepListsCurrent(selection.groupId);
    return super.selectResources(selection);
  }

  /** Lists are behind after a migration, and where software from before them has written. */
  async keepListsCurrent(groupId: string, onProgress?: ProgressListener): Promise<void> {
    if (this.step(() => areListsCurrent(this.database, groupId))) return;
    const resources = this.step(() => countUpToMany(this.database, groupId));
    tellOfLists(groupId, resources, onProgress);
    const askedAtMs = this.#clock.monotonicMs();
    await this.#queue.run(() => this.#holdingTheLock(askedAtMs, async () => catchUpLists(this.#connections.writer, groupId)));
  }

  async pageOfAudit(before: number | undefined, limit: number): Promise<readonly NumberedAuditEntry[]> {
    return this.step(() =>
      this.database
        .all<AuditRow>(
          'SELECT * FROM audit_entries WHERE number < ? ORDER BY number DESC LIMIT ?',
          ...[before ?? Number.MAX_SAFE_INTEGER, limit],
        )
        .map(auditEntryOfRow),
    );
  }

  async findAudit(query: AuditQuery, after: AuditPlace | undefined, limit: number): Promise<readonly NumberedAuditEntry[]> {
    return this.step(() => findAuditRows(this.database, query, after, limit).map(auditEntryOfRow));
  }

  async listAuditActions(): Promise<readonly string[]> {
    return this.step(() =>
      this.database.all<{ action: string }>('SELECT DISTINCT action FROM audit_entries ORDER BY action').map(({ action }) => action),
    );
  }

  async pageOfChain(above: number, limit: number): Promise<readonly ChainedEntry[]> {
    return this.step(() =>
      this.database
        .all<AuditRow>('SELECT * FROM audit_entries WHERE number > ? ORDER BY number LIMIT ?', above, limit)
        .map(chainedEntryOfRow),
    );
  }

  async readChainEnd(which: 'head' | 'anchor'): Promise<KeptChainEnd> {
    return this.step(() => new AuditLog(this.database, this.cipher).readEnd(which));
  }

  async pruneHistory(limits: HistoryLimits): Promise<number> {
    const { writer } = this.#connections;
    const askedAtMs = this.#clock.monotonicMs();
    return this.#queue.run(() =>
      this.#holdingTheLock(askedAtMs, async () => {
        const audit = new AuditLog(writer, this.cipher).prune(limits, Math.floor(this.#clock.nowMs() / 1000));
        return audit + pruneVersionsAndRemovals(writer, limits);
      }),
    );
  }

  async measureHistory(
    log: 'versions' | 'audit',
    from: Pick<SizeStep, 'below' | 'bytes'>,
    maxBytes: number,
    rows: number,
  ): Promise<SizeStep> {
    return this.step(() => measureHistory(this.database, log, from, maxBytes, rows));
  }

  /** Nobody tells a process that another one has written to the file: there are no hints. */
  watchRevisions(): () => Promise<void> {
    return async () => undefined;
  }

  async close(): Promise<void> {
    if (this.#queue.closed) return;
    await this.#queue.close();
    closeConnections(this.#connections);
  }

  async #transact<Result>(author: Author, work: (transaction: StoreTransaction, keys: KeyWriter) => Promise<Result>): Promise<Result> {
    let over = false;
    const assertUsable = () => {
      if (over) throw new Error('the transaction is over');
    };
    const parts = { database: this.#connections.writer, cipher: this.cipher, assertUsable };
    const transaction = new SqliteTransaction(parts, author, Math.floor(this.#clock.nowMs() / 1000));
    try {
      const result = await work(transaction, new SqliteKeyWriter(parts.database, this.cipher));
      transaction.complete();
      return result;
    } catch (error) {
      throw runFailure(error);
    } finally {
      over = true;
    }
  }

  async #holdingTheLock<Result>(askedAtMs: number, work: () => Promise<Result>): Promise<Result> {
    const { writer } = this.#connections;
    // What stood in the queue while another process held the lock has waited for it too; else a queue of them would fail for minutes.
    const waitedMs = this.#clock.monotonicMs() - askedAtMs;
    try {
      await beginImmediate(writer, Math.max(BUSY_TIMEOUT_MS - waitedMs, SHORTEST_WAIT_MS));
      followKeyring(writer, this.cipher);
      const result = await work();
      writer.execute('COMMIT');
      return result;
    } catch (error) {
      if (writer.inTransaction) writer.execute('ROLLBACK');
      throw runFailure(error);
    }
  }
}

function countUpToMany(database: SqliteDatabase, groupId: string): number {
  const sql = 'SELECT count(*) AS resources FROM (SELECT 1 FROM resources WHERE group_id = ? LIMIT ?)';
  return database.get<{ resources: number }>(sql, groupId, MANY_RESOURCES)?.resources ?? 0;
}

function assertOpen(queue: TransactionQueue): void {
  if (queue.closed) throw new PortcullisError('store_unavailable', { detail: 'the store is closed' });
}

// The reader goes first: only a connection that may write can tidy up the WAL when it is the last one.
function closeConnections(connections: Connections): void {
  connections.reader.close();
  connections.writer.close();
}
