import type { ErrorReason } from '../../errors/index.ts';
import type { UpstreamTarget } from '../exchange.ts';
import { connectFailureReason } from '../upstream/connect-failure.ts';
import type { UpstreamConnection, UpstreamOwner } from '../upstream/upstream-connection.ts';
import type { UpstreamPool } from '../upstream/upstream-pool.ts';

/** Who hears how an attempt has ended: exactly one of the two, once. */
export interface AttemptListener {
  onConnected(connection: UpstreamConnection): void;
  onFailed(reason: ErrorReason): void;
}

/** One attempt to connect to an upstream. */
export class ConnectAttempt implements UpstreamOwner {
  readonly #listener: AttemptListener;
  readonly #startedAtMs: number;
  #connection: UpstreamConnection | undefined;

  constructor(listener: AttemptListener, startedAtMs: number) {
    this.#listener = listener;
    this.#startedAtMs = startedAtMs;
  }

  /** Begins to connect, or says why not. */
  begin(pool: UpstreamPool, target: UpstreamTarget): ErrorReason | undefined {
    const connection = pool.connect(target, this);
    if (typeof connection === 'string') return connection;
    this.#connection = connection;
    return undefined;
  }

  checkDeadline(nowMs: number, timeoutMs: number): void {
    if (this.#connection === undefined || nowMs - this.#startedAtMs < timeoutMs) return;
    this.abandon();
    this.#listener.onFailed('connect_timeout');
  }

  /** Gives the attempt up without a word. */
  abandon(): void {
    this.#connection?.destroy();
    this.#connection = undefined;
  }

  onConnected(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection !== undefined) this.#listener.onConnected(connection);
  }

  // Nothing is read before somebody else owns the connection.
  onBytes(): void {}
  onEnd(): void {}
  onFlushed(): void {}

  onClose(failure: string | undefined): void {
    if (this.#connection === undefined) return;
    this.#connection = undefined;
    this.#listener.onFailed(connectFailureReason(failure));
  }
}
