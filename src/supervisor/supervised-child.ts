import { StartError } from '../errors/index.ts';
import { backoffDelayMs } from '../lib/backoff.ts';
import type { CancelTask, Clock } from '../lib/clock.ts';
import type { JsonValue } from '../lib/json.ts';
import type { Logger } from '../observability/index.ts';
import { type ChildCommand, type ChildExit, RunningChild } from './child-process.ts';
import type { ChildMessage, ProcessEnd } from './messages.ts';
import { SpareProcess } from './spare-process.ts';

/** A role that is to run all the time. */
export interface SupervisedChildOptions {
  /** For log lines: `control-plane`, `gateway`, … */
  readonly name: string;
  readonly command: ChildCommand;
  /** Asked anew for each process. */
  readonly settings: () => JsonValue;
  readonly clock: Clock;
  readonly log: Logger;
  /** How long the requests that run in a process which is replaced may take. */
  readonly replacedTimeoutMs: number;
  /** How long a process has served when another one is loaded that waits for its end; absent: none is, and whoever follows loads first. */
  readonly spareAfterMs?: number | undefined;
  /** The process in service says something. */
  readonly onEvent: (name: string, body: JsonValue) => void;
}

const RESTART_STEPS = { firstDelayMs: 200, highestDelayMs: 10_000 };
/** What a process that is replaced gets to let go of its files. */
const HAND_OVER_MS = 3000;
/**
 * How long a process that is replaced accepts beside its successor, and tells every client it answers to connect anew: within this
 * time the clients that are at work leave by themselves, so that few connections are idle when the rest is closed.
 */
const SIDE_BY_SIDE_MS = 1000;
/** What a process that is replaced gets beyond the times of its drain; one that still runs then hangs, and does not follow what changes. */
const HUNG_AFTER_MS = 10_000;
/** A process that ran this long starts a new count of failures. */
const STABLE_AFTER_MS = 10_000;

/**
 * Keeps one process of a role running: restarts what dies (at once, then with growing delays), puts a fresh process beside one
 * that asks to be replaced and drains the old one when the new one serves, and stops for good on request.
 */
export class SupervisedChild {
  readonly #options: SupervisedChildOptions;
  #current: RunningChild | undefined;
  readonly #retiring = new Set<RunningChild>();
  readonly #spare: SpareProcess | undefined;
  #stopping = false;
  #failures = 0;
  #kills = 0;
  #end: ProcessEnd = { kind: 'none' };
  #cancelRestart: CancelTask | undefined;
  #firstReady: { resolve(body: JsonValue): void; reject(error: Error): void } | undefined;

  constructor(options: SupervisedChildOptions) {
    this.#options = options;
    const { spareAfterMs: afterMs, clock } = options;
    this.#spare = afterMs === undefined ? undefined : new SpareProcess({ launch: () => this.#spawn(true), afterMs, clock });
  }

  /** The process in service, for tests and log lines. */
  get pid(): number | undefined {
    return this.#current?.pid;
  }

  /** The process that waits for its end, where there is one. */
  get sparePid(): number | undefined {
    return this.#spare?.pid;
  }

  /**
   * Starts the first process and resolves with what it tells when it serves.
   *
   * @throws StartError when the role says that a person must change something first.
   */
  start(): Promise<JsonValue> {
    return new Promise((resolve, reject) => {
      this.#firstReady = { resolve, reject };
      this.#launch();
    });
  }

  /** A question to the process in service. */
  request(name: string, body: JsonValue): Promise<JsonValue> {
    if (this.#current === undefined) return Promise.reject(new Error(`the ${this.#options.name} process is not running`));
    return this.#current.request(name, body);
  }

  /** Puts a fresh process beside the one in service, which is drained once the fresh one serves. */
  replace(): void {
    if (this.#current === undefined || this.#stopping || this.#retiring.has(this.#current)) return;
    this.#options.log.info('a process is replaced', { process: this.#options.name, pid: this.#current.pid });
    const old = this.#current;
    this.#retiring.add(old);
    this.#end = { kind: 'replaced' };
    void this.#handOver(old).then(() => {
      if (!this.#stopping && this.#current === old) this.#launch();
    });
  }

  /** The old process lets go of what only one process may use, and serves on. One that does not answer is replaced all the same. */
  async #handOver(old: RunningChild): Promise<void> {
    const patience = Promise.withResolvers<void>();
    const cancel = this.#options.clock.schedule(HAND_OVER_MS, patience.resolve);
    await Promise.race([old.request('hand-over', null).catch(() => {}), patience.promise, old.exited]);
    cancel();
  }

