import type { ErrorReason } from '../../errors/index.ts';
import { ProgressWatch } from '../connection/progress-watch.ts';
import type { EngineContext } from '../engine-context.ts';
import type { ClientConnection } from '../exchange.ts';
import type { ServedConnection } from '../served-connection.ts';
import type { Transport, TransportReceiver } from '../transport/transport.ts';
import { ENHANCE_YOUR_CALM, PROTOCOL_ERROR, SETTINGS_TIMEOUT } from './http2-codes.ts';
import { requestForm } from './request-form.ts';
import { type RequestEnd, RequestStream } from './request-stream.ts';
import { ResetBudget } from './reset-budget.ts';
import { Http2Session } from './session/http2-session.ts';
import { type Http2Stream, NO_RECEIVER, type StreamReceiver } from './session/http2-stream.ts';
import type { SessionOwner } from './session/session-owner.ts';
import type { SessionTerms } from './session/session-terms.ts';
import type { StreamTools } from './stream-tools.ts';

/** How long a connection may be silent after it was accepted before it counts as idle. */
const FIRST_REQUEST_MS = 5_000;
/** How long a client may take to acknowledge the settings (RFC 9113 §6.5.3). */
const SETTINGS_MS = 30_000;
/** How long a client may take to answer that it has heard of the end, before it counts as told. */
const NOTICE_MS = 1_000;
/** A client that goes on asking on a connection that is to close is served so many times the limit. */
const MOST_OVERTIME = 2;

/**
 * One client's connection of HTTP/2 with the requests on it: how much a client may cost here, and when the connection ends. It ends in two steps
 * (RFC 9113 §6.8): a notice, and, when the client has certainly heard of it, the number of the last request taken, so that none fails.
 */
export class Http2Connection implements ServedConnection, SessionOwner {
  countedAddress: string | undefined = undefined;
  readonly #context: EngineContext;
  readonly #tools: StreamTools;
  readonly #client: ClientConnection;
  readonly #session: Http2Session;
  readonly #onGone: (connection: Http2Connection) => void;
  readonly #streams = new Set<RequestStream>();
  readonly #openedAtMs: number;
  readonly #resets: ResetBudget;
  readonly #writes: ProgressWatch;
  #refusal: ErrorReason | undefined = undefined;
  /** Monotonic time since when it serves no request. */
  #idleSinceMs: number;
  #served = 0;
  /** Monotonic time when the client was told that it will end. */
  #noticeAtMs: number | undefined = undefined;
  /** Monotonic time when a sweep first found it over. */
  #overSinceMs: number | undefined = undefined;

  /** Takes the connection over that `open` begins to read, whose bytes from the first on are HTTP/2. */
  constructor(
    context: EngineContext,
    tools: StreamTools,
    terms: SessionTerms,
    client: ClientConnection,
    open: (receiver: TransportReceiver) => Transport,
    onGone: (connection: Http2Connection) => void,
  ) {
    const { clock, timeouts } = context;
    this.#context = context;
    this.#tools = tools;
    this.#client = client;
    this.#onGone = onGone;
    this.#openedAtMs = clock.monotonicMs();
    this.#idleSinceMs = this.#openedAtMs;
    this.#resets = new ResetBudget(this.#openedAtMs);
    this.#writes = new ProgressWatch(timeouts.clientWriteStallMs, timeouts.answerBytesPerSecond);
    this.#session = new Http2Session(terms, this, open);
  }

  /** Hears what comes on the connection. */
  get receiver(): TransportReceiver {
    return this.#session;
  }

