import { PortcullisError, StartError } from '../../errors/index.ts';
import type { Clock } from '../../lib/clock.ts';
import type { ChainEndName } from '../audit-chain.ts';
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
import type { InstanceRegistry } from '../instance-registry.ts';
import type { Keyring } from '../keyring.ts';
import type { KeyStore, StoreKeys } from '../keys/key-store.ts';
import { FoundLists } from '../lists/found-lists.ts';
import type { ProgressListener } from '../lists/tell-of-lists.ts';
import { MIGRATIONS } from '../migrations/index.ts';
import { type AuditRow, auditEntryOfRow, chainedEntryOfRow } from '../rows/history-rows.ts';
import type { Author, ConnectionUse, ResourceSelection, RevisionHints, SelectedResources, Store, StoreTransaction } from '../store.ts';
import type { StoreStanding } from '../store-standing.ts';
import { TransactionQueue } from '../transaction-queue.ts';
import type { StoreUsage, UsageStore } from '../usage.ts';
import { AUDIT_COLUMNS, AuditLog } from './audit-log.ts';
import { catchUpAllLists } from './catch-up-all-lists.ts';
import { areListsCurrent, catchUpLists } from './catch-up-lists.ts';
import { parseDatabaseUrl } from './database-url.ts';
import { runFailure, startFailure } from './failures.ts';
import { findAuditRows, listAuditActions } from './find-audit.ts';
import { inSavepoint } from './in-savepoint.ts';
import { measureHistory } from './measure-history.ts';
import { openDatabase } from './open-database.ts';
import type { PostgresConnection } from './postgres-connection.ts';
import type { PostgresDatabase } from './postgres-database.ts';
import { PostgresHistoryReader } from './postgres-history-reader.ts';
import { PostgresInstanceRegistry } from './postgres-instance-registry.ts';
import { followKeyring, PostgresKeyWriter, postgresKeys } from './postgres-keys.ts';
import { PostgresTransaction } from './postgres-transaction.ts';
import { PostgresUsage } from './postgres-usage.ts';
import { pruneVersionsAndRemovals } from './prune-history.ts';
import { RevisionListener } from './revision-listener.ts';
import { readOneState, runTransaction } from './run-transaction.ts';
import { StoreFence } from './store-fence.ts';
import { STANDING_COLUMNS, type StandingRow, standingOfRow, standingParameters } from './store-standing.ts';
import { TransactionSteps } from './transaction-steps.ts';

/** Where a store is, and how long it waits. */
export interface PostgresStoreOptions {
  /** As in `parseDatabaseUrl`; holds the password. */
  readonly url: string;
  /** Schema of all tables: lower-case letters, digits and `_`; made when absent. */
  readonly schema: string;
  /** Connections of this process at once, at least 2; one more listens. */
  readonly connections: number;
  /** How long a connection is waited for, and the write lock. */
  readonly timeoutMs: number;
  /** How long a statement may take. */
  readonly statementTimeoutMs: number;
  /** How long a server that is not there yet is waited for. */
  readonly patienceMs: number;
}

/**
 * Opens a store on PostgreSQL 14 or newer, which several control planes may use at once: one schema of one database, made when absent.
 *
 * A transaction that resolved is as durable as the server makes it (`fsync`, replicas); `synchronous_commit` is never less than a local
 * flush. Transactions of all processes run one after the other: work given to `transaction` holds the only write lock, and is ended when
 * it idles for 10 s. Reads outside a transaction see what is committed and never wait for a writer.
 *
 * While the server is away every call is refused with the PortcullisError `store_unavailable`, after `timeoutMs` at the latest where it
 * does not answer, and calls succeed again as soon as it is back. A transaction refused so has left nothing behind, but for one whose
 * connection was lost during its very commit, of which nobody here knows. When another store was put in its place, writes are refused as
 * `store_replaced`. A name that is no well-formed text is `admin_invalid`, as is one
 * of over 2,700 bytes when compressed; a write to an unknown group `admin_not_found`.
 *
 * @throws StartError when the database cannot be used, needs a newer version, or the keyring does not open it; nothing is changed then.
 */
