// Longer than most files: the phases of a connection and the moves between them are one concept, and read best on one page.
import { ERROR_CODES, type ErrorReason } from '../../errors/index.ts';
import type { EngineContext } from '../engine-context.ts';
import type { ClientConnection, LocalAnswer } from '../exchange.ts';
import { Forwarding } from '../forwarding/forwarding.ts';
import type { ForwardingClient } from '../forwarding/forwarding-client.ts';
import { isHeadMethod } from '../forwarding/method-traits.ts';
import { BodyReader } from '../parser/body-reader.ts';
import { BODY } from '../parser/chunked-parser.ts';
import { PARSE } from '../parser/parse-status.ts';
import type { RequestParser } from '../parser/request-parser.ts';
import type { Transport, TransportReceiver } from '../transport/transport.ts';
import { EMPTY_BYTES } from '../writer/fixed-lines.ts';
import { sendContinue, sendLocalAnswer } from './answer-output.ts';
import { BodyDiscarder } from './body-discarder.ts';
import { engineAnswer, leavesFramingIntact } from './engine-answer.ts';
import { type DecisionMaker, HttpExchange } from './http-exchange.ts';
import { PHASE } from './phase.ts';

/**
 * One client's connection. Requests are read and answered strictly one after the other; bytes that cannot be used yet are kept
 * (at most what one read brought) and reading stops, so memory stays bounded whatever the client sends.
 */
