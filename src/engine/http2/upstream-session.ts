import type { Http2Dial } from './dial-http2.ts';
import { NO_ERROR, REFUSED_STREAM } from './http2-codes.ts';
import { LivenessWatch } from './liveness-watch.ts';
import { ResetBudget } from './reset-budget.ts';
import { Http2Session } from './session/http2-session.ts';
import { type Http2Stream, NO_RECEIVER, type StreamReceiver } from './session/http2-stream.ts';
import type { SessionOwner } from './session/session-owner.ts';
import type { SessionTerms } from './session/session-terms.ts';

/** Requests at once on a connection, where the upstream allows more. */
const MOST_STREAMS = 100;
/**
 * Requests that may be given up at once on a connection that takes new ones. Upstreams end one on which many are: those with nghttp2 after 1000, Envoy
 * after 500; and those under way, a hundred, may be given up yet.
 */
const MOST_GIVEN_UP = 400;
/** How long an upstream may take to close a connection that was ended. */
const LINGER_MS = 2_000;

/** Who waits for a connection to be made. */
export interface SessionWaiter {
  onReady(): void;
  /** The connection is made, and takes fewer requests than wait for it. */
  onCrowded(): void;
  /** `failure` is the system's error code, or one of `TLS_FAILURE`. */
  onFailed(failure: string): void;
}

/** One HTTP/2 connection to an upstream, with many requests at once. */
export class UpstreamSession implements SessionOwner {
  /** Requests that use it, or will as soon as it is made. */
  users = 0;
  /** Requests begun so far. */
  requests = 0;
  /** How often anything came for one of them. */
  heard = 0;
  /** Monotonic time since when nobody uses it. */
  idleSinceMs = 0;
  readonly openedAtMs: number;
  readonly #session: Http2Session;
  readonly #waiters = new Set<SessionWaiter>();
  readonly #liveness: LivenessWatch;
  readonly #offences: ResetBudget;
  readonly #givenUp: ResetBudget;
  readonly #nowMs: () => number;
  readonly #onGone: (session: UpstreamSession) => void;
  readonly #expectedStreams: number;
  #ready = false;
  /** It takes no more requests. */
  #closing = false;
  /** It closes when nobody uses it. */
  #closesWhenEmpty = false;
  /** The upstream begins nothing more on it. */
  #isRefused = false;
  #failure: string | undefined = undefined;
  /** Monotonic time when it was first found over. */
  #overSinceMs: number | undefined = undefined;

