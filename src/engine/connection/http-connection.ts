// Longer than most files: the phases of a connection and the moves between them are one concept, and read best on one page.
import { ERROR_CODES, type ErrorReason } from '../../errors/index.ts';
import type { EngineContext } from '../engine-context.ts';
import type { ClientConnection, LocalAnswer } from '../exchange.ts';
import { Forwarding } from '../forwarding/forwarding.ts';
import type { ForwardingClient } from '../forwarding/forwarding-client.ts';
import { isHeadMethod } from '../forwarding/method-traits.ts';
import type { IdleConnection } from '../idle-victims.ts';
import { BodyReader } from '../parser/body-reader.ts';
import { BODY } from '../parser/chunked-parser.ts';
import { PARSE } from '../parser/parse-status.ts';
import type { RequestParser } from '../parser/request-parser.ts';
import type { Transport, TransportReceiver } from '../transport/transport.ts';
import type { Tunnel } from '../tunnel/tunnel.ts';
import { EMPTY_BYTES } from '../writer/fixed-lines.ts';
import { sendContinue, sendLocalAnswer } from './answer-output.ts';
import { BodyDiscarder } from './body-discarder.ts';
import { engineAnswer, leavesFramingIntact } from './engine-answer.ts';
import { bytesBehind, HeldRequests } from './held-requests.ts';
import { type DecisionMaker, HttpExchange } from './http-exchange.ts';
import { PHASE } from './phase.ts';
import { ProgressWatch } from './progress-watch.ts';

/** How long a connection may be silent after it was accepted before it counts as idle. */
const FIRST_REQUEST_MS = 5_000;

/**
 * One client's connection. Requests are read and answered strictly one after the other; bytes that cannot be used yet are kept
 * (at most what one read brought) and reading stops, so memory stays bounded whatever the client sends.
 */
export class HttpConnection implements TransportReceiver, ForwardingClient, DecisionMaker, IdleConnection {
  readonly transport: Transport;
  readonly body: BodyReader;
  minorVersion: 0 | 1 = 1;
  sentContinue = false;
  /** The address under which the server has counted it; undefined when it is not counted. */
  countedAddress: string | undefined = undefined;
  readonly #context: EngineContext;
  readonly #client: ClientConnection;
  readonly #onGone: (connection: HttpConnection) => void;
  #phase: number = PHASE.idle;
  #parser: RequestParser | undefined = undefined;
  #exchange: HttpExchange | undefined = undefined;
  #forwarding: Forwarding | undefined = undefined;
  #tunnel: Tunnel | undefined = undefined;
  /** The transport is closed, and the tunnel still has bytes for the upstream. */
  #outlived = false;
  /** Bytes that arrived and wait for their turn. */
  #kept: Buffer | undefined = undefined;
  /** On a connection that is to close, while a decision is carried out: what has arrived behind the request. */
  #behind: Buffer | undefined = undefined;
  #heldRequests: HeldRequests | undefined = undefined;
  #consuming = false;
  #asking = false;
  #keepAlive = false;
  #wantsKeepAlive = false;
  #awaitsContinue = false;
  #isHead = false;
  #halfClosed = false;
  #halfClosedAtMs = 0;
  #served = 0;
  /** Why its first request is refused and it serves no other. */
  #refusal: ErrorReason | undefined = undefined;
  readonly #openedAtMs: number;
  readonly #discarder: BodyDiscarder;
  /** Monotonic time of the last progress in the present phase. */
  #sinceMs: number;
  #lastReadAtMs: number;
  /** Made when a sweep finds the connection waiting for a body, or for the client to take an answer. */
  #bodyWatch: ProgressWatch | undefined = undefined;
  #writeWatch: ProgressWatch | undefined = undefined;

