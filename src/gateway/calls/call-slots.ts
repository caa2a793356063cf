import { CallError } from './call-error.ts';

/** How many calls there may be. */
export interface CallLimits {
  readonly maxAtOnce: number;
  /** Of these, to one origin, so that one that hangs leaves the others their share. */
  readonly maxAtOncePerOrigin: number;
  readonly maxWaiting: number;
  readonly maxWaitingPerOrigin: number;
}

/** Of each worker. */
export const DEFAULT_CALL_LIMITS: CallLimits = { maxAtOnce: 64, maxAtOncePerOrigin: 16, maxWaiting: 256, maxWaitingPerOrigin: 64 };

interface Waiter {
  readonly origin: string;
  begin(): void;
}

/** Decides when a call begins: first come, first served, as far as the limits of its origin allow. */
export class CallSlots {
  readonly #limits: CallLimits;
  readonly #runningByOrigin = new Map<string, number>();
  #running = 0;
  #waiting: Waiter[] = [];

  constructor(limits: CallLimits) {
    this.#limits = limits;
  }

  /** Calls that hold a slot or wait for one. */
  get size(): number {
    return this.#running + this.#waiting.length;
  }

  /**
   * Resolves when a call to this origin may begin; it ends with `leave`. Where `signal` aborts first, it rejects with its reason.
   * @throws CallError `busy` at once when too many wait
   */
  async enter(origin: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#isFree(origin)) {
      this.#take(origin);
      return;
    }
    const waitingThere = this.#waiting.filter((waiter) => waiter.origin === origin).length;
    if (this.#waiting.length >= this.#limits.maxWaiting || waitingThere >= this.#limits.maxWaitingPerOrigin) {
      throw new CallError('busy', `too many calls to ${origin} wait already`);
    }
    await new Promise<void>((resolve, reject) => {
      const withdraw = (): void => {
        this.#waiting = this.#waiting.filter((each) => each !== waiter);
        reject(signal.reason);
      };
      const waiter: Waiter = {
        origin,
        begin: () => {
          signal.removeEventListener('abort', withdraw);
          resolve();
        },
      };
      this.#waiting.push(waiter);
      signal.addEventListener('abort', withdraw, { once: true });
    });
  }

  leave(origin: string): void {
    this.#running -= 1;
    const left = (this.#runningByOrigin.get(origin) ?? 0) - 1;
    if (left > 0) this.#runningByOrigin.set(origin, left);
    else this.#runningByOrigin.delete(origin);
    const next = this.#waiting.find((waiter) => this.#isFree(waiter.origin));
    if (next === undefined) return;
    this.#waiting = this.#waiting.filter((waiter) => waiter !== next);
    this.#take(next.origin);
    next.begin();
  }

  #isFree(origin: string): boolean {
    const { maxAtOnce, maxAtOncePerOrigin } = this.#limits;
    return this.#running < maxAtOnce && (this.#runningByOrigin.get(origin) ?? 0) < maxAtOncePerOrigin;
  }

  #take(origin: string): void {
    this.#running += 1;
    this.#runningByOrigin.set(origin, (this.#runningByOrigin.get(origin) ?? 0) + 1);
  }
}
