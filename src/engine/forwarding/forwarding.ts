import type { ErrorReason } from '../../errors/index.ts';
import type { HttpExchange } from '../connection/http-exchange.ts';
import type { EngineContext } from '../engine-context.ts';
import type { ForwardPlan, UpstreamTarget } from '../exchange.ts';
import type { RequestParser } from '../parser/request-parser.ts';
import { Tunnel } from '../tunnel/tunnel.ts';
import { type UpgradeOffer, upgradeOffer } from '../tunnel/upgrade-offer.ts';
import { connectFailureReason } from '../upstream/connect-failure.ts';
import { endedReason } from '../upstream/ended-reason.ts';
import type { UpstreamAsker, UpstreamConnection } from '../upstream/upstream-connection.ts';
import { EMPTY_BYTES } from '../writer/fixed-lines.ts';
import { AFTER_FAILURE, Attempts } from './attempts.ts';
import { cutReason } from './cut-reason.ts';
import type { ForwardingClient } from './forwarding-client.ts';
import { type GivenBody, givenBody } from './given-body.ts';
import { isHeadMethod, isIdempotent, isSeldomWithBody } from './method-traits.ts';
import { chooseOwnBuffer, dropOwnBuffer } from './own-buffer.ts';
import { RELAY } from './relay-status.ts';
import { RequestSender, UNSENDABLE } from './request-sender.ts';
import { ResponseRelay } from './response-relay.ts';
import { RestOfResponse } from './rest-of-response.ts';
import { UpstreamWait } from './upstream-wait.ts';

/**
 * The upstream's side of one exchange at a time: picks targets, sends the request, has the response relayed, retries what may be
 * retried. Used again for the next request of the client's connection.
 */
export class Forwarding implements UpstreamAsker {
  readonly #context: EngineContext;
  readonly #client: ForwardingClient;
  readonly #sender: RequestSender;
  readonly #relay: ResponseRelay;
  #exchange: HttpExchange | undefined = undefined;
  #plan: ForwardPlan | undefined = undefined;
  #connection: UpstreamConnection | undefined = undefined;
  readonly #attempts = new Attempts();
  /** The connection may serve another request after this one. */
  #reusable = true;
  #answered = false;
  readonly #wait = new UpstreamWait();
  #clientIsSlow = false;
  #offer: UpgradeOffer | undefined = undefined;
  /** The body sent is not read from the client, or was before. */
  #bodyGiven = false;

  constructor(context: EngineContext, client: ForwardingClient) {
    this.#context = context;
    this.#client = client;
    this.#sender = new RequestSender(context, client.body);
    this.#relay = new ResponseRelay(context, client, (status) => this.#filterWentOn(status));
  }

  /** Whether bytes of the request's body can be sent on now. */
  get takesBody(): boolean {
    const connection = this.#connection;
    return connection?.ready === true && connection.transport.pendingBytes === 0 && !this.#bodyGiven;
  }

  /** Nobody waits for more of the body in particular. */
  get isDuplex(): boolean {
    return this.#plan?.isDuplex === true;
  }

  /** What the client has yet to send of its body goes nowhere. */
  get leavesBody(): boolean {
    return this.#bodyGiven;
  }

