import { type BackoffSteps, backoffDelayMs } from '../../../lib/backoff.ts';
import type { CancelTask, Clock } from '../../../lib/clock.ts';
import { RedisFailure } from './redis-failure.ts';
import type { RedisLink } from './redis-link.ts';
import { withinTime } from './within-time.ts';

/** How a connection behaves. */
export interface RedisConnectionOptions {
  /** Opens the connection; called again whenever there is none and somebody asks. */
  readonly open: () => Promise<RedisLink>;
  /** For each answer, the opening included where there is no connection yet. */
  readonly timeoutMs: number;
  /** What is added to that for the opening; nothing unless said. */
  readonly openingTimeoutMs?: number;
  /** The connection is closed after being unused for so long. */
  readonly idleTimeoutMs: number;
  readonly clock: Clock;
  /** It cannot be opened any more, or can again. */
  readonly onHealthChanged: (failure: RedisFailure | undefined) => void;
}

/** Commands that may wait for their answers on one connection. */
const MAX_WAITING = 1024;
const RECONNECT_BACKOFF: BackoffSteps = { firstDelayMs: 100, highestDelayMs: 5000 };

type State =
  | { readonly kind: 'closed' }
  | { readonly kind: 'opening'; readonly link: Promise<RedisLink> }
  | { readonly kind: 'open'; readonly link: RedisLink }
  /** Nobody tries before `untilMs`. */
  | { readonly kind: 'failed'; readonly untilMs: number; readonly failure: RedisFailure };

/**
 * One connection to one server, opened on first use and again after it was lost. Each command is answered or fails within the time-out,
 * and no more than a fixed number wait. While the server cannot be reached, commands fail at once, but for one attempt now and then.
 */
export class RedisConnection {
  readonly #options: RedisConnectionOptions;
  #state: State = { kind: 'closed' };
  #failures = 0;
  #waiting = 0;
  #lastUsedMs = 0;
  #lastAnswerMs = 0;
  #cancelIdle: CancelTask | undefined;
  #isClosed = false;

  constructor(options: RedisConnectionOptions) {
    this.#options = options;
  }

  /** @throws RedisFailure */
  async run(...commands: readonly (readonly string[])[]): Promise<unknown> {
    if (this.#isClosed) throw new RedisFailure('the connection is closed');
    if (this.#waiting >= MAX_WAITING) throw new RedisFailure('too many requests wait for the server');
    const { clock, timeoutMs, openingTimeoutMs = 0 } = this.#options;
    const askedMs = clock.monotonicMs();
    // A server that has said nothing all the time is taken for dead, and its connection with all that waits on it is given up.
    const onLate = (): void => {
      if (this.#lastAnswerMs > askedMs || this.#state.kind !== 'open') return;
      this.#giveUp(this.#state.link, new RedisFailure(`the server did not answer within ${timeoutMs} ms`));
    };
    this.#waiting++;
    this.#lastUsedMs = askedMs;
    try {
      return await withinTime(clock, this.#state.kind === 'open' ? timeoutMs : timeoutMs + openingTimeoutMs, this.#send(commands), onLate);
    } finally {
      this.#waiting--;
    }
  }

  /** The server is not what it was: the next command opens the connection anew. */
  reset(): void {
    if (this.#state.kind === 'open') this.#state.link.destroy();
    if (this.#state.kind === 'open') this.#state = { kind: 'closed' };
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelIdle?.();
    this.reset();
  }

  /** The answer to the last of the commands, which are sent without any other between them. */
  async #send(commands: readonly (readonly string[])[]): Promise<unknown> {
    const link = await this.#link();
    try {
      const answers = await Promise.all(commands.map((command) => link.send(command)));
      this.#answered();
      return answers.at(-1);
    } catch (error) {
      const failure = RedisFailure.of(error, 'the connection was lost');
      if (failure.refusal !== undefined) this.#answered();
      else if (!link.isOpen) this.#giveUp(link, failure);
      throw failure;
    }
  }

  #link(): RedisLink | Promise<RedisLink> {
    const state = this.#state;
    switch (state.kind) {
      case 'open':
        return state.link.isOpen ? state.link : this.#open();
      case 'opening':
        return state.link;
      case 'failed':
        if (this.#options.clock.monotonicMs() < state.untilMs) throw state.failure;
        return this.#open();
      case 'closed':
        return this.#open();
    }
  }

  #open(): Promise<RedisLink> {
    const opening = this.#options.open().then(
      (link) => this.#opened(link),
      (error) => {
        throw this.#failed(RedisFailure.of(error, 'the server cannot be reached'));
      },
    );
    this.#state = { kind: 'opening', link: opening };
    return opening;
  }

  #opened(link: RedisLink): RedisLink {
    if (this.#isClosed) link.destroy();
    else {
      this.#state = { kind: 'open', link };
      this.#watchIdleness();
    }
    return link;
  }

  #answered(): void {
    this.#lastAnswerMs = this.#options.clock.monotonicMs();
    if (this.#failures > 0) this.#options.onHealthChanged(undefined);
    this.#failures = 0;
  }

  #giveUp(link: RedisLink, failure: RedisFailure): void {
    link.destroy();
    if (this.#state.kind === 'open' && this.#state.link === link) this.#failed(failure);
  }

  #failed(failure: RedisFailure): RedisFailure {
    this.#failures++;
    if (this.#failures === 1) this.#options.onHealthChanged(failure);
    // One more than there were: the first failure is waited for too.
    const untilMs = this.#options.clock.monotonicMs() + backoffDelayMs(this.#failures + 1, RECONNECT_BACKOFF);
    this.#state = { kind: 'failed', untilMs, failure };
    return failure;
  }

  #watchIdleness(): void {
    const { clock, idleTimeoutMs } = this.#options;
    this.#cancelIdle?.();
    const idleMs = clock.monotonicMs() - this.#lastUsedMs;
    if (idleMs >= idleTimeoutMs && this.#waiting === 0) this.reset();
    else this.#cancelIdle = clock.schedule(Math.max(1, idleTimeoutMs - idleMs), () => this.#watchIdleness());
  }
}
