import { setTimeout as delay } from 'node:timers/promises';
import { type SqliteDatabase, SqliteFailure } from './sqlite-database.ts';

/** How long a connection waits for a lock that another process holds. */
export const BUSY_TIMEOUT_MS = 5000;
const LONGEST_PAUSE_MS = 16;

/**
 * Opens a transaction that holds the write lock from its start, so that what it reads stays true until it commits.
 *
 * While another connection holds the lock, this one asks again without blocking the thread: the holder may be a store of the same
 * process, which could never finish on a blocked thread. The pauses are the machine's own time, since they depend on another process.
 *
 * @throws SqliteFailure (`SQLITE_BUSY`) after `timeoutMs`.
 */
export async function beginImmediate(database: SqliteDatabase, timeoutMs = BUSY_TIMEOUT_MS): Promise<void> {
  let waitedMs = 0;
  for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    const refusal = tryToBegin(database);
    if (refusal === undefined) return;
    if (waitedMs >= timeoutMs) throw refusal;
    await delay(pauseMs);
    waitedMs += pauseMs;
  }
}

function tryToBegin(database: SqliteDatabase): SqliteFailure | undefined {
  database.pragma('busy_timeout = 0');
  try {
    database.execute('BEGIN IMMEDIATE');
    return undefined;
  } catch (error) {
    if (error instanceof SqliteFailure && error.code.startsWith('SQLITE_BUSY')) return error;
    throw error;
  } finally {
    database.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`);
  }
}
