import type { CancelTask, Clock } from '../lib/clock.ts';
import type { RunningChild } from './child-process.ts';

/** What a spare process is kept with. */
export interface SpareProcessOptions {
  /** Starts one that loads its program and waits. */
  readonly launch: () => RunningChild;
  /** How long it has been quiet before one is started: a start, and what follows a crash, have the machine for themselves. */
  readonly afterMs: number;
  readonly clock: Clock;
}

/** At most one process of a role that has loaded its program and waits to be started, so that whoever ends has a successor at once. */
export class SpareProcess {
  readonly #options: SpareProcessOptions;
  #child: RunningChild | undefined;
  #cancel: CancelTask = () => undefined;
  #hasEnded = false;

  constructor(options: SpareProcessOptions) {
    this.#options = options;
  }

  /** For tests and log lines. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Has one started after a while, when there is none. One that dies is replaced as late. */
  prepare(): void {
    this.#cancel();
    if (this.#hasEnded || this.#child !== undefined) return;
    this.#cancel = this.#options.clock.schedule(this.#options.afterMs, () => this.#launch());
  }

  /** The one that waits, which is nobody's spare any more; undefined when there is none. */
  take(): RunningChild | undefined {
    this.#cancel();
    const child = this.#child;
    this.#child = undefined;
    return child;
  }

  /** There is none from now on. */
  end(): void {
    this.#hasEnded = true;
    this.take()?.kill();
  }

  #launch(): void {
    const child = this.#options.launch();
    this.#child = child;
    void child.exited.then(() => {
      if (this.#child !== child) return;
      this.#child = undefined;
      this.prepare();
    });
  }
}
