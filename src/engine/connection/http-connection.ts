// Longer than most files: the moves between the phases of a connection are one concept, and read best on one page. What a phase does in
// detail is elsewhere: request-intake.ts (head, deciding), forwarding/, tunnel/, body-discarder.ts; connection-deadlines.ts ends each.
import { ERROR_CODES, type ErrorReason } from '../../errors/index.ts';
import type { EngineContext } from '../engine-context.ts';
import type { ClientConnection, ForwardPlan, LocalAnswer } from '../exchange.ts';
import { Forwarding } from '../forwarding/forwarding.ts';
import type { ForwardingClient } from '../forwarding/forwarding-client.ts';
import type { IdleConnection } from '../idle-victims.ts';
import { BodyReader } from '../parser/body-reader.ts';
import type { RequestParser } from '../parser/request-parser.ts';
import type { Transport, TransportReceiver } from '../transport/transport.ts';
import type { Tunnel } from '../tunnel/tunnel.ts';
import { sendContinue, sendLocalAnswer } from './answer-output.ts';
import { BodyCollector, type CollectedPart } from './body-collector.ts';
import { BodyDiscarder } from './body-discarder.ts';
import { ClientInput, type InputReader } from './client-input.ts';
import { checkConnection, type WaitingConnection } from './connection-deadlines.ts';
import { ConnectionTimes } from './connection-times.ts';
import { CurrentRequest } from './current-request.ts';
import { leavesFramingIntact } from './engine-answer.ts';
import type { DecisionMaker, HttpExchange } from './http-exchange.ts';
import { KeepAlive } from './keep-alive.ts';
import { ownAnswer } from './own-answer.ts';
import { PHASE } from './phase.ts';
import { type AskingConnection, carryOut, readHead } from './request-intake.ts';
import { beginCollecting, collectBody, discardBody } from './take-body.ts';

/**
 * One client's connection. Requests are read and answered strictly one after the other; bytes that cannot be used yet are kept
 * (at most what one read brought) and reading stops, so memory stays bounded whatever the client sends.
 *
 * The way of a request is idle → head → deciding → forwarding, or answered here → flushing → idle; `PHASE` says what each means.
 */
