import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { cleanEnvironment } from './clean-environment.ts';
import { childrenOf, isAlive } from './process-table.ts';

import { LAUNCHER } from './run-portcullis.ts';

export { isAlive } from './process-table.ts';

/** Long enough for a busy machine; a start that takes longer is a fault. */
const START_LIMIT_MS = 60_000;

/** The ports of a running instance, as its `instance.json` names them. */
export interface InstancePorts {
  readonly admin: number;
  readonly http: number;
  readonly https: number;
  readonly sync: number;
  readonly status: number;
  readonly metrics: number;
  readonly controlPlaneMetrics?: number;
  readonly demo: number;
  /** In the order of `--stream-tcp-listen`, then of `--stream-udp-listen`. */
  readonly streams?: readonly number[];
}

export interface StartOptions {
  readonly dataFolder: string;
  readonly verb?: string;
  readonly flags?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** False leaves `--allow-root` out. */
  readonly asRoot?: boolean;
}

/** An answer of the Admin API. */
export interface AdminAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: unknown;
}

/** A token for a test run, made here so that none is written down. */
function randomToken(): string {
  return `a7ee-${randomBytes(24).toString('hex')}`;
}

const CONTROL_PLANE_PORTS = ['admin', 'sync', 'control-plane-metrics'];
const GATEWAY_PORTS = ['http', 'https', 'status', 'metrics'];

/** Every port any free one, and as few workers as show what several do. */
function flagsOf(verb: string): readonly string[] {
  const free = (names: readonly string[]): readonly string[] => names.flatMap((name) => [`--${name}-port`, '0']);
  if (verb === 'control-plane') return free(CONTROL_PLANE_PORTS);
  const workers = ['--workers', '2'];
  if (verb === 'gateway') return [...free(GATEWAY_PORTS), ...workers];
  return [...free([...CONTROL_PLANE_PORTS, ...GATEWAY_PORTS, 'demo']), ...workers];
}

/** The real processes, started by the real launcher on free ports. */
export class RunningInstance {
  readonly dataFolder: string;
  readonly process: ChildProcess;
  readonly token: string;
  stdout = '';
  stderr = '';
  ports: InstancePorts = { admin: 0, http: 0, https: 0, sync: 0, status: 0, metrics: 0, demo: 0 };
  readonly #agent = new https.Agent({ keepAlive: true, rejectUnauthorized: false });

