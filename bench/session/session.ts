import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { withCores } from './cores.ts';

/** A process that does not end by itself in this time gets SIGKILL, with all it started. */
const END_LIMIT_MS = 20_000;

export interface OwnedProcessOptions extends Pick<SpawnOptions, 'cwd' | 'env' | 'stdio'> {
  /** Cores it may use, as `taskset` names them; undefined: any. */
  readonly cores: string | undefined;
}

/**
 * All that a run starts and writes: processes, and one temporary folder. `close` ends and removes all of it; so do Ctrl-C, SIGTERM and
 * any other end of this process but SIGKILL. Nothing that the session did not start is ever signalled.
 */
export class Session {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'portcullis-bench-'));
  readonly #processes = new Set<ChildProcess>();
  readonly #strayFiles: string[] = [];
  #closing: Promise<void> | undefined;

  constructor() {
    process.on('exit', () => this.#endNow());
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.on(signal, () => void this.close().then(() => process.exit(130)));
  }

  /** A fresh folder inside the session's. */
  makeFolder(name: string): string {
    const folder = path.join(this.folder, name);
    mkdirSync(folder, { recursive: true });
    return folder;
  }

  /** Has a file outside of the session's folder removed at the end. */
  removeAtEnd(file: string): void {
    this.#strayFiles.push(file);
  }

  /** Starts a process in a group of its own, so that a Ctrl-C in the terminal reaches the session alone, which then ends it in order. */
  spawn(command: string, words: readonly string[], options: OwnedProcessOptions): ChildProcess {
    if (this.#closing !== undefined) throw new Error('the run is ending');
    const { cores, ...rest } = options;
    const [file, ...all] = withCores(cores, [command, ...words]);
    const child = spawn(file, all, { stdio: ['ignore', 'ignore', 'inherit'], ...rest, detached: true });
    child.on('error', () => this.#processes.delete(child));
    child.on('exit', () => this.#processes.delete(child));
    this.#processes.add(child);
    return child;
  }

  /** Asks a process of the session to end, and makes it after a while. */
  async end(child: ChildProcess): Promise<void> {
    if (!this.#processes.has(child) || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    const timer = setTimeout(() => killGroup(child), END_LIMIT_MS);
    await gone;
    clearTimeout(timer);
  }

  close(): Promise<void> {
    this.#closing ??= Promise.all([...this.#processes].map((child) => this.end(child))).then(() => this.#endNow());
    return this.#closing;
  }

  #endNow(): void {
    for (const child of this.#processes) killGroup(child);
    this.#processes.clear();
    for (const file of this.#strayFiles) rmSync(file, { force: true });
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended in between.
  }
}
