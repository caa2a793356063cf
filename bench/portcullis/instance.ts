import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { childrenOf } from '../peers/children-of.ts';
import { moveToCores } from '../session/cores.ts';
import type { Session } from '../session/session.ts';
import { knownFlag } from './known-flag.ts';

/** A start that takes longer than this and the time for its keys has failed. */
const START_LIMIT_MS = 60_000;
const START_LIMIT_MS_PER_KEY = 0.5;
/** What a worker says that could not take the quickest transport: no run may be that without anybody knowing. */
const SLOWER_SOCKETS = 'sockets are driven in a slower way';
const FREE_PORTS = ['admin', 'http', 'https', 'sync', 'status', 'metrics'].flatMap((name) => [`--${name}-port`, '0']);

export interface InstanceOptions {
  readonly session: Session;
  /** The checkout whose code runs. */
  readonly checkout: string;
  readonly dataFolder: string;
  readonly token: string;
  readonly flags: readonly string[];
  /** How many keys its store has. */
  readonly keyCount: number;
  /** Flags of Node.js for all its processes. */
  readonly nodeOptions: string | undefined;
  /** Of a PostgreSQL database; without it the store is the file in the data folder. */
  readonly databaseURL?: string | undefined;
}

/** `portcullis start` as a user runs it: the launcher, a supervisor, a control plane and a gateway, on free ports. */
export class Instance {
  readonly #session: Session;
  readonly #child: ChildProcess;
  readonly adminPort: number;
  readonly httpPort: number;
  readonly httpsPort: number;

  private constructor(
    session: Session,
    child: ChildProcess,
    ports: { readonly admin: number; readonly http: number; readonly https: number },
  ) {
    this.#session = session;
    this.#child = child;
    this.adminPort = ports.admin;
    this.httpPort = ports.http;
    this.httpsPort = ports.https;
  }

  /** Starts and waits until everything serves. */
  static async start(options: InstanceOptions): Promise<Instance> {
    const { session, dataFolder } = options;
    const root = process.getuid?.() === 0 ? ['--allow-root'] : [];
    const newer = [knownFlag(options.checkout, '--control-plane-metrics-port')].flatMap((flag) => (flag === undefined ? [] : [flag, '0']));
    const words = [
      commandOf(options.checkout),
      'start',
      '--data-dir',
      dataFolder,
      '--no-demo',
      ...FREE_PORTS,
      ...newer,
      ...root,
      ...options.flags,
    ];
    const child = session.spawn(process.execPath, words, {
      cores: undefined,
      cwd: dataFolder,
      env: environment(options),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await untilReady(child, options);
    if (readLog(dataFolder).includes(SLOWER_SOCKETS))
      console.log(`Portcullis says in its log: ${SLOWER_SOCKETS}. What follows is dearer for it.`);
    const { ports } = JSON.parse(readFileSync(path.join(dataFolder, 'instance.json'), 'utf8'));
    return new Instance(session, child, ports);
  }

  /** The process that carries requests. */
  get gateway(): number {
    const found = childrenOf(this.#supervisor).find(({ command }) => command.includes('gateway-process'));
    if (found === undefined) throw new Error('no gateway process runs');
    return found.pid;
  }

  /** Supervisor and control plane. */
  get others(): readonly number[] {
    const children = childrenOf(this.#supervisor).filter(({ command }) => !command.includes('gateway-process'));
    return [this.#supervisor, ...children.map(({ pid }) => pid)];
  }

  pin(gatewayCores: string | undefined, otherCores: string | undefined): void {
    moveToCores(this.gateway, gatewayCores);
    for (const pid of this.others) moveToCores(pid, otherCores);
  }

  stop(): Promise<void> {
    return this.#session.end(this.#child);
  }

  /** The launcher becomes the supervisor itself, because it runs on a Node.js that is new enough. */
  get #supervisor(): number {
    return this.#child.pid ?? -1;
  }
}

/** The launcher; in a checkout without packages of its own the command line behind it, since the launcher would install them. */
function commandOf(checkout: string): string {
  const launcher = path.join(checkout, 'bin', 'portcullis.js');
  const isComplete = existsSync(path.join(checkout, '.git'));
  return isComplete ? launcher : path.join(checkout, 'src', 'cli', 'main.ts');
}

function environment({ token, nodeOptions, databaseURL }: InstanceOptions): Record<string, string | undefined> {
  const kept = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(PORTCULLIS_|DATABASE_URL|NODE_OPTIONS$)/.test(name)));
  return {
    ...kept,
    PORTCULLIS_BOOTSTRAP_TOKEN: token,
    ...(nodeOptions === undefined ? {} : { NODE_OPTIONS: nodeOptions }),
    ...(databaseURL === undefined ? {} : { DATABASE_URL: databaseURL }),
  };
}

async function untilReady(child: ChildProcess, { dataFolder, keyCount }: InstanceOptions): Promise<void> {
  const limit = AbortSignal.timeout(Math.ceil(START_LIMIT_MS + keyCount * START_LIMIT_MS_PER_KEY));
  const exited = once(child, 'exit').then(([code]) => {
    throw new Error(`it ended with code ${code}`);
  });
  exited.catch(() => {});
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  try {
    while (!text.includes('is ready')) await Promise.race([once(child.stdout ?? child, 'data', { signal: limit }), exited]);
  } catch (cause) {
    throw new Error(`Portcullis did not become ready. The last event in its log: ${lastEvent(dataFolder) || 'none'}`, { cause });
  }
}

function lastEvent(dataFolder: string): string {
  return readLog(dataFolder).trimEnd().split('\n').at(-1) ?? '';
}

/** Empty where nothing has been written yet. */
function readLog(dataFolder: string): string {
  try {
    return readFileSync(path.join(dataFolder, 'logs', 'portcullis.log'), 'utf8');
  } catch {
    return '';
  }
}
