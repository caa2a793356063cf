import type { ErrorReason } from '../../errors/index.ts';
import type { HttpExchange } from '../connection/http-exchange.ts';
import type { EngineContext } from '../engine-context.ts';
import type { ForwardPlan, UpstreamTarget } from '../exchange.ts';
import type { RequestParser } from '../parser/request-parser.ts';
import { Tunnel } from '../tunnel/tunnel.ts';
import { type UpgradeOffer, upgradeOffer } from '../tunnel/upgrade-offer.ts';
import { connectFailureReason } from '../upstream/connect-failure.ts';
import type { UpstreamConnection, UpstreamOwner } from '../upstream/upstream-connection.ts';
import { EMPTY_BYTES } from '../writer/fixed-lines.ts';
import { AFTER_FAILURE, Attempts } from './attempts.ts';
import { letGo, REUSE, reuseAfter, reuseAfterBodyless } from './connection-reuse.ts';
import type { ForwardingClient } from './forwarding-client.ts';
import { isHeadMethod, isIdempotent } from './method-traits.ts';
import { chooseOwnBuffer, dropOwnBuffer } from './own-buffer.ts';
import { RequestSender } from './request-sender.ts';
import { RELAY, ResponseRelay } from './response-relay.ts';
import { UpstreamWait } from './upstream-wait.ts';

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
  readonly #attempts = new Attempts();
  #reuse: number = REUSE.atOnce;
  #answered = false;
  readonly #wait = new UpstreamWait();
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
    const { methodStart, methodEnd } = head;
    const isHead = isHeadMethod(head.bytes, methodStart, methodEnd);
    this.#exchange = exchange;
    this.#plan = plan;
    this.#attempts.begin(isIdempotent(head.bytes, methodStart, methodEnd));
    this.#reuse = reuseAfter(head, !this.#client.body.done);
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
    this.#wait.sinceMs = this.#now();
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
    const reason = this.#wait.overdue(connection, plan, this.#client.body.done && !this.#clientIsSlow, nowMs);
    const { headBegunAtMs } = this.#relay;
    if (reason !== undefined) this.#attemptFailed(reason);
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

  #take(bytes: Buffer, length: number, nowMs: number): void {
    this.#wait.sinceMs = nowMs;
    if (!this.#answered && this.#exchange !== undefined) {
      this.#answered = true;
      this.#exchange.firstByteAtMs = nowMs;
      this.#sender.release();
    }
    const connection = this.#connection;
    const bulk = connection?.ownBuffer;
    const status = bulk === undefined ? this.#relay.read(bytes, length) : this.#relay.passOn(bytes, length);
    if (connection !== undefined && (bulk !== undefined || this.#relay.bulk))
      chooseOwnBuffer(this.#context.bulkBuffers, connection, this.#relay, status);
    if (status === RELAY.failed) this.#fail('bad_upstream_response');
    else if (status === RELAY.done) this.#finish();
    else if (status === RELAY.switched) this.#switchProtocols();
    else if (this.#client.transport.pendingBytes > 0) {
      this.#clientIsSlow = true;
      connection?.transport.pause();
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
      this.#attempts.noteFailure(connection);
      this.#tryNextTarget(connection);
      return;
    }
    this.#connection = connection;
    this.#wait.sinceMs = this.#now();
    if (!connection.connected) return;
    this.#sendRequest(connection, this.#wait.sinceMs);
    this.#client.onBodyInterest();
  }

  #sendRequest(connection: UpstreamConnection, nowMs: number): void {
    if (this.#exchange !== undefined) this.#exchange.connectedAtMs = nowMs;
    this.#wait.sinceMs = nowMs;
    connection.requests++;
    this.#sender.sendFirst(connection.transport);
    // It is not sent twice, so its buffer serves the next request at once.
    if (!this.#attempts.idempotent) this.#sender.release();
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

  /** Ends this attempt and, where that is allowed, begins another. */
  #attemptFailed(reason: ErrorReason): void {
    const connection = this.#connection;
    const target = this.#exchange?.upstream;
    dropOwnBuffer(this.#context.bulkBuffers, connection);
    this.#connection = undefined;
    connection?.destroy();
    if (this.#answered || connection === undefined || target === undefined) {
      this.#fail(reason);
      return;
    }
    const next = this.#attempts.after(reason, connection.reused, this.#sender.replayable);
    if (next === AFTER_FAILURE.sameTarget) this.#attempt(target, true);
    else if (next === AFTER_FAILURE.nextTarget) this.#tryNextTarget(reason);
    else this.#fail(reason);
  }

  /** The response is complete. */
  #finish(): void {
    const connection = this.#connection;
    const { keepAlive, upstreamKeepsAlive, upstreamKeepAliveMs } = this.#relay;
    dropOwnBuffer(this.#context.bulkBuffers, connection);
    this.#connection = undefined;
    if (connection !== undefined) {
      const clean = upstreamKeepsAlive && this.#client.body.done && connection.transport.pendingBytes === 0;
      const reuse = this.#relay.bodyless ? reuseAfterBodyless(this.#reuse) : this.#reuse;
      letGo(this.#context.pool, connection, reuse, clean, upstreamKeepAliveMs);
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