export async function openPostgresStore(
  options: PostgresStoreOptions & { readonly keyring: Keyring; readonly clock: Clock; readonly onProgress?: ProgressListener | undefined },
): Promise<Store & StoreHistory & StoreUsage & StoreKeys & RevisionHints> {
  if (!SCHEMA.test(options.schema)) {
    throw new StartError('--database-schema must be up to 63 lower-case letters, digits and "_", and not begin with a digit or "pg_".');
  }
  const database = { ...options, address: parseDatabaseUrl(options.url), connections: Math.max(options.connections, 2) };
  const opened = await openDatabase({ ...options, database, migrations: MIGRATIONS });
  try {
    await catchUpAllLists(database, options.onProgress);
    const fence = await opened.database.lend((connection) => StoreFence.open(connection, options.schema, MIGRATIONS.at(-1)?.version ?? 0));
    return new PostgresStore(opened.database, { ...opened, keyring: options.keyring, fence }, options.clock, new TransactionQueue());
  } catch (error) {
    await opened.database.close();
    throw startFailure(error, database.address);
  }
}

const SCHEMA = /^(?!pg_)[a-z_][a-z0-9_]{0,62}$/;
/** Enough for a short transaction of another process, whatever was waited for before. */
const SHORTEST_WAIT_MS = 20;

class PostgresStore extends PostgresHistoryReader implements Store, StoreHistory, StoreUsage, StoreKeys, RevisionHints {
  readonly usage: UsageStore;
  readonly keys: KeyStore;
  readonly #database: PostgresDatabase;
  readonly #clock: Clock;
  readonly #queue: TransactionQueue;
  readonly #groups: CommitGroups<PostgresConnection>;
  readonly #listener: RevisionListener;
  readonly #fence: StoreFence;
  readonly instanceRegistry: InstanceRegistry;

