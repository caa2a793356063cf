import { parseDatabaseUrl } from '../postgres/database-url.ts';
import type { PostgresStoreOptions } from '../postgres/index.ts';
import { PostgresDatabase } from '../postgres/postgres-database.ts';

/** Whole tables go through one statement, and the other end may be a slow disk. */
const LONG_TIMEOUT_MS = 600_000;
/** For whoever reads or writes whole tables: plans for single rows, and the time-outs for those who hold the lock too long, are not meant for it. */
export const LONG_TRANSACTION = `SET LOCAL enable_seqscan = on; SET LOCAL idle_in_transaction_session_timeout = ${LONG_TIMEOUT_MS}`;

/** A pool of one connection whose statements may take long. */
export function openForLong(options: PostgresStoreOptions): PostgresDatabase {
  return new PostgresDatabase({ ...options, address: parseDatabaseUrl(options.url), connections: 1, statementTimeoutMs: LONG_TIMEOUT_MS });
}
