import type { ErrorReason } from '../../errors/index.ts';
import type { EngineContext } from '../engine-context.ts';
import type { ClientConnection } from '../exchange.ts';
import { isHeadMethod } from '../forwarding/method-traits.ts';
import type { RequestParser } from '../parser/request-parser.ts';
import { type DecisionMaker, HttpExchange } from './http-exchange.ts';

/** Requests that are over sooner are never asked about, and what is revoked ends within this time and a sweep. */
const RECHECK_MS = 2_000;

/** The request that a client's connection has at hand: its head while it is read and decided about, and its exchange to the end. */
export class CurrentRequest {
  exchange: HttpExchange | undefined = undefined;
  minorVersion: 0 | 1 = 1;
  isHead = false;
  /** The client has asked for 100, and not got it. */
  awaitsContinue = false;
  sentContinue = false;
  /** The handler is being asked: a decision that it takes now is carried out when it returns. */
  asking = false;
  readonly #context: EngineContext;
  readonly #client: ClientConnection;
  readonly #decisionMaker: DecisionMaker;
  /** Only while there is a part of a head, so that idle connections hold none. */
  #parser: RequestParser | undefined = undefined;
  /** Whose head the parser has read. */
  #asked: HttpExchange | undefined = undefined;

  constructor(context: EngineContext, client: ClientConnection, decisionMaker: DecisionMaker) {
    this.#context = context;
    this.#client = client;
    this.#decisionMaker = decisionMaker;
  }

  get parser(): RequestParser | undefined {
    return this.#parser;
  }

  takeParser(): RequestParser {
    this.#parser ??= this.#context.requestParsers.take();
    return this.#parser;
  }

  begin(nowMs: number, connectionRequests: number): HttpExchange {
    this.isHead = false;
    this.awaitsContinue = false;
    this.sentContinue = false;
    const exchange = new HttpExchange(this.#client, this.#decisionMaker, nowMs, connectionRequests);
    this.exchange = exchange;
    this.#context.exchangesInFlight++;
    return exchange;
  }

  headRead(exchange: HttpExchange, parser: RequestParser, nowMs: number): void {
    exchange.headReadAtMs = nowMs;
    exchange.head = parser;
    this.#asked = exchange;
    this.minorVersion = parser.minorVersion;
    this.awaitsContinue = parser.expectsContinue;
    this.isHead = isHeadMethod(parser.bytes, parser.methodStart, parser.methodEnd);
  }

  /** Gives the request to the handler; false where that throws. */
  ask(exchange: HttpExchange): boolean {
    this.asking = true;
    try {
      this.#context.handler.onRequest(exchange);
      return true;
    } catch (error) {
      this.#decisionMaker.reportFailure(error);
      return false;
    } finally {
      this.asking = false;
    }
  }

  /** Why what has gone on for a while may do so no longer, if the handler says so; it is asked now and then. */
  objection(exchange: HttpExchange, nowMs: number): ErrorReason | undefined {
    const { handler } = this.#context;
    if (handler.objection === undefined || nowMs - Math.max(exchange.recheckedAtMs, exchange.decidedAtMs) < RECHECK_MS) return undefined;
    exchange.recheckedAtMs = nowMs;
    try {
      return handler.objection(exchange);
    } catch (error) {
      this.#decisionMaker.reportFailure(error);
      return undefined;
    }
  }

  /** Ends the exchange, if there is one. */
  finish(nowMs: number): void {
    const exchange = this.exchange;
    if (exchange === undefined) return;
    this.exchange = undefined;
    exchange.finished = true;
    exchange.collector?.stop('the exchange ended before the body did');
    exchange.finishedAtMs = nowMs;
    this.#context.exchangesInFlight--;
    try {
      this.#context.handler.onFinished(exchange);
    } catch (error) {
      this.#decisionMaker.reportFailure(error);
    }
  }

  /**
   * The head is needed no more. Its parser serves another request, unless the handler has not decided yet: what still looks at the
   * head of an exchange that was given up must never see, nor change, another client's.
   */
  releaseHead(): void {
    const asked = this.#asked;
    const parser = this.#parser;
    this.#asked = undefined;
    this.#parser = undefined;
    if (asked !== undefined) asked.head = undefined;
    if (parser === undefined) return;
    parser.reset();
    if (asked?.undecided !== true) this.#context.requestParsers.giveBack(parser);
  }
}
