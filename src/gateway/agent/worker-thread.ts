import type { Worker } from 'node:worker_threads';
import type { AgentMessage, TestFailure, WorkerMessage, WorkerSocket, WorkerStart, WorkerStreamSocket } from '../worker/worker-messages.ts';

/** How an attempt to listen ended. */
export type ListenOutcome =
  | { readonly kind: 'listening'; readonly ports: readonly number[]; readonly streamPorts: readonly number[] }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }
  | { readonly kind: 'ended' };

/** How the preparation of a change ended on one worker. */
export type PrepareOutcome =
  | { readonly kind: 'prepared' }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'ended' };

/** What a thread tells whoever started it. */
export interface WorkerThreadEvents {
  readonly onLog: (thread: WorkerThread, message: Extract<WorkerMessage, { kind: 'log' }>) => void;
  /** It accepts nothing for now, or could accept again. */
  readonly onAccepting: (thread: WorkerThread, state: 'paused' | 'may-resume') => void;
  /** It listens where clients speak TLS. */
  readonly onListeningEncrypted: (ports: readonly number[]) => void;
  /** It has seen something of the health of nodes. */
  readonly onHealthReported: (thread: WorkerThread) => void;
  /** The thread is gone, its descriptors are closed. Called once; `error` is what it threw, if it did. */
  readonly onEnded: (thread: WorkerThread, error: Error | undefined) => void;
}

/**
 * One worker thread as the agent deals with it. Every question is answered: with `ended` when the thread dies first, which it
 * also does when it blocks, because the agent ends threads whose heartbeat is silent.
 */
export class WorkerThread {
  readonly row: number;
  /** Why the agent ended it, when it did. */
  endReason: string | undefined;
  readonly #worker: Worker;
  readonly #events: WorkerThreadEvents;
  readonly #waiting = new Map<string, (message: WorkerMessage | undefined) => void>();
  #error: Error | undefined;
  #termination: Promise<number> | undefined;
  #ended = false;

  /** `worker` has been told nothing yet. */
  constructor(worker: Worker, start: WorkerStart, events: WorkerThreadEvents) {
    this.row = start.row;
    this.#events = events;
    this.#worker = worker;
    this.post({ kind: 'start', start });
    this.#worker.on('message', (message: WorkerMessage) => this.#receive(message));
    this.#worker.on('error', (error) => {
      this.#error = error instanceof Error ? error : new Error(String(error));
    });
    this.#worker.on('exit', () => this.#end());
  }

  get ended(): boolean {
    return this.#ended;
  }

  post(message: AgentMessage): void {
    this.#worker.postMessage(message);
  }

  async prepare(change: number): Promise<PrepareOutcome> {
    const message = await this.#ask({ kind: 'prepare', change }, `prepared ${change}`);
    if (message?.kind !== 'prepared') return { kind: 'ended' };
    return message.failure === undefined ? { kind: 'prepared' } : { kind: 'refused', message: message.failure };
  }

  /** Resolves when the change is in force on the thread, or the thread is gone. */
  async commit(change: number): Promise<void> {
    await this.#ask({ kind: 'commit', change }, `committed ${change}`);
  }

  async listen(sockets: readonly WorkerSocket[], streams: readonly WorkerStreamSocket[]): Promise<ListenOutcome> {
    const message = await this.#ask({ kind: 'listen', sockets, streams }, 'listening');
    if (message?.kind === 'listening') return message;
    if (message?.kind === 'listen-failed') return { kind: 'failed', code: message.code, message: message.message };
    return { kind: 'ended' };
  }

  /** Resolves when no connection is left, or the thread is gone. */
  async drain(timeoutMs: number): Promise<void> {
    await this.#ask({ kind: 'drain', timeoutMs }, 'drained');
  }

  fail(failure: TestFailure): void {
    this.post({ kind: 'fail', failure });
  }

  /** Ends the thread, busy or not. Resolves when it is gone. */
  async terminate(reason: string): Promise<void> {
    this.endReason ??= reason;
    this.#termination ??= this.#worker.terminate();
    await this.#termination;
  }

  #ask(message: AgentMessage, answer: string): Promise<WorkerMessage | undefined> {
    if (this.#ended) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#waiting.set(answer, resolve);
      this.post(message);
    });
  }

  #receive(message: WorkerMessage): void {
    switch (message.kind) {
      case 'log':
        this.#events.onLog(this, message);
        return;
      case 'prepared':
      case 'committed':
        this.#answer(`${message.kind} ${message.change}`, message);
        return;
      case 'listening':
      case 'listen-failed':
        this.#answer('listening', message);
        return;
      case 'listening-encrypted':
        this.#events.onListeningEncrypted(message.ports);
        return;
      case 'paused':
      case 'may-resume':
        this.#events.onAccepting(this, message.kind);
        return;
      case 'health-reported':
        this.#events.onHealthReported(this);
        return;
      case 'drained':
        this.#answer('drained', message);
    }
  }

  #answer(name: string, message: WorkerMessage): void {
    const resolve = this.#waiting.get(name);
    this.#waiting.delete(name);
    resolve?.(message);
  }

  #end(): void {
    this.#ended = true;
    for (const resolve of this.#waiting.values()) resolve(undefined);
    this.#waiting.clear();
    this.#events.onEnded(this, this.#error);
  }
}
