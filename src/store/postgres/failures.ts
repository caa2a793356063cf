import { PortcullisError, StartError } from '../../errors/index.ts';
import type { DatabaseAddress } from './database-url.ts';
import { PostgresFailure } from './postgres-failure.ts';

/** An index entry holds about 2,700 bytes, compressed; SQLite knows no such limit. */
const INDEX_ENTRY_TOO_LARGE = '54000';

/** What a failure at run time means to the caller: `store_unavailable` for PostgreSQL's own, everything else as it is. */
export function runFailure(error: unknown): unknown {
  if (!(error instanceof PostgresFailure)) return error;
  if (error.code === INDEX_ENTRY_TOO_LARGE) return new PortcullisError('admin_invalid', { publicMessage: 'a name is too long' });
  return new PortcullisError('store_unavailable', { detail: `the store failed: ${error.message}`, cause: error });
}

/** What a failure at the start means to a person: one sentence for each cause that a person can remove. */
export function startFailure(error: unknown, address: DatabaseAddress): unknown {
  if (!(error instanceof PostgresFailure)) return error;
  const sentence = SENTENCES.find(([pattern]) => pattern.test(error.message))?.[1];
  if (sentence !== undefined) return new StartError(sentence(address), { cause: error });
  if (error.connection === 'kept') return error;
  return new StartError(`The connection to ${address.description} failed (${error.message}): check DATABASE_URL and the server.`, {
    cause: error,
  });
}

/** Whether the same start may succeed in a moment: the server is starting, or full. */
export function isTransient(error: unknown): boolean {
  return error instanceof PostgresFailure && (UNREACHABLE.test(error.message) || /^(57P0|53300|55P03)/.test(error.code));
}

const UNREACHABLE = /^(ECONN|EHOST|ENET|EPIPE|ETIMEDOUT|EAI_AGAIN|ENOENT)|timeout|terminated|^$/i;

const SENTENCES: readonly (readonly [RegExp, (address: DatabaseAddress) => string])[] = [
  // A server that asks for TLS says it in these words alone, and only where it speaks English.
  [
    /^28000: no pg_hba\.conf entry .*, (?:no encryption|SSL off)/,
    ({ description, user }) =>
      `${capital(description)} lets the user ${user} in from here only with TLS, or not at all: add sslmode=verify-full to DATABASE_URL, or a line to the server's pg_hba.conf.`,
  ],
  [
    /^28000: no pg_hba\.conf entry /,
    ({ description, user }) =>
      `${capital(description)} does not let the user ${user} in from here: add a line to the server's pg_hba.conf.`,
  ],
  [
    /^28/,
    ({ description, user, password }) =>
      `${capital(description)} refused the user ${user}${password === '' ? ', who came without a password' : ''}: check user and password in DATABASE_URL.`,
  ],
  [/^3D000/, ({ description }) => `${capital(description)} does not exist: create it, or correct DATABASE_URL.`],
  [/^57P03/, ({ description }) => `${capital(description)} is starting or stopping: start again in a moment.`],
  [
    /^53300/,
    ({ description }) => `${capital(description)} has no connection left: raise max_connections there, or lower --database-connections.`,
  ],
  [/^53/, ({ description }) => `${capital(description)} has run out of disk or memory: free some and start again.`],
  [
    /^42501/,
    ({ description, user }) =>
      `The user ${user} may not make the schema and tables of Portcullis in ${description}: grant CREATE on the database, or make the schema for that user.`,
  ],
  [/^25006/, ({ description }) => `${capital(description)} is read-only: name the primary server in DATABASE_URL, not a replica.`],
  [
    /^55P03/,
    ({ description }) => `${capital(description)} is locked by another control plane: wait until that has started, and start again.`,
  ],
  [
    /does not support SSL/,
    ({ description }) => `${capital(description)} has no TLS: switch it on there, or use sslmode=disable in DATABASE_URL.`,
  ],
  [
    /^(SELF_SIGNED|DEPTH_ZERO|UNABLE_TO|CERT_|ERR_TLS|ERR_SSL|HOSTNAME_)/,
    ({ description }) =>
      `The certificate of ${description} is not one that DATABASE_URL lets through: name its authority with sslrootcert, and the host as the certificate does.`,
  ],
  [/^(ENOTFOUND|EAI)/, ({ description }) => `The host of ${description} has no address: correct DATABASE_URL.`],
  [UNREACHABLE, ({ description }) => `${capital(description)} cannot be reached: check that it runs, and host and port in DATABASE_URL.`],
];

function capital(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}
