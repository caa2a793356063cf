import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import type { ConnectionOptions } from 'node:tls';
import { StartError } from '../../errors/index.ts';

/** Where a database is, and as whom it is opened. */
export interface DatabaseAddress {
  /** A name or address, or the folder of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** Undefined: in clear. */
  readonly tls: ConnectionOptions | undefined;
  readonly applicationName: string;
  /** For messages: says where, and holds no secret. */
  readonly description: string;
}

const FORM = 'postgres://user:password@host:5432/database?sslmode=verify-full';
const PARAMETERS = ['sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'host', 'application_name'];
const DEFAULT_PORT = 5432;

/**
 * Reads a database URL as libpq does (PostgreSQL, "Connection URIs"), as far as it makes sense here: one host, and the parameters
 * `sslmode` (`disable`, `require`, `verify-ca`, `verify-full`; default: `disable`), `sslrootcert`, `sslcert`, `sslkey`, `host` (for a
 * socket's folder) and `application_name`. Files are read at once.
 *
 * @throws StartError in one sentence, which never quotes the URL: it holds the password.
 */
export function parseDatabaseUrl(text: string): DatabaseAddress {
  const url = URL.parse(text);
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol)) throw new StartError(`DATABASE_URL is no address of the form ${FORM}.`);
  const parameters = readParameters(url);
  const host = parameters.get('host') ?? decoded(url.hostname.replace(/^\[|\]$/g, ''));
  const database = decoded(url.pathname.slice(1));
  if (host === '') throw new StartError(`DATABASE_URL names no host: it has the form ${FORM}.`);
  if (database === '') throw new StartError(`DATABASE_URL names no database: it has the form ${FORM}.`);
  const port = url.port === '' ? DEFAULT_PORT : Number(url.port);
  const place = host.startsWith('/') ? host : `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return {
    host,
    port,
    user: url.username === '' ? userInfo().username : decoded(url.username),
    password: decoded(url.password),
    database,
    tls: readTls(parameters),
    applicationName: parameters.get('application_name') ?? 'portcullis',
    description: `the PostgreSQL database ${printable(database)} at ${printable(place)}`,
  };
}

/** Whether what goes to the database can be read on the way to another machine. */
export function isInClear({ host, tls }: DatabaseAddress): boolean {
  return tls === undefined && !/^(\/|127\.|::1$|localhost$)/.test(host);
}

function readParameters(url: URL): ReadonlyMap<string, string> {
  for (const name of url.searchParams.keys()) {
    if (!PARAMETERS.includes(name)) {
      throw new StartError(`DATABASE_URL has the unknown parameter ${printable(name)}: known are ${PARAMETERS.join(', ')}.`);
    }
  }
  return new Map([...url.searchParams].filter(([, value]) => value !== ''));
}

function readTls(parameters: ReadonlyMap<string, string>): ConnectionOptions | undefined {
  const mode = parameters.get('sslmode') ?? 'disable';
  const ca = readPem(parameters, 'sslrootcert');
  const identity = { cert: readPem(parameters, 'sslcert'), key: readPem(parameters, 'sslkey') };
  const given = Object.fromEntries(Object.entries({ ...identity, ca }).filter(([, pem]) => pem !== undefined));
  switch (mode) {
    case 'disable':
      if (Object.keys(given).length > 0) throw new StartError('DATABASE_URL names certificates and no sslmode: add sslmode=verify-full.');
      return undefined;
    case 'require':
      // As libpq: with an authority at hand the certificate is looked at, but not the name in it.
      return ca === undefined ? { ...given, rejectUnauthorized: false } : { ...given, checkServerIdentity: () => undefined };
    case 'verify-ca':
      return { ...given, checkServerIdentity: () => undefined };
    case 'verify-full':
      return given;
    default:
      // `allow` and `prefer` encrypt only until somebody in between says that the server cannot.
      throw new StartError('DATABASE_URL has an unknown sslmode: use disable, require, verify-ca or verify-full.');
  }
}

function readPem(parameters: ReadonlyMap<string, string>, name: string): string | undefined {
  const file = parameters.get(name);
  // libpq's word for the authorities that the system trusts, which are the default here.
  if (file === undefined || (name === 'sslrootcert' && file === 'system')) return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new StartError(`The file ${file}, which ${name} in DATABASE_URL names, cannot be read: check the path and its permissions.`, {
      cause,
    });
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new StartError('DATABASE_URL holds a broken percent escape: write a percent sign as %25.');
  }
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}
