import { createHash } from 'node:crypto';
import type { PostgresConnection } from './postgres-connection.ts';
import type { PostgresDatabase } from './postgres-database.ts';
import { PostgresFailure } from './postgres-failure.ts';

/** What is read as soon as the lock is had, in the round trip that asks for it. `sql` binds nothing. */
export interface FirstRead {
  readonly sql: string;
  take(rows: readonly unknown[]): void;
}

/**
 * Runs `work` in a transaction that holds the write lock of the store from its start to its end: all transactions of all processes on
 * one schema run one after the other, and what one reads stays true until it commits. Readers wait for nobody.
 *
 * The lock is waited for up to `lockTimeoutMs`. It is an advisory one, which PostgreSQL releases when the transaction ends, however it ends. `read committed` lets each statement
 * see what was committed before the lock was had.
 *
 * @throws PostgresFailure, what `work` throws; then nothing of it is left, unless the connection was lost during the commit itself: then
 * nobody here knows.
 */
export async function runTransaction<Result>(
  database: PostgresDatabase,
  lockTimeoutMs: number,
  work: (connection: PostgresConnection) => Promise<Result>,
  firstRead?: FirstRead,
): Promise<Result> {
  const begin = beginStatements(database, lockTimeoutMs);
  return database.lendFresh(async (connection, onBegun) => {
    const rows = await orRollBack(connection, () =>
      connection.executeAndRead(firstRead === undefined ? begin : `${begin}; ${firstRead.sql}`),
    );
    onBegun();
    return orRollBack(connection, async () => {
      firstRead?.take(rows);
      const result = await work(connection);
      await commit(connection);
      return result;
    });
  });
}

/** Runs reads that see one state of the database, whatever is written meanwhile. */
export async function readOneState<Result>(
  database: PostgresDatabase,
  work: (connection: PostgresConnection) => Promise<Result>,
): Promise<Result> {
  return database.lendFresh((connection) =>
    inTransaction(connection, 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', () => work(connection)),
  );
}

/** Runs `work` between `begin` and a commit on a connection that is in no transaction. @throws PostgresFailure, what `work` throws; it is rolled back then */
export function inTransaction<Result>(connection: PostgresConnection, begin: string, work: () => Promise<Result>): Promise<Result> {
  return orRollBack(connection, async () => {
    await connection.execute(begin);
    const result = await work();
    await commit(connection);
    return result;
  });
}

// What a transaction reads and writes it finds by an index. Plans are made once for a connection, perhaps when a table was still empty. Where
// there is no index, PostgreSQL thinks the plan so dear that it would compile it, which takes longer than the statement.
function beginStatements({ options }: PostgresDatabase, lockTimeoutMs: number): string {
  return `BEGIN; SET LOCAL enable_seqscan = off; SET LOCAL jit = off; SET LOCAL lock_timeout = ${Math.ceil(lockTimeoutMs)}; SELECT pg_advisory_xact_lock(${lockKey(options.schema)})`;
}

function lockKey(schema: string): string {
  return advisoryKey('write lock', schema);
}

/** The lock that each control plane shares while it runs on a schema. */
export function presenceKey(schema: string): string {
  return advisoryKey('presence', schema);
}

/** Advisory locks are shared by all that use the database: a number that nobody else has by chance. */
function advisoryKey(purpose: string, schema: string): string {
  return createHash('sha256').update(`portcullis ${purpose} ${schema}`).digest().readBigInt64BE(0).toString();
}

// PostgreSQL answers the commit of a transaction in which a statement failed with ROLLBACK, and no error.
async function commit(connection: PostgresConnection): Promise<void> {
  const done = await connection.execute('COMMIT');
  if (done !== 'COMMIT')
    throw new PostgresFailure(new Error('the transaction was rolled back, because a statement in it had failed'), true);
}

async function orRollBack<Result>(connection: PostgresConnection, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    // A connection on which not even this succeeds is closed, which has the same effect.
    if (!connection.isLost) await connection.execute('ROLLBACK').catch(() => undefined);
    throw error;
  }
}