  /** `expectedStreams`: how many requests it takes until the upstream has said so. `onGone` hears that it is closed, once. */
  constructor(
    terms: SessionTerms,
    dial: Http2Dial,
    { nowMs, expectedStreams }: { readonly nowMs: number; readonly expectedStreams: number },
    onGone: (session: UpstreamSession) => void,
  ) {
    this.#expectedStreams = expectedStreams;
    this.openedAtMs = nowMs;
    this.#nowMs = terms.nowMs;
    this.#onGone = onGone;
    this.#liveness = new LivenessWatch(nowMs);
    this.#offences = new ResetBudget(nowMs);
    this.#givenUp = new ResetBudget(nowMs, MOST_GIVEN_UP);
    this.#session = new Http2Session(terms, this, (receiver) =>
      dial(receiver, (failure) => {
        this.#failure ??= failure;
      }),
    );
  }

  get ready(): boolean {
    return this.#ready && !this.#closing;
  }

  /** It can send no request, not even for those that have taken it. */
  get gone(): boolean {
    return this.#session.over || this.#isRefused;
  }

  /** Another request finds room. */
  get hasRoom(): boolean {
    if (this.#closing || this.gone) return false;
    return this.users < this.mostStreams;
  }

  /** Requests that it takes at once, as far as is known. */
  get mostStreams(): number {
    return Math.min(this.#ready ? this.#session.peer.maxConcurrentStreams : Math.max(1, this.#expectedStreams), MOST_STREAMS);
  }

  wait(waiter: SessionWaiter): void {
    this.#waiters.add(waiter);
  }

  stopWaiting(waiter: SessionWaiter): void {
    this.#waiters.delete(waiter);
  }

  /** Begins a request with these fields, name and value in turn; undefined where the connection takes none. */
  request(fields: readonly string[], ends: boolean, receiver: StreamReceiver): Http2Stream | undefined {
    const stream = this.gone ? undefined : this.#session.open(receiver);
    const encoder = stream?.beginHead();
    if (stream === undefined || encoder === undefined) return undefined;
    this.requests++;
    for (let index = 0; index < fields.length; index += 2) encoder.write(fields[index] ?? '', fields[index + 1] ?? '');
    stream.sendHead(ends);
    return stream;
  }

  /**
   * Asks a silent upstream whether it is still there; requests on one that has vanished fail. Gives up one that does not close. To be called
   * about once a second.
   */
  checkAlive(nowMs: number): void {
    const session = this.#session;
    if (session.over) {
      this.#overSinceMs ??= nowMs;
      if (nowMs - this.#overSinceMs >= LINGER_MS) session.destroy();
      return;
    }
    // Until it is made the time-out of connecting counts.
    if (!this.#ready) return;
    const { users, requests, heard } = this;
    const bytes = { inboundBytes: session.receivedBytes, outboundBytes: session.takenBytes };
    const found = this.#liveness.check({ users, requests, heard, ...bytes }, nowMs);
    if (found === 'ping') session.ping();
    else if (found === 'vanished') this.destroy();
  }

  /**
   * A request on it was begun and is wanted no more. Which requests share a connection is not the clients' choice, so those who give up again and
   * again must not have the upstream end it for the others.
   */
  gaveUp(): void {
    if (!this.#givenUp.spend(this.#nowMs())) this.retire();
  }

  /** Takes no further requests. Those that use it go on, and so do those that wait for it; the last one destroys it. */
  retire(): void {
    this.#closing = true;
  }

  /** Takes no further requests, and closes behind those under way. */
  close(): void {
    this.#closing = true;
    this.#closesWhenEmpty = true;
    this.onEmpty();
  }

  destroy(): void {
    this.#closing = true;
    this.#session.destroy();
  }

  // What the upstream does.

  /** Never: a server begins no streams, and the session refuses them. */
  onStream(): StreamReceiver {
    return NO_RECEIVER;
  }

  onRefused(): boolean {
    return this.#offences.spend(this.#nowMs());
  }

  /** Only behind the upstream's settings it is known how many requests it takes, and that it speaks HTTP/2 at all. */
  onSettings(): void {
    const most = this.#session.peer.maxConcurrentStreams;
    const isFirst = !this.#ready;
    this.#ready = true;
    if (most === 0) {
      // Nobody would find room on another one either.
      this.#failWaiters();
      // Nor is it of use to anybody later: of each request one would be left, until its idle time has passed.
      this.close();
    } else if (isFirst) this.#admitWaiters(most);
  }

  #admitWaiters(most: number): void {
    let ready = 0;
    for (const waiter of [...this.#waiters]) {
      this.#waiters.delete(waiter);
      if (ready++ < most) waiter.onReady();
      else waiter.onCrowded();
    }
  }

  onPingAnswered(): void {
    this.#liveness.answered();
  }

  /** What it names as begun goes on, unless it has failed (RFC 9113 §6.8). */
  onGoaway(_lastStream: number, code: number): void {
    this.#isRefused = true;
    this.close();
    if (code !== NO_ERROR) this.#session.finishNow();
  }

  onEmpty(): void {
    if (!this.#closesWhenEmpty || this.#session.streams.size > 0) return;
    // Those that have taken it and not begun yet go elsewhere, or give it back.
    if (this.users === 0 || this.#isRefused) this.#session.finish();
  }

  onGone(failure: string | undefined): void {
    this.#closing = true;
    this.#failure ??= failure;
    this.#onGone(this);
    this.#failWaiters();
  }

  #failWaiters(): void {
    for (const waiter of [...this.#waiters]) {
      this.#waiters.delete(waiter);
      waiter.onFailed(this.#failure ?? 'ECONNRESET');
    }
  }
}

/** The upstream has certainly not begun this request (RFC 9113 §6.8, §8.7). */
export function isRefused({ closed, endedBy, code }: Http2Stream): boolean {
  return closed && endedBy === 'peer' && code === REFUSED_STREAM;
}