  idleSinceMs(nowMs: number): number {
    if (this.#streams.size > 0 || this.#refusal !== undefined) return -1;
    return this.#served > 0 || nowMs - this.#idleSinceMs >= FIRST_REQUEST_MS ? this.#idleSinceMs : -1;
  }

  refuseFirst(reason: ErrorReason): void {
    this.#refusal = reason;
  }

  refuseNow(): void {
    this.#session.refuseFurther();
    if (this.#streams.size === 0) this.destroy();
  }

  announceDrain(): void {
    this.#giveNotice();
  }

  closeIfIdle(): void {
    this.#giveNotice();
  }

  shutDown(reason: ErrorReason): void {
    for (const stream of this.#streams) stream.connection.shutDown(reason);
    this.#session.finishNow();
  }

  destroy(): void {
    this.#session.destroy();
  }

  checkDeadlines(nowMs: number): void {
    const session = this.#session;
    for (const stream of this.#streams) stream.checkDeadlines(nowMs);
    if (session.over) {
      this.#overSinceMs ??= nowMs;
      if (nowMs - this.#overSinceMs >= this.#context.timeouts.lingerMs) this.destroy();
      return;
    }
    if (this.#isStalled(nowMs)) {
      for (const stream of this.#streams) stream.connection.giveUp('client_write_timeout');
      this.destroy();
    } else if (session.settingsSentAtMs !== undefined && nowMs - session.settingsSentAtMs >= SETTINGS_MS) session.fail(SETTINGS_TIMEOUT);
    else this.#checkAge(nowMs);
  }

  // What the client does.

  onStream(stream: Http2Stream, fields: readonly string[], endsHere: boolean): StreamReceiver {
    const context = this.#context;
    const form = requestForm(fields, endsHere, () => this.#tools.webSocketKey());
    // RFC 9113 §8.1.1: a body that cannot be is an error of the stream.
    if (typeof form !== 'string' && endsHere && form.contentLength > 0) {
      stream.reset(PROTOCOL_ERROR);
      this.#spend();
      return NO_RECEIVER;
    }
    const request = new RequestStream(context, this.#tools, this.#client, stream, form, this.#ended);
    this.#streams.add(request);
    stream.receiver = request;
    request.begin(this.#served++, this.#refusal);
    const most = context.limits.requestsPerConnection;
    if (this.#refusal !== undefined || this.#served >= most * MOST_OVERTIME) this.#session.refuseFurther();
    else if (context.announcesClose || this.#served >= most) this.#giveNotice();
    return request;
  }

  onRefused(): boolean {
    return this.#resets.spend(this.#context.clock.monotonicMs());
  }

  onSettings(): void {}

  onPingAnswered(): void {
    if (this.#noticeAtMs !== undefined) this.#refuseFurther();
  }

  /** Of a client it says only that it will go. */
  onGoaway(): void {
    this.#refuseFurther();
  }

  onEmpty(): void {}

  onGone(): void {
    this.#onGone(this);
  }

  readonly #ended = (stream: RequestStream, end: RequestEnd): void => {
    this.#streams.delete(stream);
    this.#idleSinceMs = this.#context.clock.monotonicMs();
    if (end === 'abandoned') this.#spend();
    else if (end === 'answered') this.#resets.earn();
    this.#finishIfDone();
  };

  /** A request has ended without its answer: the client has given it up, or has made the gateway do so (CVE-2023-44487, CVE-2025-8671). */
  #spend(): void {
    if (!this.onRefused()) this.#session.fail(ENHANCE_YOUR_CALM);
  }

  /** A client that takes nothing of what lies in front of the kernel. */
  #isStalled(nowMs: number): boolean {
    if (this.#session.pendingBytes > 0) return this.#writes.isTooSlow(nowMs, this.#session.takenBytes, nowMs);
    this.#writes.pause();
    return false;
  }

  #checkAge(nowMs: number): void {
    const { clientIdleMs, clientAgeMs, headMs, drainGraceMs, lingerMs } = this.#context.timeouts;
    if (this.#noticeAtMs !== undefined && nowMs - this.#noticeAtMs >= NOTICE_MS) this.#refuseFurther();
    else if (this.#refusal !== undefined && nowMs - this.#openedAtMs >= lingerMs) this.destroy();
    else if (this.#streams.size > 0) {
      if (nowMs - this.#openedAtMs >= clientAgeMs) this.#giveNotice();
    } else if (nowMs - this.#idleSinceMs >= (this.#context.draining ? drainGraceMs : this.#served === 0 ? headMs : clientIdleMs)) {
      this.#giveNotice();
    }
  }

  /** Tells the client to go elsewhere. What it has sent by then is served. */
  #giveNotice(): void {
    const session = this.#session;
    if (this.#noticeAtMs !== undefined || session.refusesFurther) return;
    this.#noticeAtMs = this.#context.clock.monotonicMs();
    session.announceEnd();
    // Its answer comes behind everything that the client has sent before it heard of the end.
    session.ping();
  }

  #refuseFurther(): void {
    this.#session.refuseFurther();
    this.#finishIfDone();
  }

  #finishIfDone(): void {
    if (this.#session.refusesFurther && this.#streams.size === 0) this.#session.finish();
  }
}