  constructor(
    database: PostgresDatabase,
    { cipher, keyring, fence }: { readonly cipher: FieldCipher; readonly keyring: Keyring; readonly fence: StoreFence },
    clock: Clock,
    queue: TransactionQueue,
  ) {
    const step = async <Result>(work: () => Promise<Result>): Promise<Result> => {
      if (queue.closed) throw new PortcullisError('store_unavailable', { detail: 'the store is closed' });
      return asStoreCall(work);
    };
    const source = {
      run: <Result>(work: (connection: PostgresConnection) => Promise<Result>) => step(() => database.lendFresh(work)),
      runOnOneState: <Result>(work: (connection: PostgresConnection) => Promise<Result>) => step(() => readOneState(database, work)),
      found: new FoundLists(),
    };
    super(source, cipher);
    this.#database = database;
    this.#clock = clock;
    this.#fence = fence;
    this.#queue = queue;
    const hold = (askedAtMs: number, work: (connection: PostgresConnection) => Promise<void>): Promise<void> =>
      this.#holdingTheLock(askedAtMs, work);
    this.#groups = new CommitGroups(queue, { hold, nest: inSavepoint, isUsable: (connection) => !connection.isLost }, clock);
    const write = <Result>(work: (connection: PostgresConnection) => Promise<Result>) =>
      step(() =>
        database.lend(async (connection) => {
          await fence.assertSame(connection);
          return work(connection);
        }),
      );
    this.usage = new PostgresUsage({ read: source.run, write });
    this.#listener = new RevisionListener(database, clock);
    this.instanceRegistry = new PostgresInstanceRegistry({ run: source.run, listener: this.#listener, keyring, fence });
    this.keys = postgresKeys({
      keyring,
      read: source.run,
      transaction: (author, work) =>
        asStoreCall(() =>
          this.#groups.run((connection) =>
            this.#transact(connection, author, (transaction, steps) => work(transaction, new PostgresKeyWriter(steps, cipher))),
          ),
        ),
    });
  }

  connections(): ConnectionUse {
    return this.#database.use;
  }

  async transaction<Result>(author: Author, work: (transaction: StoreTransaction) => Promise<Result>): Promise<Result> {
    return asStoreCall(() => this.#groups.run((connection) => this.#transact(connection, author, work)));
  }

  override async selectResources(selection: ResourceSelection): Promise<SelectedResources> {
    await this.keepListsCurrent(selection.groupId);
    return super.selectResources(selection);
  }

  /** Lists are behind after a migration, and where software from before them has written. */
  async keepListsCurrent(groupId: string): Promise<void> {
    if (await this.source.run((connection) => areListsCurrent(connection, groupId))) return;
    const askedAtMs = this.#clock.monotonicMs();
    await this.#queue.run(() => this.#holdingTheLock(askedAtMs, (connection) => catchUpLists(connection, groupId)));
  }

  async pageOfAudit(before: number | undefined, limit: number): Promise<readonly NumberedAuditEntry[]> {
    const rows = await this.all<AuditRow>(
      `SELECT ${AUDIT_COLUMNS} FROM audit_entries WHERE number < $1 ORDER BY number DESC LIMIT $2`,
      ...[before ?? Number.MAX_SAFE_INTEGER, limit],
    );
    return rows.map(auditEntryOfRow);
  }

  async findAudit(query: AuditQuery, after: AuditPlace | undefined, limit: number): Promise<readonly NumberedAuditEntry[]> {
    return (await this.source.run((connection) => findAuditRows(connection, query, after, limit))).map(auditEntryOfRow);
  }

  async listAuditActions(): Promise<readonly string[]> {
    return this.source.run(listAuditActions);
  }

  async pageOfChain(above: number, limit: number): Promise<readonly ChainedEntry[]> {
    const rows = await this.all<AuditRow>(
      `SELECT ${AUDIT_COLUMNS} FROM audit_entries WHERE number > $1 ORDER BY number LIMIT $2`,
      ...[above, limit],
    );
    return rows.map(chainedEntryOfRow);
  }

  async readChainEnd(which: ChainEndName): Promise<KeptChainEnd> {
    return this.source.run((connection) => new AuditLog(this.cipher).readEnd(connection, which));
  }

  async pruneHistory(limits: HistoryLimits): Promise<number> {
    const askedAtMs = this.#clock.monotonicMs();
    return this.#queue.run(() =>
      this.#holdingTheLock(askedAtMs, async (connection) => {
        const audit = await new AuditLog(this.cipher).prune(connection, limits, Math.floor(this.#clock.nowMs() / 1000));
        return audit + (await pruneVersionsAndRemovals(connection, limits));
      }),
    );
  }

  async measureHistory(
    log: 'versions' | 'audit',
    from: Pick<SizeStep, 'below' | 'bytes'>,
    maxBytes: number,
    rows: number,
  ): Promise<SizeStep> {
    return this.source.run((connection) => measureHistory(connection, log, from, maxBytes, rows));
  }

  watchRevisions(onHint: (groupId: string | undefined) => void): () => Promise<void> {
    return this.#listener.watch(onHint);
  }

  async readStanding(known: string | undefined): Promise<StoreStanding> {
    const row = await this.get<StandingRow>(`SELECT ${STANDING_COLUMNS}`, ...standingParameters(known));
    return row === undefined ? { lacksKnown: false } : standingOfRow(row);
  }

  async close(): Promise<void> {
    if (this.#queue.closed) return;
    await this.#queue.close();
    await this.#listener.close();
    await this.#database.close();
  }

  async #transact<Result>(
    connection: PostgresConnection,
    author: Author,
    work: (transaction: StoreTransaction, steps: TransactionSteps) => Promise<Result>,
  ): Promise<Result> {
    const steps = new TransactionSteps(connection);
    const transaction = new PostgresTransaction(steps, this.cipher, author, Math.floor(this.#clock.nowMs() / 1000), this.#listener);
    try {
      const result = await work(transaction, steps);
      await steps.settle((held) => transaction.complete(held));
      return result;
    } catch (error) {
      await steps.abandon();
      throw error;
    }
  }

  #holdingTheLock<Result>(askedAtMs: number, work: (connection: PostgresConnection) => Promise<Result>): Promise<Result> {
    // What stood in the queue while another process held the lock has waited for it too; else a queue of them would fail for minutes.
    const waitedMs = this.#clock.monotonicMs() - askedAtMs;
    const leftMs = Math.max(this.#database.options.timeoutMs - waitedMs, SHORTEST_WAIT_MS);
    return asStoreCall(() => runTransaction(this.#database, leftMs, work, this.#fence.before(followKeyring(this.cipher))));
  }
}

async function asStoreCall<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw runFailure(error);
  }
}
