import pg from 'pg';
import { nodeTls } from '../../lib/node-tls.ts';
import type { DatabaseAddress } from './database-url.ts';
import { decodeText } from './text-encoding.ts';

/** How a database is opened. */
export interface DatabaseOptions {
  readonly address: DatabaseAddress;
  /** The schema in which all tables lie. */
  readonly schema: string;
  /** Connections at once, at most; at least 2. */
  readonly connections: number;
  /** How long a connection is waited for, and the write lock. */
  readonly timeoutMs: number;
  /** How long a statement may take. */
  readonly statementTimeoutMs: number;
}

/** A client that sits in a transaction for this long has lost its way, and everybody else waits for it. */
const IDLE_IN_TRANSACTION_MS = 10_000;
const KEEP_ALIVE_AFTER_MS = 30_000;
/** Without any, the driver gives up by itself and leaves the connection open until the server's time-out of a minute. */
const NO_PASSWORD = '\u007f';

/** What the driver is told. All that can be said is said, so that it does not look for it in `PG…` variables and files of the user. */
export function clientSettings({ address, timeoutMs, statementTimeoutMs }: DatabaseOptions): pg.ClientConfig {
  if (address.tls !== undefined) nodeTls();
  return {
    host: address.host,
    port: address.port,
    user: address.user,
    password: () => (address.password === '' ? NO_PASSWORD : address.password),
    database: address.database,
    ssl: address.tls ?? false,
    sslnegotiation: 'postgres',
    application_name: address.applicationName,
    client_encoding: 'UTF8',
    connectionTimeoutMillis: timeoutMs,
    // The server ends a slow statement first; this is for one that can no longer be reached.
    query_timeout: statementTimeoutMs * 1.2 + 1_000,
    keepAlive: true,
    pipeline: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
    types: { getTypeParser },
  };
}

/**
 * What each new connection sets, in one round trip. Not as start-up parameters, which connection poolers refuse. An answer is durable
 * whatever the server's default is; a stricter default, such as waiting for a replica, stays.
 */
export function sessionSettings({ schema, statementTimeoutMs }: DatabaseOptions): string {
  return `
    SET search_path = ${pg.escapeIdentifier(schema)}, pg_temp;
    SET statement_timeout = ${statementTimeoutMs};
    SET idle_in_transaction_session_timeout = ${IDLE_IN_TRANSACTION_MS};
    SET default_transaction_isolation = 'read committed';
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'`;
}

const INT8 = pg.types.builtins.INT8;
const TEXT = pg.types.builtins.TEXT;

// Revisions, times and numbers of rows stay far below 2^53.
const getTypeParser: pg.CustomTypesConfig['getTypeParser'] = (oid: number, format?: 'text' | 'binary') => {
  if (oid === INT8) return Number;
  if (oid === TEXT) return decodeText;
  return format === undefined ? pg.types.getTypeParser(oid) : pg.types.getTypeParser(oid, 'text');
};