export class HttpConnection
  implements TransportReceiver, ForwardingClient, DecisionMaker, IdleConnection, InputReader, AskingConnection, WaitingConnection
{
  readonly transport: Transport;
  readonly body: BodyReader;
  /** The address under which the server has counted it; undefined when it is not counted. */
  countedAddress: string | undefined = undefined;
  /** One of `PHASE`. */
  phase: number = PHASE.idle;
  /** Why its first request is refused and it serves no other. */
  refusal: ErrorReason | undefined = undefined;
  readonly times: ConnectionTimes;
  readonly request: CurrentRequest;
  readonly keepAlive: KeepAlive;
  readonly discarder: BodyDiscarder;
  /** Made with the first request that is forwarded. */
  forwarding: Forwarding | undefined = undefined;
  tunnel: Tunnel | undefined = undefined;
  readonly #context: EngineContext;
  readonly #onGone: (connection: HttpConnection) => void;
  readonly #input: ClientInput;
  /** The transport is closed, and the tunnel still has bytes for the upstream. */
  #outlived = false;
  /** The connection goes on after the answer that is being flushed. */
  #goesOn = false;

  constructor(
    context: EngineContext,
    client: ClientConnection,
    makeTransport: (receiver: TransportReceiver) => Transport,
    onGone: (connection: HttpConnection) => void,
  ) {
    this.#context = context;
    this.#onGone = onGone;
    this.body = new BodyReader(context.limits);
    this.times = new ConnectionTimes(context.timeouts, context.clock.monotonicMs());
    this.#input = new ClientInput(this);
    this.request = new CurrentRequest(context, client, this);
    this.keepAlive = new KeepAlive(context, this.body, this.#input, this.times);
    this.discarder = new BodyDiscarder(this.body, context.limits.discardedBodyBytes);
    this.transport = makeTransport(this);
  }

  // What the client does.

  onBytes(bytes: Buffer, length: number): void {
    if (this.phase === PHASE.closed) return;
    const { clock } = this.#context;
    this.times.lastReadAtMs = clock.hold();
    try {
      this.#input.arrived(bytes, length);
      this.#adjustReading();
    } finally {
      clock.letGo();
    }
  }

  onEnd(): void {
    this.times.halfClosedAtMs = this.#now();
    this.#settleHalfClose();
  }

  onFlushed(): void {
    this.times.tookAll();
    if (this.phase === PHASE.forwarding) this.forwarding?.onClientFlushed();
    else if (this.phase === PHASE.flushing) this.#afterAnswer();
    else if (this.phase === PHASE.tunnel) this.tunnel?.clientFlushed();
  }

  onClose(failure: string | undefined): void {
    if (this.phase === PHASE.tunnel) {
      this.#outlived = true;
      this.tunnel?.clientClosed(failure);
      return;
    }
    if (this.phase !== PHASE.closed) this.#abandon('client_aborted');
    this.#onGone(this);
  }

  // What becomes of its bytes.

  takesInput(): boolean {
    if (this.phase === PHASE.forwarding) return !this.body.done && this.forwarding?.takesBody === true;
    if (this.phase === PHASE.deciding) return this.request.exchange?.collector?.collecting === true;
    return this.phase !== PHASE.flushing;
  }

  takeInput(bytes: Buffer, start: number, end: number): number {
    switch (this.phase) {
      case PHASE.forwarding:
        return this.forwarding?.sendBody(bytes, start, end) ?? end;
      case PHASE.deciding:
        return collectBody(this, bytes, start, end, this.#now());
      case PHASE.discarding:
        return discardBody(this, bytes, start, end);
      case PHASE.tunnel:
        this.tunnel?.fromClient(bytes, start, end);
        return end;
      case PHASE.lingering:
        this.discarder.bytes += end - start;
        return end;
      case PHASE.closed:
        return end;
      default:
        return readHead(this, this.#context, bytes, start, end);
    }
  }

  takeDecided(bytes: Buffer, start: number, end: number): number {
    return carryOut(this, this.#context, bytes, start, end);
  }

  /** What the client sends has no place to go to yet. */
  get readingWaits(): boolean {
    if (this.#input.kept !== undefined) return true;
    if (this.phase === PHASE.forwarding) return !this.body.done && this.forwarding?.takesBody !== true;
    return this.phase === PHASE.lingering && this.discarder.full;
  }

  /** While nothing is wanted from the client reading goes on, for only so is it noticed when the client goes away. */
  #adjustReading(): void {
    if (this.phase === PHASE.tunnel) return;
    if (this.readingWaits) {
      this.times.bodyHeldUp();
      this.transport.pause();
    } else {
      if (this.phase === PHASE.forwarding && !this.body.done) this.times.lastReadAtMs = this.#now();
      this.transport.resume();
    }
  }

  /** Goes on with kept bytes, and with reading when there are none left. */
  #continue(): void {
    if (!this.#input.goOn()) return;
    this.#adjustReading();
    if (this.times.halfClosed) this.#settleHalfClose();
  }

  // The handler decides.

  onDecided(): void {
    if (this.request.asking || this.phase !== PHASE.deciding) return;
    this.#input.decided();
    this.#continue();
  }

  readBody(exchange: HttpExchange, maxBytes: number, part: CollectedPart): Promise<Buffer | 'too-large'> {
    if (this.phase !== PHASE.deciding) return Promise.reject(new Error('the exchange is over'));
    exchange.collector ??= new BodyCollector(this.body, exchange.headReadAtMs);
    const outcome = exchange.collector.collect(maxBytes, part);
    if (!this.request.asking && exchange.collector.collecting) {
      beginCollecting(this, this.#context, exchange, this.#input.kept === undefined);
      this.#continue();
    }
    return outcome;
  }

  onAborted(exchange: HttpExchange, reason: ErrorReason): void {
    if (exchange !== this.request.exchange) return;
    if (this.request.asking) exchange.abortReason ??= reason;
    else this.giveUp(reason);
  }

  beginExchange(): HttpExchange {
    this.times.sinceMs = this.times.lastReadAtMs;
    return this.request.begin(this.times.lastReadAtMs, this.keepAlive.served++);
  }

  answer(exchange: HttpExchange, answer: LocalAnswer, keepAlive: boolean): void {
    const { minorVersion, isHead } = this.request;
    sendLocalAnswer(this.#context, this.transport, exchange, answer, { minorVersion, isHead, keepAlive });
    this.answerWritten(keepAlive);
  }

  forward(exchange: HttpExchange, plan: ForwardPlan, head: RequestParser, bytes: Buffer, start: number, end: number): number {
    if (start === end && plan.body === undefined) sendContinue(this.#context, this.transport, this.request, exchange);
    this.phase = PHASE.forwarding;
    this.forwarding ??= new Forwarding(this.#context, this);
    return this.forwarding.begin(exchange, plan, head, bytes, start, end);
  }

  // What forwarding and tunnel ask of the client's side.

  get minorVersion(): 0 | 1 {
    return this.request.minorVersion;
  }

  get isHead(): boolean {
    return this.request.isHead;
  }

  get sentContinue(): boolean {
    return this.request.sentContinue;
  }

  keepsAlive(): boolean {
    if (!this.body.done && this.forwarding?.leavesBody === true) return this.keepAlive.allowedUnread(this.request.awaitsContinue);
    return this.keepAlive.allowed();
  }

  closeAfterAnswer(): void {
    this.keepAlive.wanted = false;
  }

  onBodyInterest(): void {
    this.#continue();
  }

  beginTunnel(tunnel: Tunnel): void {
    this.phase = PHASE.tunnel;
    this.tunnel = tunnel;
    this.#continue();
    tunnel.begin();
  }

  tunnelEnded(reason: ErrorReason | undefined): void {
    if (reason === undefined) this.#abandon(undefined);
    else this.cut(reason);
  }

  reportFailure(error: unknown): void {
    this.#context.onFailure(error);
  }

  refuse(reason: ErrorReason): void {
    const exchange = this.request.exchange;
    if (exchange === undefined) return;
    if (ERROR_CODES[reason].status === 0) {
      this.cut(reason);
      return;
    }
    this.#answerFor(exchange, reason, false);
  }

  /** The handler has its say about the answer while the head can still be read; the answer makes room for the next head. */
  #answerFor(exchange: HttpExchange, reason: ErrorReason, releasesHead: boolean): void {
    exchange.reason = reason;
    const answer = ownAnswer(this, this.#context, exchange, reason);
    if (releasesHead) this.request.releaseHead();
    this.answer(exchange, answer, leavesFramingIntact(reason) && this.keepAlive.allowedUnread(this.request.awaitsContinue));
  }

  /** A reset also takes what the client has not read of earlier answers, so it is kept for where an end would look like the whole answer. */
  cut(reason: ErrorReason): void {
    const evident = this.phase === PHASE.forwarding && this.forwarding?.cutIsEvident === true && this.transport.pendingBytes === 0;
    this.#abandon(reason);
    if (evident) this.linger();
    else this.transport.reset();
  }

  answerWritten(keepAlive: boolean): void {
    this.#goesOn = keepAlive;
    if (this.transport.pendingBytes > 0) this.phase = PHASE.flushing;
    else this.#afterAnswer();
  }

  // The answer is with the client.

  #afterAnswer(): void {
    this.request.finish(this.#now());
    this.times.sinceMs = this.#now();
    this.discarder.reset();
    this.times.bodyEnded();
    if (!this.#goesOn) this.linger();
    else this.phase = this.body.done ? PHASE.idle : PHASE.discarding;
    this.#continue();
  }

  // The server closes connections.

  /**
   * The first request is answered with this reason, whatever it is, and the connection is closed. To be called before anything has
   * arrived; a client that sends no whole head soon is not waited for.
   */
  refuseFirst(reason: ErrorReason): void {
    this.refusal = reason;
  }

  /** Answers with what `refuseFirst` said without waiting for the request any longer, and closes. */
  refuseNow(): void {
    const refusal = this.refusal;
    if (refusal !== undefined && (this.phase === PHASE.idle || this.phase === PHASE.head)) {
      if (this.request.exchange === undefined) this.beginExchange();
      this.refuse(refusal);
    }
    this.destroy();
  }

  /** Monotonic time since when it only waits for a request; -1 while it does anything else, or has only just come. */
  idleSinceMs(nowMs: number): number {
    if (this.phase !== PHASE.idle || this.refusal !== undefined) return -1;
    return this.times.countsAsIdle(nowMs, this.keepAlive.served) ? this.times.sinceMs : -1;
  }

  /** Closes the connection if it only waits for another request. */
  closeIfIdle(): void {
    if (this.phase === PHASE.idle && this.keepAlive.served > 0) this.linger();
  }

  /** Gives the connection up at once. What is under way on it ends with `reason`, which the client is told if nothing else was. */
  shutDown(reason: ErrorReason): void {
    this.keepAlive.wanted = false;
    this.giveUp(reason);
    this.destroy();
  }

  /** Gives the connection up at once. */
  destroy(): void {
    if (this.phase !== PHASE.closed) this.#abandon(undefined);
    this.transport.destroy();
  }

  checkDeadlines(nowMs: number): void {
    checkConnection(this, this.#context, nowMs);
  }

  // Ways to an end.

  #settleHalfClose(): void {
    if (this.#input.kept !== undefined) return;
    this.tunnel?.clientEnded();
    const incomplete = !this.body.done && (this.phase === PHASE.forwarding || this.phase === PHASE.deciding);
    if (this.phase === PHASE.head || incomplete) {
      this.#abandon('client_aborted');
      this.transport.destroy();
    } else if (this.phase === PHASE.idle || this.phase === PHASE.discarding) {
      this.linger();
    }
  }

  /** Ends the exchange before its time, with an answer where none has begun. */
  giveUp(reason: ErrorReason): void {
    const exchange = this.request.exchange;
    if (exchange === undefined) return;
    this.forwarding?.abort();
    if (exchange.status !== 0) {
      this.cut(reason);
      return;
    }
    if (ERROR_CODES[reason].status === 0) {
      this.request.releaseHead();
      this.cut(reason);
      return;
    }
    this.#answerFor(exchange, reason, true);
  }

  /** RFC 9112 §9.6: an answer could be lost to a reset if the connection were closed under bytes that still arrive. */
  linger(): void {
    this.phase = PHASE.lingering;
    this.times.sinceMs = this.#now();
    this.discarder.reset();
    this.#input.drop();
    this.request.releaseHead();
    this.transport.end();
    this.#adjustReading();
  }

  /** Ends the exchange, if there is one, with nothing more to send. */
  #abandon(reason: ErrorReason | undefined): void {
    this.phase = PHASE.closed;
    this.#input.drop();
    this.forwarding?.abort();
    this.tunnel?.abort();
    this.tunnel = undefined;
    const { exchange } = this.request;
    if (exchange !== undefined) exchange.reason ??= reason;
    this.request.finish(this.#now());
    this.request.releaseHead();
    if (this.#outlived) this.#onGone(this);
    this.#outlived = false;
  }

  #now(): number {
    return this.#context.clock.monotonicMs();
  }
}
