import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import { takenBytes } from '../transport/taken-bytes.ts';
import type { Http2Dial } from './dial-http2.ts';
import { NO_ERROR, REFUSED_STREAM } from './http2-codes.ts';
import { LivenessWatch } from './liveness-watch.ts';

/** Requests at once on a connection, where the upstream allows more. */
const MOST_STREAMS = 100;

/** Who waits for a connection to be made. */
export interface SessionWaiter {
  onReady(): void;
  /** `failure` is the system's error code, or one of `TLS_FAILURE`. */
  onFailed(failure: string): void;
}

/** One HTTP/2 connection to an upstream, with many requests at once. */
export class UpstreamSession {
  /** Requests that use it, or will as soon as it is made. */
  users = 0;
  /** Requests begun so far. */
  requests = 0;
  /** How often anything came for one of them. */
  heard = 0;
  /** Monotonic time since when nobody uses it. */
  idleSinceMs = 0;
  readonly openedAtMs: number;
  readonly #session: ClientHttp2Session;
  readonly #waiters = new Set<SessionWaiter>();
  readonly #liveness: LivenessWatch;
  #ready = false;
  /** Number of the last stream that an upstream which broke the connection off may have begun. */
  #begunUpTo = -1;
  /** It takes no more requests. */
  #closing = false;
  #failure: string | undefined = undefined;

  /** `onGone` hears that it is closed, once. */
  constructor(dial: Http2Dial, nowMs: number, onGone: (session: UpstreamSession) => void) {
    this.openedAtMs = nowMs;
    this.#liveness = new LivenessWatch(nowMs);
    const session = dial((failure) => {
      this.#failure ??= failure;
    });
    this.#session = session;
    session.once('remoteSettings', () => this.#becomeReady());
    session.on('goaway', (code, lastStream) => {
      this.#closing = true;
      if (code !== NO_ERROR) this.#begunUpTo = lastStream;
    });
    session.on('error', (error: NodeJS.ErrnoException) => {
      this.#failure ??= error.code;
    });
    session.on('close', () => {
      this.#closing = true;
      onGone(this);
      this.#failWaiters();
    });
  }

  get ready(): boolean {
    return this.#ready && !this.#closing;
  }

  /** It can send no request, not even for those that have taken it. */
  get gone(): boolean {
    return this.#session.closed || this.#session.destroyed;
  }

  /** Nothing goes on on it, not even what was begun. */
  get lost(): boolean {
    return this.#session.destroyed;
  }

  /** Another request finds room. */
  get hasRoom(): boolean {
    if (this.#closing || this.gone) return false;
    const allowed = this.#ready ? (this.#session.remoteSettings.maxConcurrentStreams ?? MOST_STREAMS) : MOST_STREAMS;
    return this.users < Math.min(allowed, MOST_STREAMS);
  }

  wait(waiter: SessionWaiter): void {
    this.#waiters.add(waiter);
  }

  stopWaiting(waiter: SessionWaiter): void {
    this.#waiters.delete(waiter);
  }

  /** Begins a request; throws where the fields are none. Not to be called when the connection has gone. */
  request(fields: readonly string[], endStream: boolean): ClientHttp2Stream {
    this.requests++;
    return this.#session.request([...fields], { endStream });
  }

  /**
   * The upstream has certainly not begun this request (RFC 9113 §6.8, §8.7). Node closes the streams of a connection that a GOAWAY breaks off
   * with the code of the GOAWAY, which says nothing about those up to the last stream that it names.
   */
  hasRefused(stream: ClientHttp2Stream): boolean {
    return stream.rstCode === REFUSED_STREAM && (stream.id ?? 0) > this.#begunUpTo;
  }

  /** Asks a silent upstream whether it is still there; requests on one that has vanished fail. To be called about once a second. */
  checkAlive(nowMs: number): void {
    // Until it is made the time-out of connecting counts.
    if (!this.#ready || this.lost) return;
    const { users, requests, heard } = this;
    const socket = this.#session.socket;
    const bytes = { inboundBytes: socket.bytesRead, outboundBytes: takenBytes(socket) };
    const found = this.#liveness.check({ users, requests, heard, ...bytes }, nowMs);
    if (found === 'ping') this.#session.ping((error) => error === null && this.#liveness.answered());
    else if (found === 'vanished') this.destroy();
  }

  /** Takes no further requests. Those that use it go on, and so do those that wait for it; the last one destroys it. */
  retire(): void {
    this.#closing = true;
  }

  /** Takes no further requests, and closes behind those under way. */
  close(): void {
    this.#closing = true;
    if (!this.gone) this.#session.close();
  }

  destroy(): void {
    this.#closing = true;
    this.#session.destroy(undefined, NO_ERROR);
  }

  /** Only behind the upstream's settings it is known how many requests it takes, and that it speaks HTTP/2 at all. */
  #becomeReady(): void {
    this.#ready = true;
    for (const waiter of [...this.#waiters]) {
      this.#waiters.delete(waiter);
      waiter.onReady();
    }
  }

  #failWaiters(): void {
    for (const waiter of [...this.#waiters]) {
      this.#waiters.delete(waiter);
      waiter.onFailed(this.#failure ?? 'ECONNRESET');
    }
  }
}