  /** Begins with what has arrived of the body in `bytes[start, end)`; returns the offset behind what was taken. */
  begin(exchange: HttpExchange, plan: ForwardPlan, head: RequestParser, bytes: Buffer, start: number, end: number): number {
    const given = plan.body === undefined && exchange.collector === undefined ? undefined : givenBody(exchange, plan, head);
    this.#exchange = exchange;
    this.#plan = plan;
    this.#bodyGiven = given?.whole === true;
    this.#answered = false;
    this.#clientIsSlow = false;
    this.#offer = plan.allowsUpgrade && plan.body === undefined ? upgradeOffer(head) : undefined;
    if (this.#offer !== undefined) this.#client.closeAfterAnswer();
    this.#beginMethod(exchange, plan, head, given);
    const position = this.#prepare(plan, head, given, bytes, start, end);
    // What was collected is with the sender now, which lets it go when the request is not sent again.
    if (given !== undefined) exchange.collector = undefined;
    if (position < 0) return end;
    exchange.bytesFromClient += position - start;
    this.#tryNextTarget(undefined);
    return position;
  }

  /** What depends on the method: the client's where the plan has no other, and otherwise both (RFC 9110 §9.2.2). */
  #beginMethod(exchange: HttpExchange, plan: ForwardPlan, head: RequestParser, given: GivenBody | undefined): void {
    const client = this.#client;
    const hasBody = given?.whole === true ? given.bytes.length > 0 : !client.body.done;
    const idempotent = isIdempotent(head.bytes, head.methodStart, head.methodEnd);
    const { requestMethod: sent = head.bytes } = plan;
    const start = sent === head.bytes ? head.methodStart : 0;
    const end = sent === head.bytes ? head.methodEnd : sent.length;
    this.#attempts.begin(idempotent && isIdempotent(sent, start, end));
    // To some servers such a body is the next request (CL.0), and they answer it when they like.
    this.#reusable = !hasBody || !isSeldomWithBody(sent, start, end);
    this.#relay.begin(exchange, plan, client.isHead, isHeadMethod(sent, start, end), this.#offer);
  }

  /** More of the body arrived while `takesBody`; returns the offset behind what was taken. */
  sendBody(bytes: Buffer, start: number, end: number): number {
    const connection = this.#connection;
    const exchange = this.#exchange;
    if (connection === undefined || exchange === undefined) return start;
    let position: number;
    try {
      position = this.#sender.sendBody(connection.transport, bytes, start, end);
    } catch (error) {
      this.#context.output.discard();
      this.#crash(error);
      return end;
    }
    if (position < 0) {
      this.#fail(position === UNSENDABLE.tooLarge ? 'body_too_large' : 'bad_chunk');
      return end;
    }
    exchange.bytesFromClient += position - start;
    this.#wait.sinceMs = this.#now();
    return position;
  }

  /** A client that sees the connection end now knows by the framing that the answer lacks something (RFC 9112 §8). */
  get cutIsEvident(): boolean {
    return this.#relay.cutIsEvident;
  }