  private constructor(options: StartOptions, token: string) {
    this.dataFolder = options.dataFolder;
    this.token = token;
    const verb = options.verb ?? 'start';
    const root = process.getuid?.() === 0 && options.asRoot !== false ? ['--allow-root'] : [];
    const words = [LAUNCHER, verb, '--data-dir', options.dataFolder, ...flagsOf(verb), ...root, ...(options.flags ?? [])];
    this.process = spawn(process.execPath, words, {
      cwd: options.dataFolder,
      env: { ...cleanEnvironment(), PORTCULLIS_BOOTSTRAP_TOKEN: token, ...options.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const endWithTest = (): void => void this.process.kill('SIGKILL');
    process.once('exit', endWithTest);
    this.process.once('exit', () => process.removeListener('exit', endWithTest));
    this.process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    this.process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
  }

  /** Starts and waits until the banner says that everything serves. */
  static async start(options: StartOptions, token = randomToken()): Promise<RunningInstance> {
    const instance = RunningInstance.launch(options, token);
    try {
      await instance.untilReady();
    } catch (error) {
      await instance.killEverything();
      throw error;
    }
    return instance;
  }

  /** Starts, and waits for nothing: there are no ports yet. */
  static launch(options: StartOptions, token = randomToken()): RunningInstance {
    return new RunningInstance(options, token);
  }

  /** Resolves when the banner says that everything serves. @throws Error when it ends before, or takes too long */
  async untilReady(): Promise<void> {
    await this.#untilPrinted('is ready');
    const record = JSON.parse(readFileSync(path.join(this.dataFolder, 'instance.json'), 'utf8'));
    this.ports = record.ports;
  }

  /** Starts something that is expected to fail, and waits for its end. */
  static async startAndFail(
    options: StartOptions,
  ): Promise<{ readonly code: number | null; readonly stderr: string; readonly stdout: string }> {
    const instance = new RunningInstance(options, randomToken());
    const [code] = await once(instance.process, 'exit', { signal: AbortSignal.timeout(START_LIMIT_MS) });
    return { code, stderr: instance.stderr, stdout: instance.stdout };
  }

  /** Ctrl-C, as an init system sends it. Resolves with the exit code. */
  async stop(): Promise<number | null> {
    this.#agent.destroy();
    if (this.process.exitCode !== null || this.process.signalCode !== null) return this.process.exitCode;
    this.process.kill('SIGTERM');
    const [code] = await once(this.process, 'exit', { signal: AbortSignal.timeout(START_LIMIT_MS) });
    return code;
  }

  /** Kills the supervisor and all its children with SIGKILL, as a power cut would. */
  async killEverything(): Promise<void> {
    this.#agent.destroy();
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const gone = once(this.process, 'exit');
    // Held still, so that it starts no child that would be missed.
    this.process.kill('SIGSTOP');
    const children = this.childProcesses().map(({ pid }) => pid);
    this.process.kill('SIGKILL');
    for (const pid of children) killIfThere(pid);
    await gone;
    await Promise.all(children.map(untilGone));
  }

  /** The supervisor's children with the role each one runs. */
  childProcesses(): { readonly pid: number; readonly role: string }[] {
    return rolesOf(this.process.pid ?? -1);
  }

  /** The child of one role. */
  child(role: 'control-plane' | 'gateway' | 'demo-upstream'): number {
    const found = this.childProcesses().find((child) => child.role === role);
    if (found === undefined) throw new Error(`no ${role} process runs`);
    return found.pid;
  }

  /** A request to the Admin API with this instance's token. */
  async admin(method: string, resource: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<AdminAnswer> {
    const namesGroup = !resource.startsWith('/apisix/admin') || resource.includes('gateway_group_id=');
    const target = namesGroup ? resource : `${resource}${resource.includes('?') ? '&' : '?'}gateway_group_id=default`;
    return new Promise((resolve, reject) => {
      const request = https.request(
        {
          host: '127.0.0.1',
          port: this.ports.admin,
          path: target,
          method,
          agent: this.#agent,
          headers: { 'X-API-KEY': this.token, 'Content-Type': 'application/json', ...headers },
        },
        (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (part: string) => {
            text += part;
          });
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) }),
          );
        },
      );
      request.on('error', reject);
      request.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  async #untilPrinted(text: string): Promise<void> {
    const limit = AbortSignal.timeout(START_LIMIT_MS);
    const exited = once(this.process, 'exit', { signal: limit }).then(([code]) => {
      throw new Error(`the instance ended with code ${code} before it was ready: ${this.stderr}`);
    });
    exited.catch(() => {});
    while (!this.stdout.includes(text)) {
      await Promise.race([once(this.process.stdout ?? this.process, 'data', { signal: limit }), exited]);
    }
  }
}

/** The instance of a test: stopped, by force if need be, when the test ends. */
export async function runningInstance(
  test: { after(task: () => Promise<unknown>): void },
  options: StartOptions,
  token?: string,
): Promise<RunningInstance> {
  const instance = await RunningInstance.start(options, token);
  test.after(async () => {
    if (instance.process.exitCode === null && instance.process.signalCode === null) await instance.killEverything();
  });
  return instance;
}

/** SIGKILL to a process that may have ended by itself in between. */
export function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has.
  }
}

/** Resolves when a process is gone. */
export async function untilGone(pid: number): Promise<void> {
  await until(() => !isAlive(pid), `process ${pid} is gone`);
}

/** Asks again each few milliseconds until the condition holds; the limit is for a machine on which much else runs. */
export async function until(condition: () => boolean | Promise<boolean>, what: string, limitMs = 45_000): Promise<void> {
  const endMs = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`not within ${limitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function rolesOf(parent: number): { pid: number; role: string }[] {
  return childrenOf(parent).flatMap((pid) => {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      const role = /(control-plane|gateway|demo-upstream)-process/.exec(command)?.[1] ?? '';
      return [{ pid, role: command.split('\0').includes('spare') ? `spare ${role}` : role }];
    } catch {
      return [];
    }
  });
}
