import type { CancelTask, Clock } from '../lib/clock.ts';
import type { ConnectedInstance } from './connected-instance.ts';

/** Waits until every awaited instance has answered a revision, is gone, or time is up. */
export class AppliedWait {
  readonly #revision: number;
  readonly #pending: Set<ConnectedInstance>;
  readonly #cancelTimeout: CancelTask;
  readonly #onEnd: (wait: AppliedWait) => void;

  constructor(options: {
    readonly revision: number;
    readonly awaited: Iterable<ConnectedInstance>;
    readonly timeoutMs: number;
    readonly clock: Clock;
    readonly onEnd: (wait: AppliedWait) => void;
  }) {
    this.#revision = options.revision;
    this.#pending = new Set(options.awaited);
    this.#onEnd = options.onEnd;
    this.#cancelTimeout = options.clock.schedule(options.timeoutMs, () => {
      for (const instance of this.#pending) instance.noteWaitMissed();
      this.end();
    });
  }

  /** An instance has answered or is gone. */
  review(instance: ConnectedInstance): void {
    if (!this.#pending.has(instance)) return;
    if (!instance.connection.isClosed && !instance.hasAnswered(this.#revision)) return;
    this.#pending.delete(instance);
    if (this.#pending.size === 0) this.end();
  }

  end(): void {
    this.#cancelTimeout();
    this.#onEnd(this);
  }
}
