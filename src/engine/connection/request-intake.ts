import type { ErrorReason } from '../../errors/index.ts';
import type { EngineContext } from '../engine-context.ts';
import type { ForwardPlan, LocalAnswer } from '../exchange.ts';
import type { BodyReader } from '../parser/body-reader.ts';
import { PARSE } from '../parser/parse-status.ts';
import type { RequestParser } from '../parser/request-parser.ts';
import type { HttpExchange } from './http-exchange.ts';
import type { KeepAlive } from './keep-alive.ts';
import { PHASE } from './phase.ts';
import { type BodyConnection, beginCollecting } from './take-body.ts';

/** What of a client's connection the way of a request from its first byte to its decision needs. */
export interface AskingConnection extends BodyConnection {
  readonly refusal: ErrorReason | undefined;
  readonly keepAlive: KeepAlive;
  readonly body: BodyReader;
  beginExchange(): HttpExchange;
  refuse(reason: ErrorReason): void;
  answer(exchange: HttpExchange, answer: LocalAnswer, keepAlive: boolean): void;
  /** Returns the offset behind what was taken of `bytes[start, end)`, which are behind the head. */
  forward(exchange: HttpExchange, plan: ForwardPlan, head: RequestParser, bytes: Buffer, start: number, end: number): number;
}

/** Reads `bytes[start, end)` as a head, or more of one, and has a whole one decided about; returns the offset behind what was taken. */
export function readHead(connection: AskingConnection, context: EngineContext, bytes: Buffer, start: number, end: number): number {
  const { request } = connection;
  const parser = request.takeParser();
  const status = parser.feed(bytes, start, end);
  if (status === PARSE.more && !parser.started) return end;
  const exchange = request.exchange ?? connection.beginExchange();
  exchange.bytesFromClient = parser.headLength;
  if (status === PARSE.done) return ask(connection, context, exchange, parser, bytes, end);
  if (status === PARSE.more) {
    connection.phase = PHASE.head;
    return end;
  }
  connection.body.begin('none', 0);
  connection.keepAlive.wanted = false;
  connection.refuse(parser.reason);
  request.releaseHead();
  return end;
}

/** Gives the request to the handler and carries its decision out, if there is one yet. */
function ask(
  connection: AskingConnection,
  context: EngineContext,
  exchange: HttpExchange,
  parser: RequestParser,
  bytes: Buffer,
  end: number,
): number {
  const { request, times } = connection;
  const position = parser.nextPosition;
  request.headRead(exchange, parser, times.lastReadAtMs);
  connection.body.begin(parser.body, parser.contentLength);
  connection.keepAlive.wanted = parser.wantsKeepAlive && connection.refusal === undefined;
  connection.phase = PHASE.deciding;
  const refusal = connection.refusal ?? (request.ask(exchange) ? exchange.abortReason : 'internal');
  if (refusal !== undefined) {
    exchange.decidedAtMs = context.clock.monotonicMs();
    connection.refuse(refusal);
    request.releaseHead();
    // The connection may go on: what has come behind the head is a body to throw away, and then the next request.
    return position;
  }
  if (!exchange.undecided) return carryOut(connection, context, bytes, position, end);
  parser.retain();
  if (exchange.collector?.collecting === true) beginCollecting(connection, context, exchange, position === end);
  return position;
}

/** The request has been decided about; `bytes[start, end)` have come behind its head. Returns the offset behind what was taken. */
export function carryOut(connection: AskingConnection, context: EngineContext, bytes: Buffer, start: number, end: number): number {
  const { request, keepAlive } = connection;
  const { exchange, parser } = request;
  if (exchange === undefined || parser === undefined) return end;
  // What plugins did in between took time that the log is to show.
  exchange.decidedAtMs = context.clock.renew();
  let position = start;
  keepAlive.lookBehind(bytes, start, end);
  if (exchange.answer !== undefined) {
    exchange.reason = exchange.answer.reason;
    connection.answer(exchange, exchange.answer, keepAlive.allowedUnread(request.awaitsContinue));
  } else if (exchange.plan !== undefined && isTooLarge(exchange, exchange.plan, parser)) {
    position = end;
    connection.refuse('body_too_large');
  } else if (exchange.plan !== undefined) {
    position = connection.forward(exchange, exchange.plan, parser, bytes, start, end);
  }
  keepAlive.lookedBehind();
  request.releaseHead();
  return position;
}

/** The client's body is known to be longer than the plan allows. */
function isTooLarge({ collector }: HttpExchange, { maxBodyBytes }: ForwardPlan, { contentLength }: RequestParser): boolean {
  return contentLength > maxBodyBytes || (collector !== undefined && collector.length > maxBodyBytes);
}