  constructor(
    context: EngineContext,
    client: ClientConnection,
    makeTransport: (receiver: TransportReceiver) => Transport,
    onGone: (connection: HttpConnection) => void,
  ) {
    this.#context = context;
    this.#client = client;
    this.#onGone = onGone;
    this.body = new BodyReader(context.limits);
    this.#discarder = new BodyDiscarder(this.body, context.limits.discardedBodyBytes);
    this.#sinceMs = context.clock.monotonicMs();
    this.#lastReadAtMs = this.#sinceMs;
    this.#openedAtMs = this.#sinceMs;
    this.transport = makeTransport(this);
  }

  onBytes(bytes: Buffer, length: number): void {
    if (this.#phase === PHASE.closed) return;
    const { clock } = this.#context;
    this.#lastReadAtMs = clock.hold();
    try {
      if (this.#kept === undefined) this.#consume(bytes, 0, length, false);
      else this.#kept = Buffer.concat([this.#kept, bytes.subarray(0, length)]);
      this.#adjustReading();
    } finally {
      clock.letGo();
    }
  }

  onEnd(): void {
    this.#halfClosed = true;
    this.#halfClosedAtMs = this.#now();
    this.#settleHalfClose();
  }

  onFlushed(): void {
    this.#writeWatch?.pause();
    if (this.#phase === PHASE.forwarding) {
      this.#forwarding?.onClientFlushed();
    } else if (this.#phase === PHASE.flushing) {
      this.#afterAnswer();
    } else if (this.#phase === PHASE.tunnel) {
      this.#tunnel?.clientFlushed();
    }
  }

  onClose(failure: string | undefined): void {
    if (this.#phase === PHASE.tunnel) {
      this.#outlived = true;
      this.#tunnel?.clientClosed(failure);
      return;
    }
    if (this.#phase !== PHASE.closed) this.#abandon('client_aborted');
    this.#onGone(this);
  }

  onDecided(): void {
    if (this.#asking || this.#phase !== PHASE.deciding) return;
    const kept = this.#kept ?? EMPTY_BYTES;
    this.#kept = undefined;
    this.#consuming = true;
    const position = this.#carryOut(kept, 0, kept.length);
    this.#consuming = false;
    this.#consume(kept, position, kept.length, true);
    this.#continue();
  }

  onAborted(exchange: HttpExchange, reason: ErrorReason): void {
    if (exchange === this.#exchange && !this.#asking) this.#giveUp(reason);
  }

  keepsAlive(): boolean {
    return this.#mayKeepAlive() && this.body.done;
  }

  closeAfterAnswer(): void {
    this.#wantsKeepAlive = false;
  }

  onBodyInterest(): void {
    this.#continue();
  }

  beginTunnel(tunnel: Tunnel): void {
    this.#phase = PHASE.tunnel;
    this.#tunnel = tunnel;
    this.#continue();
    tunnel.begin();
  }

  tunnelEnded(reason: ErrorReason | undefined): void {
    if (reason === undefined) this.#abandon(undefined);
    else this.cut(reason);
  }

  answerWritten(keepAlive: boolean): void {
    this.#keepAlive = keepAlive;
    if (this.transport.pendingBytes > 0) this.#phase = PHASE.flushing;
    else this.#afterAnswer();
  }

  refuse(reason: ErrorReason): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    if (ERROR_CODES[reason].status === 0) {
      this.cut(reason);
      return;
    }
    exchange.reason = reason;
    this.#answer(engineAnswer(reason), leavesFramingIntact(reason) && this.#keepsAliveUnread());
  }

  cut(reason: ErrorReason): void {
    this.#abandon(reason);
    this.transport.reset();
  }

  reportFailure(error: unknown): void {
    this.#context.onFailure(error);
  }

  /**
   * The first request is answered with this reason, whatever it is, and the connection is closed. To be called before anything has
   * arrived; a client that sends no whole head soon is not waited for.
   */
  refuseFirst(reason: ErrorReason): void {
    this.#refusal = reason;
  }

  /** Answers with what `refuseFirst` said without waiting for the request any longer, and closes. */
  refuseNow(): void {
    const phase = this.#phase;
    const refusal = this.#refusal;
    if (refusal !== undefined && (phase === PHASE.idle || phase === PHASE.head)) {
      if (this.#exchange === undefined) this.#beginExchange();
      this.refuse(refusal);
    }
    this.destroy();
  }

  /** Monotonic time since when it only waits for a request; -1 while it does anything else, or has only just come. */
  idleSinceMs(nowMs: number): number {
    if (this.#phase !== PHASE.idle || this.#refusal !== undefined) return -1;
    return this.#served > 0 || nowMs - this.#sinceMs >= FIRST_REQUEST_MS ? this.#sinceMs : -1;
  }

  /** Closes the connection if it only waits for another request. */
  closeIfIdle(): void {
    if (this.#phase === PHASE.idle && this.#served > 0) this.#linger();
  }

  /** Gives the connection up at once. What is under way on it ends with `reason`, which the client is told if nothing else was. */
  shutDown(reason: ErrorReason): void {
    this.#wantsKeepAlive = false;
    this.#giveUp(reason);
    this.destroy();
  }

  /** Gives the connection up at once. */
  destroy(): void {
    if (this.#phase !== PHASE.closed) this.#abandon(undefined);
    this.transport.destroy();
  }

  checkDeadlines(nowMs: number): void {
    const { timeouts } = this.#context;
    switch (this.#phase) {
      case PHASE.idle:
        if (nowMs - this.#sinceMs >= this.#idleLimitMs()) this.#linger();
        return;
      case PHASE.head:
        if (this.#refusal !== undefined && nowMs - this.#openedAtMs >= timeouts.lingerMs) this.refuse(this.#refusal);
        else if (nowMs - this.#sinceMs >= timeouts.headMs) this.refuse('request_timeout');
        return;
      case PHASE.deciding:
        this.#checkDeciding(nowMs);
        return;
      case PHASE.forwarding:
        this.#checkForwarding(nowMs);
        return;
      case PHASE.tunnel:
        this.#tunnel?.checkDeadlines(nowMs);
        return;
      case PHASE.flushing:
        if (this.#takesTooSlowly(nowMs)) this.cut('client_write_timeout');
        return;
      case PHASE.discarding:
        if (this.#arrivesTooSlowly(nowMs, this.#discarder.bytes)) this.#linger();
        return;
      case PHASE.lingering:
        if (nowMs - this.#sinceMs >= timeouts.lingerMs) this.destroy();
        return;
      default:
    }
  }

  #idleLimitMs(): number {
    const { timeouts, draining } = this.#context;
    if (this.#refusal !== undefined) return timeouts.lingerMs;
    if (draining) return timeouts.drainGraceMs;
    return this.#served === 0 ? timeouts.headMs : timeouts.clientIdleMs;
  }

  #checkDeciding(nowMs: number): void {
    const exchange = this.#exchange;
    if (exchange !== undefined && nowMs - exchange.headReadAtMs >= this.#context.timeouts.decisionMs) this.#giveUp('decision_timeout');
    else this.#probePaused();
  }

  #checkForwarding(nowMs: number): void {
    const forwarding = this.#forwarding;
    if (forwarding === undefined) return;
    if (this.#isForsaken(nowMs)) {
      this.cut('client_aborted');
    } else if (this.transport.pendingBytes > 0) {
      if (this.#takesTooSlowly(nowMs)) this.#giveUp('client_write_timeout');
    } else if (!this.body.done && forwarding.takesBody && this.#arrivesTooSlowly(nowMs, this.#exchange?.bytesFromClient ?? 0)) {
      this.#giveUp('request_timeout');
    } else {
      this.#probePaused();
      forwarding.checkDeadlines(nowMs);
    }
  }

  /** While reading is paused nothing read shows that the client has gone; an empty write meets the reset. */
  #probePaused(): void {
    if (this.#readingWaits && this.transport.pendingBytes === 0) this.transport.write(EMPTY_BYTES);
  }

  /** The client has ended its side and has waited for long enough. */
  #isForsaken(nowMs: number): boolean {
    const exchange = this.#exchange;
    if (!this.#halfClosed || exchange === undefined || exchange.status !== 0) return false;
    return nowMs - Math.max(this.#halfClosedAtMs, exchange.startedAtMs) >= this.#context.timeouts.halfClosedMs;
  }

  /** A part of an answer waits for the client to take it. */
  #takesTooSlowly(nowMs: number): boolean {
    const { clientWriteStallMs, answerBytesPerSecond } = this.#context.timeouts;
    this.#writeWatch ??= new ProgressWatch(clientWriteStallMs, answerBytesPerSecond);
    return this.#writeWatch.isTooSlow(nowMs, this.transport.takenBytes, nowMs);
  }

  /** More of a body is wanted; `bytes` of it have come. */
  #arrivesTooSlowly(nowMs: number, bytes: number): boolean {
    const { bodySilenceMs, bodyBytesPerSecond } = this.#context.timeouts;
    this.#bodyWatch ??= new ProgressWatch(bodySilenceMs, bodyBytesPerSecond);
    return this.#bodyWatch.isTooSlow(nowMs, bytes, this.#lastReadAtMs);
  }

  /** Ends the exchange before its time, with an answer where none has begun. */
  #giveUp(reason: ErrorReason): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    this.#forwarding?.abort();
    if (exchange.status !== 0) {
      this.cut(reason);
      return;
    }
    this.#releaseHead(exchange);
    this.refuse(reason);
  }

  /** Reads `bytes[start, end)` as far as the present phase allows and keeps the rest. `own`: no one else writes into `bytes`. */
  #consume(bytes: Buffer, start: number, end: number, own: boolean): void {
    let position = start;
    this.#consuming = true;
    while (position < end && this.#takesBytes()) {
      switch (this.#phase) {
        case PHASE.forwarding:
          position = this.#forwarding?.sendBody(bytes, position, end) ?? end;
          break;
        case PHASE.discarding:
          position = this.#discardBody(bytes, position, end);
          break;
        case PHASE.tunnel:
          this.#tunnel?.fromClient(bytes, position, end);
          position = end;
          break;
        case PHASE.lingering:
          this.#discarder.bytes += end - position;
          position = end;
          break;
        case PHASE.closed:
          position = end;
          break;
        default:
          position = this.#readHead(bytes, position, end);
      }
    }
    this.#consuming = false;
    if (position < end && this.#phase !== PHASE.closed)
      this.#kept = own ? bytes.subarray(position, end) : Buffer.from(bytes.subarray(position, end));
  }

  #takesBytes(): boolean {
    if (this.#phase === PHASE.forwarding) return !this.body.done && this.#forwarding?.takesBody === true;
    return this.#phase !== PHASE.deciding && this.#phase !== PHASE.flushing;
  }

  /** Goes on with kept bytes, and with reading when there are none left. */
  #continue(): void {
    if (this.#consuming) return;
    while (this.#kept !== undefined && this.#takesBytes()) {
      const kept = this.#kept;
      this.#kept = undefined;
      this.#consume(kept, 0, kept.length, true);
    }
    this.#adjustReading();
    if (this.#halfClosed) this.#settleHalfClose();
  }

  /** What the client sends has no place to go to yet. */
  get #readingWaits(): boolean {
    if (this.#kept !== undefined) return true;
    if (this.#phase === PHASE.forwarding) return !this.body.done && this.#forwarding?.takesBody !== true;
    return this.#phase === PHASE.lingering && this.#discarder.full;
  }

  /** While nothing is wanted from the client reading goes on, for only so is it noticed when the client goes away. */
  #adjustReading(): void {
    if (this.#phase === PHASE.tunnel) return;
    if (this.#readingWaits) {
      this.#bodyWatch?.pause();
      this.transport.pause();
    } else {
      if (this.#phase === PHASE.forwarding && !this.body.done) this.#lastReadAtMs = this.#now();
      this.transport.resume();
    }
  }

  #readHead(bytes: Buffer, start: number, end: number): number {
    this.#parser ??= this.#context.requestParsers.take();
    const parser = this.#parser;
    const status = parser.feed(bytes, start, end);
    if (status === PARSE.more && !parser.started) return end;
    if (this.#exchange === undefined) this.#beginExchange();
    const exchange = this.#exchange;
    if (exchange === undefined) return end;
    exchange.bytesFromClient = parser.headLength;
    if (status === PARSE.more) {
      this.#phase = PHASE.head;
      return end;
    }
    if (status === PARSE.failed) {
      this.body.begin('none', 0);
      this.#wantsKeepAlive = false;
      this.refuse(parser.reason);
      this.#releaseParser();
      return end;
    }
    return this.#ask(exchange, parser, bytes, end);
  }

  #beginExchange(): void {
    this.#sinceMs = this.#lastReadAtMs;
    this.#isHead = false;
    this.#awaitsContinue = false;
    this.sentContinue = false;
    this.#exchange = new HttpExchange(this.#client, this, this.#lastReadAtMs);
    this.#context.exchangesInFlight++;
    this.#served++;
  }

  /** Gives the request to the handler and carries its decision out, if there is one yet. */
  #ask(exchange: HttpExchange, parser: RequestParser, bytes: Buffer, end: number): number {
    const position = parser.nextPosition;
    exchange.headReadAtMs = this.#lastReadAtMs;
    exchange.head = parser;
    this.body.begin(parser.body, parser.contentLength);
    this.minorVersion = parser.minorVersion;
    this.#wantsKeepAlive = parser.wantsKeepAlive;
    this.#awaitsContinue = parser.expectsContinue;
    this.#isHead = isHeadMethod(parser.bytes, parser.methodStart, parser.methodEnd);
    this.#phase = PHASE.deciding;
    if (this.#refusal !== undefined) return this.#refuseAsked(exchange, this.#refusal, end);
    this.#asking = true;
    try {
      this.#context.handler.onRequest(exchange);
    } catch (error) {
      this.reportFailure(error);
      this.#asking = false;
      exchange.decidedAtMs = this.#now();
      this.refuse('internal');
      this.#releaseHead(exchange);
      return end;
    }
    this.#asking = false;
    if (exchange.answer !== undefined || exchange.plan !== undefined) return this.#carryOut(bytes, position, end);
    parser.retain();
    return position;
  }

  #carryOut(bytes: Buffer, start: number, end: number): number {
    const exchange = this.#exchange;
    const parser = this.#parser;
    if (exchange === undefined || parser === undefined) return end;
    // What plugins did in between took time that the log is to show.
    exchange.decidedAtMs = this.#context.clock.renew();
    let position = start;
    if (this.#context.announcesClose || this.#isWorn()) this.#behind = bytesBehind(this.body, bytes, start, end);
    if (exchange.answer !== undefined) {
      exchange.reason = exchange.answer.reason;
      this.#answer(exchange.answer, this.#keepsAliveUnread());
    } else if (exchange.plan !== undefined) {
      if (this.#awaitsContinue && start === end) {
        this.#awaitsContinue = false;
        this.sentContinue = true;
        sendContinue(this.#context, this.transport, exchange);
      }
      this.#phase = PHASE.forwarding;
      this.#forwarding ??= new Forwarding(this.#context, this);
      position = this.#forwarding.begin(exchange, exchange.plan, parser, bytes, start, end);
    }
    this.#behind = undefined;
    this.#releaseHead(exchange);
    return position;
  }

  #answer(answer: LocalAnswer, keepAlive: boolean): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    sendLocalAnswer(this.#context, this.transport, exchange, answer, { minorVersion: this.minorVersion, isHead: this.#isHead, keepAlive });
    this.answerWritten(keepAlive);
  }

  #mayKeepAlive(): boolean {
    return this.#wantsKeepAlive && ((!this.#context.announcesClose && !this.#isWorn()) || this.#holdsRequests());
  }

  /** The connection is to close: what has arrived behind the present request is answered first. */
  #holdsRequests(): boolean {
    const kept = this.#kept;
    const behind = this.#behind ?? (kept === undefined ? EMPTY_BYTES : bytesBehind(this.body, kept, 0, kept.length));
    this.#heldRequests ??= new HeldRequests();
    return this.#heldRequests.follow(behind);
  }

  #isWorn(): boolean {
    const { limits, timeouts } = this.#context;
    return this.#served >= limits.requestsPerConnection || this.#lastReadAtMs - this.#openedAtMs >= timeouts.clientAgeMs;
  }

  #refuseAsked(exchange: HttpExchange, reason: ErrorReason, end: number): number {
    exchange.decidedAtMs = this.#now();
    this.#wantsKeepAlive = false;
    this.refuse(reason);
    this.#releaseHead(exchange);
    return end;
  }

  /**
   * As `keepsAlive`, for an answer that leaves the body unread: a bounded rest is thrown away. A client that waits for 100 may
   * send its body or not (RFC 9110 §10.1.1), so there nothing behind the head is to be trusted.
   */
  #keepsAliveUnread(): boolean {
    return (
      this.#mayKeepAlive() && (this.body.done || (!this.#awaitsContinue && this.body.remaining <= this.#context.limits.discardedBodyBytes))
    );
  }

  #afterAnswer(): void {
    this.#finishExchange();
    this.#sinceMs = this.#now();
    this.#discarder.reset();
    this.#bodyWatch = undefined;
    if (!this.#keepAlive) this.#linger();
    else this.#phase = this.body.done ? PHASE.idle : PHASE.discarding;
    this.#continue();
  }

  #discardBody(bytes: Buffer, start: number, end: number): number {
    const event = this.#discarder.read(bytes, start, end);
    if (event === BODY.failed) {
      this.#linger();
      return end;
    }
    if (event === BODY.done) {
      this.#phase = PHASE.idle;
      this.#sinceMs = this.#lastReadAtMs;
    }
    return this.#discarder.position;
  }

  #settleHalfClose(): void {
    if (this.#kept !== undefined) return;
    this.#tunnel?.clientEnded();
    const incomplete = !this.body.done && (this.#phase === PHASE.forwarding || this.#phase === PHASE.deciding);
    if (this.#phase === PHASE.head || incomplete) {
      this.#abandon('client_aborted');
      this.transport.destroy();
    } else if (this.#phase === PHASE.idle || this.#phase === PHASE.discarding) {
      this.#linger();
    }
  }

  /** RFC 9112 §9.6: an answer could be lost to a reset if the connection were closed under bytes that still arrive. */
  #linger(): void {
    this.#phase = PHASE.lingering;
    this.#sinceMs = this.#now();
    this.#discarder.reset();
    this.#kept = undefined;
    this.#releaseParser();
    this.transport.end();
    this.#adjustReading();
  }

  /** Ends the exchange, if there is one, with nothing more to send. */
  #abandon(reason: ErrorReason | undefined): void {
    this.#phase = PHASE.closed;
    this.#kept = undefined;
    this.#forwarding?.abort();
    this.#tunnel?.abort();
    this.#tunnel = undefined;
    const exchange = this.#exchange;
    if (exchange !== undefined) {
      exchange.reason ??= reason;
      this.#finishExchange();
      exchange.head = undefined;
    }
    this.#releaseParser();
    if (this.#outlived) this.#onGone(this);
    this.#outlived = false;
  }

  #finishExchange(): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    this.#exchange = undefined;
    exchange.finished = true;
    exchange.finishedAtMs = this.#now();
    this.#context.exchangesInFlight--;
    try {
      this.#context.handler.onFinished(exchange);
    } catch (error) {
      this.reportFailure(error);
    }
  }

  #releaseHead(exchange: HttpExchange): void {
    exchange.head = undefined;
    this.#releaseParser();
  }

  #releaseParser(): void {
    const parser = this.#parser;
    if (parser === undefined) return;
    this.#parser = undefined;
    parser.reset();
    this.#context.requestParsers.giveBack(parser);
  }

  #now(): number {
    return this.#context.clock.monotonicMs();
  }
}