  /** Drains all processes of the role and resolves when they have gone; what is left after both times and a second is killed. */
  async stop(drain: { readonly delayMs: number; readonly timeoutMs: number }): Promise<void> {
    this.#stopping = true;
    this.#cancelRestart?.();
    // It holds copies of the sockets that are closed now.
    this.#spare?.end();
    const running = this.#running();
    for (const child of running) child.drain(drain);
    const cancel = this.#options.clock.schedule(drain.delayMs + drain.timeoutMs + 1000, () => this.kill());
    await Promise.all(running.map((child) => child.exited));
    cancel();
  }

  /** Ends all processes of the role at once. */
  kill(): void {
    this.#stopping = true;
    this.#cancelRestart?.();
    this.#spare?.end();
    for (const child of this.#running()) child.kill();
  }

  #running(): RunningChild[] {
    return [...new Set(this.#current === undefined ? this.#retiring : [...this.#retiring, this.#current])];
  }

  #launch(): void {
    const startedAtMs = this.#options.clock.monotonicMs();
    const child = this.#spare?.take() ?? this.#spawn(false);
    this.#current = child;
    child.start(this.#options.settings(), this.#end, this.#retiring.size === 0);
    void child.exited.then((exit) => this.#exited(child, exit, startedAtMs));
  }

  #spawn(isSpare: boolean): RunningChild {
    const child: RunningChild = new RunningChild(this.#options.command, (message) => this.#receive(child, message), isSpare);
    return child;
  }

  #receive(child: RunningChild, message: ChildMessage): void {
    switch (message.kind) {
      case 'ready':
        this.#firstReady?.resolve(message.body);
        this.#firstReady = undefined;
        this.#spare?.prepare();
        for (const old of this.#retiring) if (old !== child) this.#retire(old);
        return;
      case 'ask-former':
        void this.#askFormer(child, message);
        return;
      case 'event':
        if (child === this.#current) this.#options.onEvent(message.name, message.body);
        return;
      case 'start-failed':
        this.#options.log.error('a process cannot start', { process: this.#options.name, reason: message.sentence });
        this.#failFirstStart(message.sentence);
        return;
      case 'replace-me':
        if (child === this.#current) this.replace();
        return;
      case 'response':
      case 'response-failed':
        return;
    }
  }

  #retire(old: RunningChild): void {
    const { clock, replacedTimeoutMs: timeoutMs } = this.#options;
    old.drain({ delayMs: SIDE_BY_SIDE_MS, timeoutMs });
    const cancel = clock.schedule(SIDE_BY_SIDE_MS + timeoutMs + HUNG_AFTER_MS, () => old.kill());
    void old.exited.then(cancel);
  }

  /** Whoever cannot do what is asked of it is waited for until it has ended. */
  async #askFormer(child: RunningChild, { id, name, body }: Extract<ChildMessage, { kind: 'ask-former' }>): Promise<void> {
    const former = [...this.#retiring].filter((old) => old !== child);
    await Promise.all(former.map((old) => old.request(name, body).catch(() => old.exited)));
    child.noteFormerAnswered(id);
  }

  #exited(child: RunningChild, exit: ChildExit, startedAtMs: number): void {
    this.#retiring.delete(child);
    // Each asks those that it has followed, and the first has nobody left to ask.
    const [first] = this.#retiring;
    (first ?? this.#current)?.noteAlone();
    if (child !== this.#current) return;
    this.#current = undefined;
    const ranMs = this.#options.clock.monotonicMs() - startedAtMs;
    this.#end = this.#judge(exit, ranMs);
    if (this.#firstReady !== undefined)
      this.#failFirstStart(`The ${this.#options.name} process ended before it served (${describe(exit)}); see the log.`);
    if (this.#stopping) return;
    this.#failures = ranMs >= STABLE_AFTER_MS ? 1 : this.#failures + 1;
    const delayMs = backoffDelayMs(this.#failures, RESTART_STEPS);
    this.#options.log.warn('a process ended and is restarted', { process: this.#options.name, end: describe(exit), delayMs });
    if (delayMs === 0) this.#launch();
    else this.#cancelRestart = this.#options.clock.schedule(delayMs, () => this.#launch());
  }

  #failFirstStart(sentence: string): void {
    if (this.#firstReady === undefined) return;
    this.#stopping = true;
    this.#firstReady.reject(new StartError(sentence));
    this.#firstReady = undefined;
  }

  #judge(exit: ChildExit, ranMs: number): ProcessEnd {
    if (exit.signal === 'SIGKILL') {
      this.#kills = ranMs >= STABLE_AFTER_MS ? 1 : this.#kills + 1;
      return { kind: this.#kills > 1 ? 'crashed' : 'killed' };
    }
    this.#kills = 0;
    return { kind: exit.code === 0 ? 'clean' : 'crashed' };
  }
}

function describe(exit: ChildExit): string {
  return exit.signal === null ? `exit code ${exit.code}` : `signal ${exit.signal}`;
}
