import type { CancelTask, Clock } from '../../lib/clock.ts';
import type { OutgoingCalls, OutgoingRequest, OutgoingResponse } from '../../plugin-kit/index.ts';
import type { DialPolicy } from '../names/index.ts';
import { CallError } from './call-error.ts';
import { type CallLimits, CallSlots, DEFAULT_CALL_LIMITS } from './call-slots.ts';
import { type CallTarget, readCallTarget } from './call-target.ts';
import { exchangeCall } from './exchange-call.ts';

export interface CallClientOptions {
  readonly clock: Clock;
  readonly mayDial: DialPolicy;
  /** The addresses of a host name or of a literal; none where it does not resolve. */
  readonly addressesOf: (host: string) => Promise<readonly string[]>;
  /** `DEFAULT_CALL_LIMITS` unless said. */
  readonly limits?: CallLimits;
}

/** A longer one makes a timer run at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * The one way in which plugins call out. Every address is judged by the address policy before it is connected to. Each exchange has a
 * time-out, the answer a greatest length, and so many calls at once, and waiting, as the limits say: one more is refused at once.
 */
export class CallClient implements OutgoingCalls {
  readonly #options: CallClientOptions;
  readonly #slots: CallSlots;
  readonly #aborts = new Set<AbortController>();
  readonly #idleWaiters = new Set<() => void>();
  #closed = false;

  constructor(options: CallClientOptions) {
    this.#options = options;
    this.#slots = new CallSlots(options.limits ?? DEFAULT_CALL_LIMITS);
  }

  /** Calls under way and waiting. */
  get pending(): number {
    return this.#aborts.size;
  }

  /** @throws CallError (as a rejection) */
  async send(request: OutgoingRequest): Promise<OutgoingResponse> {
    if (this.#closed) throw new CallError('closed', 'the gateway makes no calls any more');
    const target = readCallTarget(request.url);
    const abort = new AbortController();
    const cancelTimeout = this.#options.clock.schedule(Math.min(request.timeoutMs, LONGEST_TIMER_MS), () =>
      abort.abort(new CallError('timeout', `${target.origin} did not answer within ${request.timeoutMs} ms`)),
    );
    this.#aborts.add(abort);
    try {
      await this.#slots.enter(target.origin, abort.signal);
      try {
        return await exchangeCall(request, target, await this.#addressesOf(target, abort.signal), abort.signal);
      } finally {
        this.#slots.leave(target.origin);
      }
    } finally {
      cancelTimeout();
      this.#aborts.delete(abort);
      if (this.#aborts.size === 0) for (const wake of [...this.#idleWaiters]) wake();
    }
  }

  /** Resolves when no call has been under way or waiting for a turn of the loop, at the latest after `timeoutMs`. Never rejects. */
  async whenIdle(timeoutMs: number): Promise<void> {
    let isLate = false;
    let cancel: CancelTask | undefined;
    const late = new Promise<void>((resolve) => {
      cancel = this.#options.clock.schedule(timeoutMs, () => {
        isLate = true;
        resolve();
      });
    });
    // Whoever was answered may call again at once: batches follow each other.
    for (let isIdle = false; !isIdle && !isLate; isIdle = this.#aborts.size === 0) {
      await Promise.race([this.#nextIdle(), late]);
      await new Promise((resolve) => setImmediate(resolve));
    }
    cancel?.();
  }

  /** Ends what is under way, and refuses what comes. */
  close(): void {
    this.#closed = true;
    for (const abort of this.#aborts) abort.abort(new CallError('closed', 'the gateway stops'));
  }

  /** @throws CallError `unresolved` or `denied`, or the reason of `signal` */
  async #addressesOf({ origin, host, port }: CallTarget, signal: AbortSignal): Promise<readonly string[]> {
    const addresses = await orAbort(this.#options.addressesOf(host), signal);
    if (addresses.length === 0) throw new CallError('unresolved', `the host of ${origin} does not resolve`);
    const allowed = addresses.filter((address) => this.#options.mayDial(address, port));
    if (allowed.length === 0) throw new CallError('denied', `the address of ${origin} must not be called`);
    return allowed;
  }

  #nextIdle(): Promise<void> {
    if (this.#aborts.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#idleWaiters.delete(wake);
        resolve();
      };
      this.#idleWaiters.add(wake);
    });
  }
}

/** What `promise` gives, or the reason of `signal` where that aborts first. */
function orAbort<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
