import { UpstreamStream } from '../http2/upstream-stream.ts';
import { connectTransport } from '../transport/connect-transport.ts';
import type { Transport, TransportReceiver } from '../transport/transport.ts';
import type { TransportKind } from '../transport/transport-kind.ts';
import type { PooledTarget } from './pooled-target.ts';

/** Whoever has a request on the connection. */
export interface UpstreamOwner extends TransportReceiver {
  /** The connection is ready for a request. */
  onConnected(): void;
}

/** Whoever takes a kept connection, too. */
export interface UpstreamAsker extends UpstreamOwner {
  /** The connection has ended or spoken out of turn before it was ready; nothing was sent on it. */
  onLost(): void;
}

/** What becomes of a connection that nobody owns. */
export interface IdleWatcher {
  /** An idle connection ended or spoke out of turn. */
  onIdleDisturbed(connection: UpstreamConnection): void;
  /** `failure` is the system's error code, if it did not end in order. */
  onGone(connection: UpstreamConnection, failure: string | undefined): void;
}

/**
 * One connection to an upstream, with at most one request in flight. It reads into a buffer that all connections share, so
 * owners copy what they keep.
 */
export class UpstreamConnection implements TransportReceiver {
  readonly target: PooledTarget;
  readonly transport: Transport;
  owner: UpstreamOwner | undefined;
  /** A request can be sent: the connection is made, and has settled since the last one. */
  ready = false;
  closed = false;
  /** Requests written so far, the one in flight included. */
  requests = 0;
  /** Monotonic time when it was begun. */
  openedAtMs = 0;
  /** Monotonic time since when it has been idle. */
  idleSinceMs = 0;
  /** Monotonic time from which on it is not used again. */
  idleUntilMs = 0;
  /** `LoopPlace.loopCount` when it was given back. */
  freedTurn = 0;
  /** Where the loop was when the request in flight got it; of a fresh one's first request nothing is known. */
  takenTurn = -1;
  takenEvents = -1;
  /** Who gets it once it has settled; nobody owns it until then. */
  asker: UpstreamAsker | undefined = undefined;
  /** Where the next bytes are read into; undefined: the buffer that all connections share. */
  ownBuffer: Buffer | undefined = undefined;
  readonly #watcher: IdleWatcher;

  constructor(target: PooledTarget, owner: UpstreamOwner, watcher: IdleWatcher, transport: TransportKind, readBuffer: Buffer) {
    this.target = target;
    this.owner = owner;
    this.#watcher = watcher;
    const nextReadBuffer = (): Buffer => this.ownBuffer ?? readBuffer;
    const { address: host, port } = target;
    const tls = target.tls && { settings: target.tls, place: target };
    const onConnected = (): void => {
      this.ready = true;
      this.owner?.onConnected();
    };
    const { sessions } = target;
    this.transport =
      sessions === undefined
        ? connectTransport({ transport, host, port, readBuffer, nextReadBuffer, tls }, this, onConnected)
        : new UpstreamStream({ sessions, scheme: tls === undefined ? 'http' : 'https', nextReadBuffer }, this, onConnected);
  }

  /** It has answered a request before, so the upstream may have given it up in the meantime. */
  get reused(): boolean {
    return this.requests > 1;
  }

  onBytes(bytes: Buffer, length: number): void {
    if (this.closed) return;
    if (this.owner === undefined) this.#watcher.onIdleDisturbed(this);
    else this.owner.onBytes(bytes, length);
  }

  onEnd(): void {
    if (this.closed) return;
    if (this.owner === undefined) this.#watcher.onIdleDisturbed(this);
    else this.owner.onEnd();
  }

  onFlushed(): void {
    this.owner?.onFlushed();
  }

  onClose(failure: string | undefined): void {
    const owner = this.owner;
    this.closed = true;
    this.owner = undefined;
    this.#watcher.onGone(this, failure);
    owner?.onClose(failure);
  }

  /** Gives the connection up without a word to its owner. */
  destroy(): void {
    this.closed = true;
    this.owner = undefined;
    this.asker = undefined;
    this.transport.destroy();
  }
}