export class HttpConnection implements TransportReceiver, ForwardingClient, DecisionMaker {
  readonly transport: Transport;
  readonly body: BodyReader;
  minorVersion: 0 | 1 = 1;
  readonly #context: EngineContext;
  readonly #client: ClientConnection;
  readonly #onGone: (connection: HttpConnection) => void;
  #phase: number = PHASE.idle;
  #parser: RequestParser | undefined = undefined;
  #exchange: HttpExchange | undefined = undefined;
  #forwarding: Forwarding | undefined = undefined;
  /** Bytes that arrived and wait for their turn. */
  #kept: Buffer | undefined = undefined;
  #consuming = false;
  #asking = false;
  #keepAlive = false;
  #wantsKeepAlive = false;
  #awaitsContinue = false;
  #isHead = false;
  #halfClosed = false;
  #halfClosedAtMs = 0;
  #served = 0;
  readonly #discarder: BodyDiscarder;
  /** Monotonic time of the last progress in the present phase. */
  #sinceMs: number;
  #lastReadAtMs: number;
  /** Monotonic time when the sweep first found the client not taking what was written; 0 when it does. */
  #stalledSinceMs = 0;

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
    this.transport = makeTransport(this);
  }

  onBytes(bytes: Buffer, length: number): void {
    if (this.#phase === PHASE.closed) return;
    this.#lastReadAtMs = this.#now();
    if (this.#kept === undefined) this.#consume(bytes, 0, length, false);
    else this.#kept = Buffer.concat([this.#kept, bytes.subarray(0, length)]);
    this.#adjustReading();
  }

  onEnd(): void {
    this.#halfClosed = true;
    this.#halfClosedAtMs = this.#now();
    this.#settleHalfClose();
  }

  onFlushed(): void {
    this.#stalledSinceMs = 0;
    if (this.#phase === PHASE.forwarding) {
      this.#forwarding?.onClientFlushed();
    } else if (this.#phase === PHASE.flushing) {
      this.#afterAnswer();
    }
  }

  onClose(): void {
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

  keepsAlive(): boolean {
    return this.#mayKeepAlive() && this.body.done;
  }

  onBodyInterest(): void {
    this.#continue();
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
    let lines: Buffer = EMPTY_BYTES;
    try {
      lines = this.#context.handler.linesForEngineAnswer(exchange);
    } catch (error) {
      this.reportFailure(error);
    }
    this.#answer(engineAnswer(reason, lines), leavesFramingIntact(reason) && this.#keepsAliveUnread());
  }

  cut(reason: ErrorReason): void {
    this.#abandon(reason);
    this.transport.reset();
  }

  reportFailure(error: unknown): void {
    this.#context.onFailure(error);
  }

  /** Closes the connection if it only waits for another request. */
  closeIfIdle(): void {
    if (this.#phase === PHASE.idle && this.#served > 0) this.#linger();
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
        if (nowMs - this.#sinceMs >= timeouts.headMs) this.refuse('request_timeout');
        return;
      case PHASE.forwarding:
        this.#checkForwarding(nowMs);
        return;
      case PHASE.flushing:
        if (this.#isStalled(nowMs)) this.cut('client_aborted');
        return;
      case PHASE.discarding:
        if (nowMs - this.#lastReadAtMs >= timeouts.bodySilenceMs) this.#linger();
        return;
      case PHASE.lingering:
        if (nowMs - this.#sinceMs >= timeouts.lingerMs) this.destroy();
        return;
      default:
    }
  }

  #idleLimitMs(): number {
    const { timeouts, draining } = this.#context;
    if (draining) return timeouts.drainGraceMs;
    return this.#served === 0 ? timeouts.headMs : timeouts.clientIdleMs;
  }

  #checkForwarding(nowMs: number): void {
    const { timeouts } = this.#context;
    const forwarding = this.#forwarding;
    if (forwarding === undefined) return;
    if (this.#isForsaken(nowMs)) {
      this.cut('client_aborted');
    } else if (this.transport.pendingBytes > 0) {
      if (this.#isStalled(nowMs)) this.#giveUpOnClient('client_aborted');
    } else if (!this.body.done && forwarding.takesBody && nowMs - this.#lastReadAtMs >= timeouts.bodySilenceMs) {
      this.#giveUpOnClient('request_timeout');
    } else {
      forwarding.checkDeadlines(nowMs);
    }
  }

  /** The client has ended its side and has waited for long enough. */
  #isForsaken(nowMs: number): boolean {
    const exchange = this.#exchange;
    if (!this.#halfClosed || exchange === undefined || exchange.status !== 0) return false;
    return nowMs - Math.max(this.#halfClosedAtMs, exchange.startedAtMs) >= this.#context.timeouts.halfClosedMs;
  }

  #isStalled(nowMs: number): boolean {
    if (this.#stalledSinceMs === 0) this.#stalledSinceMs = nowMs;
    return nowMs - this.#stalledSinceMs >= this.#context.timeouts.clientWriteStallMs;
  }

  #giveUpOnClient(reason: ErrorReason): void {
    this.#forwarding?.abort();
    if (this.#exchange?.status === 0) this.refuse(reason);
    else this.cut(reason);
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

  /** While nothing is wanted from the client reading goes on, for only so is it noticed when the client goes away. */
  #adjustReading(): void {
    const bodyWaits = this.#phase === PHASE.forwarding && !this.body.done && this.#forwarding?.takesBody !== true;
    const enough = this.#phase === PHASE.lingering && this.#discarder.full;
    if (this.#kept !== undefined || bodyWaits || enough) {
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
    exchange.decidedAtMs = this.#now();
    let position = start;
    if (exchange.answer !== undefined) {
      exchange.reason = exchange.answer.reason;
      this.#answer(exchange.answer, this.#keepsAliveUnread());
    } else if (exchange.plan !== undefined) {
      if (this.#awaitsContinue && start === end) {
        this.#awaitsContinue = false;
        sendContinue(this.#context, this.transport, exchange);
      }
      this.#phase = PHASE.forwarding;
      this.#forwarding ??= new Forwarding(this.#context, this);
      position = this.#forwarding.begin(exchange, exchange.plan, parser, bytes, start, end);
    }
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
    return this.#wantsKeepAlive && !this.#context.announcesClose;
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
    const exchange = this.#exchange;
    if (exchange !== undefined) {
      exchange.reason ??= reason;
      this.#finishExchange();
      exchange.head = undefined;
    }
    this.#releaseParser();
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