  /** The client has taken everything written to it. */
  onClientFlushed(): void {
    if (!this.#clientIsSlow) return;
    this.#clientIsSlow = false;
    const filtered = this.#relay.filtered;
    if (filtered !== undefined) {
      this.#filterWentOn(filtered.goOn());
      return;
    }
    this.#wait.sinceMs = this.#now();
    this.#connection?.transport.resume();
  }

  /** The answer has gone on without bytes from the upstream, which may send more now. */
  #filterWentOn(status: number): void {
    const connection = this.#connection;
    this.#relayed(connection, status);
    if (status !== RELAY.more || this.#clientIsSlow || this.#relay.filtered?.busy === true) return;
    this.#wait.sinceMs = this.#now();
    connection?.transport.resume();
  }

  /** The exchange has come to its end elsewhere: nothing more is wanted from the upstream. */
  abort(): void {
    this.#connection?.destroy();
    this.#end();
  }

  checkDeadlines(nowMs: number): void {
    const connection = this.#connection;
    const plan = this.#plan;
    if (connection === undefined || plan === undefined) return;
    const { headBegunAtMs, filtered } = this.#relay;
    const filterBusy = filtered?.busy === true;
    const reason = this.#wait.overdue(connection, plan, (this.#requestRead || plan.isDuplex) && !this.#clientIsSlow && !filterBusy, nowMs);
    if (filterBusy && nowMs - filtered.busySinceMs >= this.#context.timeouts.decisionMs) this.#fail('decision_timeout');
    else if (reason !== undefined) this.#attemptFailed(reason);
    else if (headBegunAtMs !== 0 && nowMs - headBegunAtMs >= plan.readTimeoutMs) this.#attemptFailed('upstream_read_timeout');
  }

  onConnected(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#sendRequest(connection, this.#now());
    this.#client.onBodyInterest();
  }

  onBytes(bytes: Buffer, length: number): void {
    const { clock } = this.#context;
    try {
      this.#take(bytes, length, clock.hold());
    } finally {
      clock.letGo();
    }
  }

  onEnd(): void {
    this.#upstreamEnded(true, undefined);
  }

  onFlushed(): void {
    this.#wait.sinceMs = this.#now();
    this.#client.onBodyInterest();
  }

  onClose(failure: string | undefined): void {
    this.#upstreamEnded(failure === undefined, failure);
  }

  /** The attempt goes on with another connection. */
  onLost(): void {
    this.#connection = undefined;
    if (this.#exchange?.upstream !== undefined) this.#connect(this.#exchange.upstream, true);
  }

  #take(bytes: Buffer, length: number, nowMs: number): void {
    this.#wait.sinceMs = nowMs;
    const connection = this.#connection;
    if (!this.#answered && this.#exchange !== undefined) {
      if (connection !== undefined && this.#context.pool.spokeBefore(connection)) {
        this.#attemptFailed('upstream_uninvited');
        return;
      }
      this.#answered = true;
      this.#exchange.firstByteAtMs = nowMs;
      this.#sender.release();
    }
    const bulk = connection?.ownBuffer;
    const status = bulk === undefined ? this.#relay.read(bytes, length) : this.#relay.passOn(bytes, length);
    if (connection !== undefined && (bulk !== undefined || this.#relay.bulk))
      chooseOwnBuffer(this.#context.bulkBuffers, connection, this.#relay, status);
    this.#relayed(connection, status);
  }

  /** What follows from how far the relay has come. */
  #relayed(connection: UpstreamConnection | undefined, status: number): void {
    if (status === RELAY.more) {
      const clientIsSlow = this.#client.transport.pendingBytes > 0;
      if (!clientIsSlow && this.#relay.filtered?.busy !== true) return;
      this.#clientIsSlow = clientIsSlow;
      connection?.transport.pause();
    } else if (status === RELAY.done) this.#finish();
    else if (status === RELAY.failed) this.#attemptRuined('bad_upstream_response');
    else if (status === RELAY.switched) this.#switchProtocols();
    else if (status === RELAY.crashed) this.#fail('internal');
  }

  /** The request that is sent has been read whole from the client, or is not the client's. */
  get #requestRead(): boolean {
    return this.#client.body.done || this.#bodyGiven;
  }

  /** Puts the first piece together; negative where the exchange has failed. */
  #prepare(plan: ForwardPlan, head: RequestParser, given: GivenBody | undefined, bytes: Buffer, start: number, end: number): number {
    try {
      const position = this.#sender.begin(plan, head, this.#offer?.lines ?? EMPTY_BYTES, given, bytes, start, end);
      if (position < 0) this.#fail(position === UNSENDABLE.tooLarge ? 'body_too_large' : 'bad_chunk');
      return position;
    } catch (error) {
      this.#crash(error);
      return -1;
    }
  }

  #tryNextTarget(failure: ErrorReason | undefined): void {
    let target: UpstreamTarget | ErrorReason | undefined;
    try {
      target = this.#plan?.nextTarget(this.#attempts.nextTarget(), failure);
      this.#sender.renewHost();
    } catch (error) {
      this.#crash(error);
      return;
    }
    if (typeof target === 'string') this.#fail(this.#attempts.outcome(target));
    else if (target !== undefined) this.#attempt(target, false);
  }

  #attempt(target: UpstreamTarget, fresh: boolean): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    exchange.attempts++;
    exchange.upstream = target;
    this.#connect(target, fresh);
  }

  #connect(target: UpstreamTarget, fresh: boolean): void {
    const { pool } = this.#context;
    let connection: UpstreamConnection | ErrorReason;
    try {
      connection = fresh ? pool.connect(target, this) : pool.acquire(target, this);
    } catch (error) {
      this.#crash(error);
      return;
    }
    if (typeof connection === 'string') {
      // Another node may have an idle connection.
      this.#attempts.noteFailure(connection);
      this.#tryNextTarget(connection);
      return;
    }
    this.#connection = connection;
    this.#wait.sinceMs = this.#now();
    if (!connection.ready) return;
    this.#sendRequest(connection, this.#wait.sinceMs);
    this.#client.onBodyInterest();
  }

