import path from 'node:path';
import { StartError } from '../errors/index.ts';
import type { JsonValue } from '../lib/json.ts';
import { SPARE_ARGUMENT } from './child-process.ts';
import { AskedFormers, type FormerChildren } from './former-children.ts';
import type { ChildMessage, ProcessEnd, SupervisorMessage } from './messages.ts';

/** What a role does when its supervisor speaks. */
export interface ChildRole {
  /** In a process that waits for the one in service to end: what can be done before there are settings. */
  prepare?(): void;
  /** Starts serving. The result goes with `ready`. */
  start(settings: JsonValue, previousEnd: ProcessEnd, channel: ChildChannel): Promise<JsonValue>;
  /** Finishes its work; the process exits when this resolves. */
  drain(options: DrainOptions): Promise<void>;
  answer?(name: string, body: JsonValue): Promise<JsonValue>;
  /** The last word before an unexpected end. */
  onFatal?(error: unknown): void;
}

/** How long new work is still accepted, and how long running work may take after that. */
export interface DrainOptions {
  readonly delayMs: number;
  readonly timeoutMs: number;
}

/** What the parts of the channel share. */
interface ChildLife {
  isDraining: boolean;
  readonly former: AskedFormers;
}

/** The child's end of the channel. */
export interface ChildChannel {
  /** Undefined: this process serves alone from its start. */
  readonly former: FormerChildren | undefined;
  event(name: string, body: JsonValue): void;
  replaceMe(): void;
  /** Ends the process at once, with its last word and without a drain: what runs must not go on. The supervisor starts another one. */
  fail(error: unknown): void;
}

/** How long work may go on when the supervisor has gone. */
const ORPHAN_DRAIN_MS = 5000;

/**
 * Runs a role in this process under its supervisor: signals of the terminal are the supervisor's business, a closed channel means
 * that it is gone (drain for at most five seconds, then exit), an unexpected error ends the process with code 70.
 */
export function runUnderSupervisor(role: ChildRole): void {
  if (process.send === undefined) {
    process.stderr.write('This program is started by portcullis and not by hand.\n');
    process.exit(1);
  }
  for (const signal of ['SIGINT', 'SIGHUP', 'SIGQUIT'] as const) process.on(signal, () => {});
  const life: ChildLife = { isDraining: false, former: new AskedFormers(send) };
  const drain = (options: DrainOptions): void => {
    if (life.isDraining) return;
    life.isDraining = true;
    role.drain(options).then(
      () => process.exit(0),
      (error: unknown) => fail(role, error),
    );
  };
  process.on('SIGTERM', () => drain({ delayMs: 0, timeoutMs: ORPHAN_DRAIN_MS }));
  process.on('disconnect', () => {
    setTimeout(() => process.exit(0), ORPHAN_DRAIN_MS).unref();
    drain({ delayMs: 0, timeoutMs: ORPHAN_DRAIN_MS });
  });
  process.on('uncaughtException', (error) => fail(role, error));
  if (process.argv.includes(SPARE_ARGUMENT, 2)) role.prepare?.();
  process.on('message', (message) => void receive(role, message as SupervisorMessage, life, drain));
}

async function receive(
  role: ChildRole,
  message: SupervisorMessage,
  life: ChildLife,
  drain: (options: DrainOptions) => void,
): Promise<void> {
  switch (message.kind) {
    case 'start':
      return start(role, life, message);
    case 'drain':
      return drain(message);
    case 'alone':
      return life.former.noteGone();
    case 'former-answered':
      return life.former.noteAnswered(message.id);
    case 'request':
      try {
        send({ kind: 'response', id: message.id, body: (await role.answer?.(message.name, message.body)) ?? null });
      } catch (error) {
        send({ kind: 'response-failed', id: message.id, problem: error instanceof Error ? error.message : String(error) });
      }
  }
}

async function start(role: ChildRole, life: ChildLife, message: Extract<SupervisorMessage, { kind: 'start' }>): Promise<void> {
  // For those who look at the list of processes: it is no spare any more.
  if (process.argv.includes(SPARE_ARGUMENT, 2)) process.title = `portcullis ${path.basename(process.argv[1] ?? '')}`;
  const channel: ChildChannel = {
    former: message.isAlone ? undefined : life.former,
    event: (name, body) => send({ kind: 'event', name, body }),
    replaceMe: () => send({ kind: 'replace-me' }),
    fail: (error) => fail(role, error),
  };
  try {
    send({ kind: 'ready', body: await role.start(message.settings, message.previousEnd, channel) });
  } catch (error) {
    // A start that a stop has overtaken need not come to a good end.
    if (life.isDraining) return;
    if (!(error instanceof StartError)) return fail(role, error);
    process.send?.({ kind: 'start-failed', sentence: error.message } satisfies ChildMessage, () => process.exit(1));
  }
}

function send(message: ChildMessage): void {
  if (process.connected) process.send?.(message, () => {});
}

function fail(role: ChildRole, error: unknown): never {
  try {
    role.onFatal?.(error);
  } finally {
    process.exit(70);
  }
}
