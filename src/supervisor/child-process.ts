import { type ChildProcess, spawn } from 'node:child_process';
import type { JsonValue } from '../lib/json.ts';
import type { ChildMessage, ProcessEnd, SupervisorMessage } from './messages.ts';
import type { RunAs } from './run-as.ts';

/** What a child is started from. */
export interface ChildCommand {
  /** The program file; it runs in the supervisor's own Node. */
  readonly file: string;
  /** Options for Node itself. */
  readonly nodeOptions?: readonly string[];
  /** Inherited as descriptors 4, 5, … in this order; the same one may stand there several times. */
  readonly descriptors: readonly number[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly runAs: RunAs | undefined;
}

/** How a process ended. */
export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The first descriptor after standard streams and channel. */
export const FIRST_INHERITED_DESCRIPTOR = 4;

/** Beside the program's file: it loads and waits until it is told to start. */
export const SPARE_ARGUMENT = 'spare';

/** One running process of a role, with its channel. */
export class RunningChild {
  readonly exited: Promise<ChildExit>;
  readonly #process: ChildProcess;
  readonly #responses = new Map<number, { resolve(body: JsonValue): void; reject(error: Error): void }>();
  #nextRequestId = 1;

  constructor(command: ChildCommand, onMessage: (message: ChildMessage) => void, isSpare = false) {
    this.#process = spawn(process.execPath, [...(command.nodeOptions ?? []), command.file, ...(isSpare ? [SPARE_ARGUMENT] : [])], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...command.descriptors],
      env: { ...command.environment },
      ...(command.runAs === undefined ? {} : { uid: command.runAs.uid, gid: command.runAs.gid }),
    });
    this.exited = new Promise((resolve) => {
      this.#process.once('exit', (code, signal) => resolve({ code, signal }));
      this.#process.once('error', () => {
        if (this.#process.pid === undefined) resolve({ code: 1, signal: null });
      });
    });
    void this.exited.then(() => this.#failResponses());
    this.#process.on('message', (message) => this.#receive(message as ChildMessage, onMessage));
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  start(settings: JsonValue, previousEnd: ProcessEnd, isAlone: boolean): void {
    this.#send({ kind: 'start', settings, previousEnd, isAlone });
  }

  /** Tells the child that every process of its role that it has followed has ended. */
  noteAlone(): void {
    this.#send({ kind: 'alone' });
  }

  /** Tells the child that its question `id` to the others needs no more waiting. */
  noteFormerAnswered(id: number): void {
    this.#send({ kind: 'former-answered', id });
  }

  /** Asks the child to finish its work and exit. */
  drain(options: { readonly delayMs: number; readonly timeoutMs: number }): void {
    this.#send({ kind: 'drain', ...options });
  }

  /** A question to the role; rejects when it fails or the process ends first. */
  request(name: string, body: JsonValue): Promise<JsonValue> {
    const id = this.#nextRequestId++;
    return new Promise((resolve, reject) => {
      this.#responses.set(id, { resolve, reject });
      this.#send({ kind: 'request', id, name, body });
    });
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }

  #send(message: SupervisorMessage): void {
    // A child that is going away closes its channel before it exits; its exit is what counts then.
    if (this.#process.connected) this.#process.send(message, () => {});
  }

  #receive(message: ChildMessage, onMessage: (message: ChildMessage) => void): void {
    if (message.kind !== 'response' && message.kind !== 'response-failed') {
      onMessage(message);
      return;
    }
    const waiting = this.#responses.get(message.id);
    this.#responses.delete(message.id);
    if (message.kind === 'response') waiting?.resolve(message.body);
    else waiting?.reject(new Error(message.problem));
  }

  #failResponses(): void {
    for (const { reject } of this.#responses.values()) reject(new Error('the process ended before it answered'));
    this.#responses.clear();
  }
}
