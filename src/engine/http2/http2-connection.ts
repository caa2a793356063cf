import { constants, performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { ErrorReason } from '../../errors/index.ts';
import type { EngineContext } from '../engine-context.ts';
import type { ClientConnection } from '../exchange.ts';
import type { ServedConnection } from '../served-connection.ts';
import { requestForm } from './request-form.ts';
import { RequestStream } from './request-stream.ts';
import { ResetBudget } from './reset-budget.ts';
import { sessionOptions } from './session-options.ts';
import type { StreamTools } from './stream-tools.ts';

const { NGHTTP2_ENHANCE_YOUR_CALM } = constants;
/** How long a connection may be silent after it was accepted before it counts as idle. */
const FIRST_REQUEST_MS = 5_000;
const NEVER = Number.POSITIVE_INFINITY;

/**
 * One client's connection of HTTP/2 with the requests on it. Framing, header compression, flow control and the rules of RFC 9113 are
 * nghttp2's; what its requests say is checked again when they are written for the engine, and how much a client may cost here.
 */
export class Http2Connection implements ServedConnection {
  countedAddress: string | undefined = undefined;
  readonly #context: EngineContext;
  readonly #tools: StreamTools;
  readonly #client: ClientConnection;
  readonly #socket: Socket;
  readonly #session: ServerHttp2Session;
  readonly #onGone: (connection: Http2Connection) => void;
  readonly #streams = new Set<RequestStream>();
  readonly #openedAtMs: number;
  readonly #resets: ResetBudget;
  #refusal: ErrorReason | undefined = undefined;
  /** Monotonic time since when it serves no request. */
  #idleSinceMs: number;
  #served = 0;
  /** Monotonic time when it was given up. */
  #endedAtMs = NEVER;

  /** Takes `socket` over, whose bytes from the first on are HTTP/2. */
  constructor(
    context: EngineContext,
    tools: StreamTools,
    client: ClientConnection,
    socket: Socket,
    onGone: (connection: Http2Connection) => void,
  ) {
    this.#context = context;
    this.#tools = tools;
    this.#client = client;
    this.#socket = socket;
    this.#onGone = onGone;
    this.#openedAtMs = context.clock.monotonicMs();
    this.#idleSinceMs = this.#openedAtMs;
    this.#resets = new ResetBudget(this.#openedAtMs);
    // Node ends a connection that breaks the rules with an error of the socket too.
    socket.on('error', () => {});
    const session = performServerHandshake(socket, sessionOptions(context.limits));
    this.#session = session;
    session.on('stream', (stream, _fields, flags, raw: unknown) => this.#begin(stream, flags, Array.isArray(raw) ? raw.map(String) : []));
    // What breaks the rules has been told so by nghttp2; 'close' follows.
    session.on('error', () => {});
    session.on('close', () => this.#onGone(this));
  }

  idleSinceMs(nowMs: number): number {
    if (this.#streams.size > 0 || this.#refusal !== undefined) return -1;
    return this.#served > 0 || nowMs - this.#idleSinceMs >= FIRST_REQUEST_MS ? this.#idleSinceMs : -1;
  }

  refuseFirst(reason: ErrorReason): void {
    this.#refusal = reason;
  }

  refuseNow(): void {
    this.#close();
    if (this.#streams.size === 0) this.destroy();
  }

  announceDrain(): void {
    // Not with the highest number of a stream in a notice of its own (RFC 9113 §6.8): nghttp2 serves nothing new behind any GOAWAY, so
    // only the number of the last request taken tells the client which others it may send again elsewhere.
    this.#close();
  }

  closeIfIdle(): void {
    this.#close();
  }

  shutDown(reason: ErrorReason): void {
    for (const stream of this.#streams) stream.connection.shutDown(reason);
    this.#close();
    // What was answered last is on its way to the socket.
    setImmediate(() => setImmediate(() => this.destroy()));
  }

  destroy(): void {
    if (!this.#session.destroyed) this.#session.destroy();
    if (this.#endedAtMs !== NEVER) return;
    this.#endedAtMs = this.#context.clock.monotonicMs();
    // Behind what was written last; a session that was closed before waits for its client otherwise.
    setImmediate(() => this.#socket.destroySoon());
  }

  checkDeadlines(nowMs: number): void {
    const { clientIdleMs, headMs, drainGraceMs, lingerMs } = this.#context.timeouts;
    if (nowMs - this.#endedAtMs >= lingerMs) this.#socket.destroy();
    for (const stream of this.#streams) stream.checkDeadlines(nowMs);
    if (this.#refusal !== undefined && nowMs - this.#openedAtMs >= lingerMs) {
      this.destroy();
      return;
    }
    if (this.#streams.size > 0) {
      if (this.#isWorn(nowMs)) this.#close();
      return;
    }
    const idleMs = nowMs - this.#idleSinceMs;
    if (this.#session.closed && idleMs >= lingerMs) this.destroy();
    else if (idleMs >= (this.#context.draining ? drainGraceMs : this.#served === 0 ? headMs : clientIdleMs)) this.#close();
  }

  #begin(stream: ServerHttp2Stream, flags: number, fields: readonly string[]): void {
    const context = this.#context;
    // One that is being destroyed already says so only later.
    stream.on('error', () => {});
    if (stream.destroyed) {
      this.#reset();
      return;
    }
    const endsHere = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    const form = requestForm(fields, endsHere, () => this.#tools.webSocketKey());
    const request = new RequestStream(context, this.#tools, this.#client, stream, form, (gone, whole) => this.#ended(gone, whole));
    this.#streams.add(request);
    request.begin(this.#served++, this.#refusal);
    if (this.#refusal !== undefined || context.announcesClose || this.#served >= context.limits.requestsPerConnection) this.#close();
  }

  #ended(stream: RequestStream, whole: boolean): void {
    this.#streams.delete(stream);
    this.#idleSinceMs = this.#context.clock.monotonicMs();
    if (!whole) this.#reset();
  }

  /** A request has ended without its answer: the client has given it up, or has made the gateway do so (CVE-2023-44487, CVE-2025-8671). */
  #reset(): void {
    if (this.#resets.spend(this.#context.clock.monotonicMs()) || this.#session.destroyed) return;
    this.#session.destroy(undefined, NGHTTP2_ENHANCE_YOUR_CALM);
    this.destroy();
  }

  #isWorn(nowMs: number): boolean {
    return nowMs - this.#openedAtMs >= this.#context.timeouts.clientAgeMs;
  }

  /** Takes no further request, and closes when there is none left. */
  #close(): void {
    if (!this.#session.closed && !this.#session.destroyed) this.#session.close();
  }
}
