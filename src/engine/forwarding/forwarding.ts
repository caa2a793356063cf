import { ERROR_CODES, type ErrorReason } from '../../errors/index.ts';
import type { HttpExchange } from '../connection/http-exchange.ts';
import type { EngineContext } from '../engine-context.ts';
import type { ForwardPlan, UpstreamTarget } from '../exchange.ts';
import type { RequestParser } from '../parser/request-parser.ts';
import { Tunnel } from '../tunnel/tunnel.ts';
import { type UpgradeOffer, upgradeOffer } from '../tunnel/upgrade-offer.ts';
import { connectFailureReason } from '../upstream/connect-failure.ts';
import type { UpstreamConnection, UpstreamOwner } from '../upstream/upstream-connection.ts';
import { EMPTY_BYTES } from '../writer/fixed-lines.ts';
import type { ForwardingClient } from './forwarding-client.ts';
import { isHeadMethod, isIdempotent } from './method-traits.ts';
import { RequestSender } from './request-sender.ts';
import { RELAY, ResponseRelay } from './response-relay.ts';

/**
 * The upstream's side of one exchange at a time: picks targets, sends the request, has the response relayed, retries what may be
 * retried. Used again for the next request of the client's connection.
 */
export class Forwarding implements UpstreamOwner {
  readonly #context: EngineContext;
  readonly #client: ForwardingClient;
  readonly #sender: RequestSender;
  readonly #relay: ResponseRelay;
  #exchange: HttpExchange | undefined = undefined;
  #plan: ForwardPlan | undefined = undefined;
  #connection: UpstreamConnection | undefined = undefined;
  #idempotent = false;
  #targetsAsked = 0;
  #firstFailure: ErrorReason | undefined = undefined;
  #retriedStale = false;
  #answered = false;
  /** Monotonic time from which on the upstream keeps the gateway waiting, for whatever it is that it waits. */
  #waitingSinceMs = 0;
  #clientIsSlow = false;
  #offer: UpgradeOffer | undefined = undefined;

  constructor(context: EngineContext, client: ForwardingClient) {
    this.#context = context;
    this.#client = client;
    this.#sender = new RequestSender(context, client.body);
    this.#relay = new ResponseRelay(context, client);
  }

  /** Whether bytes of the request's body can be sent on now. */
  get takesBody(): boolean {
    const connection = this.#connection;
    return connection?.connected === true && connection.transport.pendingBytes === 0;
  }

  /** Begins with what has arrived of the body in `bytes[start, end)`; returns the offset behind what was taken. */
  begin(exchange: HttpExchange, plan: ForwardPlan, head: RequestParser, bytes: Buffer, start: number, end: number): number {
    const isHead = isHeadMethod(head.bytes, head.methodStart, head.methodEnd);
    this.#exchange = exchange;
    this.#plan = plan;
    this.#idempotent = isIdempotent(head.bytes, head.methodStart, head.methodEnd);
    this.#targetsAsked = 0;
    this.#firstFailure = undefined;
    this.#retriedStale = false;
    this.#answered = false;
    this.#clientIsSlow = false;
    this.#offer = plan.allowsUpgrade ? upgradeOffer(head) : undefined;
    if (this.#offer !== undefined) this.#client.closeAfterAnswer();
    this.#relay.begin(exchange, isHead, this.#offer);
    const position = this.#prepare(plan, head, bytes, start, end);
    if (position === -1) return end;
    exchange.bytesFromClient += position - start;
    this.#tryNextTarget(undefined);
    return position;
  }

  /** More of the body arrived while `takesBody`; returns the offset behind what was taken. */
  sendBody(bytes: Buffer, start: number, end: number): number {
    const connection = this.#connection;
    const exchange = this.#exchange;
    if (connection === undefined || exchange === undefined) return start;
    let position = -1;
    try {
      position = this.#sender.sendBody(connection.transport, bytes, start, end);
    } catch (error) {
      this.#context.output.discard();
      this.#crash(error);
      return end;
    }
    if (position === -1) {
      this.#fail('bad_chunk');
      return end;
    }
    exchange.bytesFromClient += position - start;
    this.#waitingSinceMs = this.#now();
    return position;
  }

  /** The client has taken everything written to it. */
  onClientFlushed(): void {
    if (!this.#clientIsSlow) return;
    this.#clientIsSlow = false;
    this.#waitingSinceMs = this.#now();
    this.#connection?.transport.resume();
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
    const waitedMs = nowMs - this.#waitingSinceMs;
    if (!connection.connected) {
      if (waitedMs >= plan.connectTimeoutMs) this.#attemptFailed('connect_timeout');
    } else if (connection.transport.pendingBytes > 0) {
      if (waitedMs >= plan.sendTimeoutMs) this.#attemptFailed('upstream_send_timeout');
    } else if (this.#client.body.done && !this.#clientIsSlow && waitedMs >= plan.readTimeoutMs) {
      this.#attemptFailed('upstream_read_timeout');
    }
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

  /** Says where the next bytes of a large body go to. A client that once fell behind gets copies: it must not hold large buffers. */
  #chooseBuffer(status: number): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    const { bulkBuffers } = this.#context;
    if (this.#relay.lent) {
      bulkBuffers.lose(connection.ownBuffer);
      connection.ownBuffer = undefined;
    } else if (status === RELAY.more && this.#relay.bulk) {
      connection.ownBuffer ??= bulkBuffers.take();
    } else {
      this.#dropOwnBuffer();
    }
  }

  /** Called between reads of the connection, or when it reads nothing more. */
  #dropOwnBuffer(): void {
    const connection = this.#connection;
    const buffer = connection?.ownBuffer;
    if (connection === undefined || buffer === undefined) return;
    connection.ownBuffer = undefined;
    this.#context.bulkBuffers.giveBack(buffer);
  }

  onEnd(): void {
    this.#upstreamEnded(true, undefined);
  }

  onFlushed(): void {
    this.#waitingSinceMs = this.#now();
    this.#client.onBodyInterest();
  }

  onClose(failure: string | undefined): void {
    this.#upstreamEnded(failure === undefined, failure);
  }

  #take(bytes: Buffer, length: number, nowMs: number): void {
    this.#waitingSinceMs = nowMs;
    if (!this.#answered && this.#exchange !== undefined) {
      this.#answered = true;
      this.#exchange.firstByteAtMs = nowMs;
      this.#sender.release();
    }
    const bulk = this.#connection?.ownBuffer;
    const status = bulk === undefined ? this.#relay.read(bytes, length) : this.#relay.passOn(bytes, length);
    if (bulk !== undefined || this.#relay.bulk) this.#chooseBuffer(status);
    if (status === RELAY.failed) this.#fail('bad_upstream_response');
    else if (status === RELAY.done) this.#finish();
    else if (status === RELAY.switched) this.#switchProtocols();
    else if (this.#client.transport.pendingBytes > 0) {
      this.#clientIsSlow = true;
      this.#connection?.transport.pause();
    }
  }

  /** Puts the first piece together; -1 where the exchange has failed. */
  #prepare(plan: ForwardPlan, head: RequestParser, bytes: Buffer, start: number, end: number): number {
    try {
      const position = this.#sender.begin(plan, head, this.#offer?.lines ?? EMPTY_BYTES, bytes, start, end);
      if (position === -1) this.#fail('bad_chunk');
      return position;
    } catch (error) {
      this.#crash(error);
      return -1;
    }
  }

