import type { ErrorReason } from '../../errors/index.ts';
import type { PendingHandshake } from './handshake-events.ts';

/** One handshake among those that are watched. */
export interface WatchedHandshake extends PendingHandshake {
  /** Monotonic time when its connection was accepted. */
  readonly startedAtMs: number;
}

/**
 * The handshakes under way. There is a bounded number: for each one more the oldest is given up, for who is slow at this is most likely
 * nobody's client. Each has a bounded time.
 */
export class Handshakes {
  readonly #limit: number;
  readonly #timeoutMs: number;
  /** The oldest first. */
  readonly #pending = new Set<WatchedHandshake>();

  constructor(limit: number, timeoutMs: number) {
    this.#limit = limit;
    this.#timeoutMs = timeoutMs;
  }

  get size(): number {
    return this.#pending.size;
  }

  add(handshake: WatchedHandshake): void {
    this.#pending.add(handshake);
    if (this.#pending.size > this.#limit) this.giveUpOldest('tls_too_many_handshakes');
  }

  delete(handshake: WatchedHandshake): void {
    this.#pending.delete(handshake);
  }

  /** False where there is none. */
  giveUpOldest(reason: ErrorReason): boolean {
    const [oldest] = this.#pending;
    oldest?.fail(reason);
    return oldest !== undefined;
  }

  giveUpAll(reason: ErrorReason): void {
    for (const handshake of this.#pending) handshake.fail(reason);
  }

  checkDeadlines(nowMs: number): void {
    for (const handshake of this.#pending) {
      if (nowMs - handshake.startedAtMs < this.#timeoutMs) return;
      handshake.fail('tls_handshake_timeout');
    }
  }
}