  #sendRequest(connection: UpstreamConnection, nowMs: number): void {
    if (this.#exchange !== undefined) this.#exchange.connectedAtMs = nowMs;
    this.#wait.sinceMs = nowMs;
    connection.requests++;
    this.#sender.sendFirst(connection.transport);
    // It is not sent twice, so its buffer serves the next request at once; only upstreams of HTTP/2 can say that they have not begun.
    if (!this.#attempts.idempotent && connection.target.sessions === undefined) this.#sender.release();
  }

  #upstreamEnded(orderly: boolean, failure: string | undefined): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    if (!connection.ready) {
      this.#attemptFailed(connectFailureReason(failure));
    } else {
      const status = this.#relay.finish(orderly);
      if (status === RELAY.failed) this.#attemptFailed(endedReason(failure, this.#answered, connection.reused));
      else this.#relayed(connection, status);
    }
  }

  /** Ends this attempt and, where that is allowed, begins another. */
  #attemptFailed(reason: ErrorReason): void {
    const connection = this.#connection;
    const target = this.#exchange?.upstream;
    dropOwnBuffer(this.#context.bulkBuffers, connection);
    this.#connection = undefined;
    if (connection !== undefined) this.#context.pool.discard(connection);
    if (this.#answered || connection === undefined || target === undefined) {
      this.#attemptRuined(reason);
      return;
    }
    const next = this.#attempts.after(reason, connection.reused, this.#sender.replayable);
    if (next === AFTER_FAILURE.sameTarget) this.#attempt(target, true);
    else if (next === AFTER_FAILURE.nextTarget) {
      this.#exchange?.noteFailedAttempt(reason);
      this.#tryNextTarget(reason);
    } else this.#attemptRuined(reason);
  }

  /** The attempt has failed and there is no other. */
  #attemptRuined(reason: ErrorReason): void {
    this.#exchange?.noteFailedAttempt(reason);
    this.#fail(reason);
  }

  /** The response is complete. */
  #finish(): void {
    const connection = this.#connection;
    const { keepAlive, upstreamKeepAliveMs, filtered } = this.#relay;
    const upstreamKeepsAlive = this.#relay.upstreamKeepsAlive && filtered?.surplus !== true;
    dropOwnBuffer(this.#context.bulkBuffers, connection);
    this.#connection = undefined;
    if (connection !== undefined) {
      // A filter may have come to the end of a body while its connection was paused.
      if (filtered !== undefined) connection.transport.resume();
      const clean = upstreamKeepsAlive && this.#requestRead && connection.transport.pendingBytes === 0;
      if (!clean || !this.#reusable) connection.destroy();
      else if (this.#relay.leavesBody) new RestOfResponse(this.#context, connection, this.#relay.takeBody(), upstreamKeepAliveMs);
      else this.#context.pool.release(connection, upstreamKeepAliveMs);
    }
    this.#end();
    this.#client.answerWritten(keepAlive);
  }

  /** The connection belongs to a tunnel from here on. */
  #switchProtocols(): void {
    const connection = this.#connection;
    const exchange = this.#exchange;
    const plan = this.#plan;
    if (connection === undefined || exchange === undefined || plan === undefined) return;
    const { readTimeoutMs: idleTimeoutMs, sendTimeoutMs } = plan;
    this.#end();
    const client = this.#client;
    client.beginTunnel(new Tunnel({ context: this.#context, client, connection, exchange, idleTimeoutMs, sendTimeoutMs }));
  }

  #crash(error: unknown): void {
    this.#client.reportFailure(error);
    this.#fail('internal');
  }

  #fail(reason: ErrorReason): void {
    const headSent = this.#relay.headSent;
    this.#connection?.destroy();
    this.#end();
    if (!headSent) this.#client.refuse(reason);
    else this.#client.cut(cutReason(reason));
  }

  #end(): void {
    dropOwnBuffer(this.#context.bulkBuffers, this.#connection);
    this.#connection = undefined;
    this.#exchange = undefined;
    this.#plan = undefined;
    this.#offer = undefined;
    this.#sender.end();
    this.#relay.end();
  }

  #now(): number {
    return this.#context.clock.monotonicMs();
  }
}