  #tryNextTarget(failure: ErrorReason | undefined): void {
    let target: UpstreamTarget | ErrorReason | undefined;
    try {
      target = this.#plan?.nextTarget(this.#targetsAsked++, failure);
      this.#sender.renewHost();
    } catch (error) {
      this.#crash(error);
      return;
    }
    if (typeof target === 'string') this.#fail(this.#firstFailure ?? target);
    else if (target !== undefined) this.#attempt(target, false);
  }

  #attempt(target: UpstreamTarget, fresh: boolean): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    const pool = this.#context.pool;
    exchange.attempts++;
    exchange.upstream = target;
    let connection: UpstreamConnection | ErrorReason;
    try {
      connection = fresh ? pool.connect(target, this) : pool.acquire(target, this);
    } catch (error) {
      this.#crash(error);
      return;
    }
    if (typeof connection === 'string') {
      // Another node may have an idle connection.
      this.#firstFailure ??= connection;
      this.#tryNextTarget(connection);
      return;
    }
    this.#connection = connection;
    this.#waitingSinceMs = this.#now();
    if (!connection.connected) return;
    this.#sendRequest(connection, this.#waitingSinceMs);
    this.#client.onBodyInterest();
  }

  #sendRequest(connection: UpstreamConnection, nowMs: number): void {
    if (this.#exchange !== undefined) this.#exchange.connectedAtMs = nowMs;
    this.#waitingSinceMs = nowMs;
    connection.requests++;
    this.#sender.sendFirst(connection.transport);
  }

  #upstreamEnded(orderly: boolean, failure: string | undefined): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    if (!connection.connected) {
      this.#attemptFailed(connectFailureReason(failure));
    } else if (this.#relay.finish(orderly) === RELAY.done) {
      this.#finish();
    } else {
      this.#attemptFailed('upstream_closed');
    }
  }

  /** Ends this attempt and, as far as the table of errors and the method allow, begins another. */
  #attemptFailed(reason: ErrorReason): void {
    const connection = this.#connection;
    const target = this.#exchange?.upstream;
    this.#dropOwnBuffer();
    this.#connection = undefined;
    connection?.destroy();
    if (this.#answered || connection === undefined || target === undefined) {
      this.#fail(reason);
      return;
    }
    const retry = ERROR_CODES[reason].retry;
    if (retry === 'reused-connection-only' && this.#maySendAgain(connection)) {
      this.#retriedStale = true;
      this.#attempt(target, true);
      return;
    }
    if (retry !== 'yes') {
      this.#fail(reason);
      return;
    }
    this.#firstFailure ??= reason;
    this.#tryNextTarget(reason);
  }

  /** RFC 9110 §9.2.2: a kept connection that closes under an idempotent request was most likely closed before it. */
  #maySendAgain(connection: UpstreamConnection): boolean {
    return connection.reused && !this.#retriedStale && this.#idempotent && this.#sender.replayable;
  }

  /** The response is complete. */
  #finish(): void {
    const connection = this.#connection;
    const relay = this.#relay;
    const keepAlive = relay.keepAlive;
    this.#dropOwnBuffer();
    const reusable = relay.upstreamKeepsAlive && this.#client.body.done && connection?.transport.pendingBytes === 0;
    this.#connection = undefined;
    if (connection !== undefined) {
      if (reusable) this.#context.pool.release(connection, relay.upstreamKeepAliveMs);
      else connection.destroy();
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
    const { readTimeoutMs, sendTimeoutMs } = plan;
    this.#end();
    const client = this.#client;
    client.beginTunnel(new Tunnel({ context: this.#context, client, connection, exchange, idleTimeoutMs: readTimeoutMs, sendTimeoutMs }));
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
    else this.#client.cut(reason === 'upstream_closed' || reason === 'upstream_read_timeout' ? 'upstream_truncated' : reason);
  }

  #end(): void {
    this.#dropOwnBuffer();
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
