import type { ErrorReason } from '../../errors/index.ts';
import type { EngineContext } from '../engine-context.ts';
import { BODY } from '../parser/chunked-parser.ts';
import type { Transport } from '../transport/transport.ts';
import { sendContinue } from './answer-output.ts';
import type { BodyDiscarder } from './body-discarder.ts';
import type { ConnectionTimes } from './connection-times.ts';
import type { CurrentRequest } from './current-request.ts';
import type { HttpExchange } from './http-exchange.ts';
import { PHASE } from './phase.ts';

/** What of a client's connection a body needs that goes to no upstream. */
export interface BodyConnection {
  phase: number;
  readonly times: ConnectionTimes;
  readonly request: CurrentRequest;
  readonly discarder: BodyDiscarder;
  readonly transport: Transport;
  giveUp(reason: ErrorReason): void;
  linger(): void;
}

/** Waits for the body from now on; a client that waits for 100 gets it where nothing of its body has come. */
export function beginCollecting(connection: BodyConnection, context: EngineContext, exchange: HttpExchange, nothingCame: boolean): void {
  connection.times.lastReadAtMs = context.clock.monotonicMs();
  if (nothingCame) sendContinue(context, connection.transport, connection.request, exchange);
}

/** Collects from `bytes[start, end)` what the handler waits for before it decides; returns the offset behind what was taken. */
export function collectBody(connection: BodyConnection, bytes: Buffer, start: number, end: number, nowMs: number): number {
  const { request, times } = connection;
  const { exchange } = request;
  const collector = exchange?.collector;
  if (exchange === undefined || collector === undefined) return end;
  // A client that sends does not wait for 100 any more.
  request.awaitsContinue = false;
  const position = collector.take(bytes, start, end);
  if (position === -1) {
    connection.giveUp('bad_chunk');
    return end;
  }
  exchange.bytesFromClient += position - start;
  if (collector.collecting) return position;
  collector.settledAtMs = nowMs;
  times.bodyHeldUp();
  return position;
}

/** Throws `bytes[start, end)` away, as far as they are of a body that an answer has left unread; returns as `collectBody` does. */
export function discardBody(connection: BodyConnection, bytes: Buffer, start: number, end: number): number {
  const { discarder, times } = connection;
  const event = discarder.read(bytes, start, end);
  if (event === BODY.failed) {
    connection.linger();
    return end;
  }
  if (event === BODY.done) {
    connection.phase = PHASE.idle;
    times.sinceMs = times.lastReadAtMs;
  }
  return discarder.position;
}
