import type { ErrorReason } from '../../errors/index.ts';
import type { EngineContext } from '../engine-context.ts';
import type { Forwarding } from '../forwarding/forwarding.ts';
import type { BodyReader } from '../parser/body-reader.ts';
import type { Transport } from '../transport/transport.ts';
import type { Tunnel } from '../tunnel/tunnel.ts';
import { EMPTY_BYTES } from '../writer/fixed-lines.ts';
import type { BodyDiscarder } from './body-discarder.ts';
import type { ConnectionTimes } from './connection-times.ts';
import type { CurrentRequest } from './current-request.ts';
import type { HttpExchange } from './http-exchange.ts';
import type { KeepAlive } from './keep-alive.ts';
import { PHASE } from './phase.ts';

/** What of a client's connection a sweep looks at, and what it does to one that has waited for too long. */
export interface WaitingConnection {
  readonly phase: number;
  readonly refusal: ErrorReason | undefined;
  readonly times: ConnectionTimes;
  readonly request: CurrentRequest;
  readonly keepAlive: KeepAlive;
  readonly body: BodyReader;
  readonly discarder: BodyDiscarder;
  readonly forwarding: Forwarding | undefined;
  readonly tunnel: Tunnel | undefined;
  readonly transport: Transport;
  /** What the client sends has no place to go to yet. */
  readonly readingWaits: boolean;
  refuse(reason: ErrorReason): void;
  giveUp(reason: ErrorReason): void;
  cut(reason: ErrorReason): void;
  linger(): void;
  destroy(): void;
}

/** Ends a client's connection, or the exchange on it, if what its phase waits for has not come in time. */
export function checkConnection(connection: WaitingConnection, context: EngineContext, nowMs: number): void {
  const { times, refusal } = connection;
  switch (connection.phase) {
    case PHASE.idle:
      if (refusal === undefined ? times.idleTooLong(nowMs, connection.keepAlive.served, context.draining) : times.refusalDue(nowMs))
        connection.linger();
      return;
    case PHASE.head:
      if (refusal !== undefined && times.refusalDue(nowMs)) connection.refuse(refusal);
      else if (times.headTooLate(nowMs)) connection.refuse('request_timeout');
      return;
    case PHASE.deciding:
    case PHASE.forwarding:
      if (connection.request.exchange !== undefined) checkExchange(connection, connection.request.exchange, nowMs);
      return;
    case PHASE.tunnel:
      if (!endsForbidden(connection, connection.request.exchange, nowMs)) connection.tunnel?.checkDeadlines(nowMs);
      return;
    case PHASE.flushing:
      if (times.takesTooSlowly(nowMs, connection.transport.takenBytes)) connection.cut('client_write_timeout');
      return;
    case PHASE.discarding:
      if (times.arrivesTooSlowly(nowMs, connection.discarder.bytes)) connection.linger();
      return;
    case PHASE.lingering:
      if (times.lingeredEnough(nowMs)) connection.destroy();
      return;
    default:
  }
}

/** Ends what may not go on, whatever its deadlines say; true where it did. */
function endsForbidden(connection: WaitingConnection, exchange: HttpExchange | undefined, nowMs: number): boolean {
  const reason = exchange && connection.request.objection(exchange, nowMs);
  if (reason === undefined) return false;
  connection.giveUp(reason);
  return true;
}

function checkExchange(connection: WaitingConnection, exchange: HttpExchange, nowMs: number): void {
  const { times, transport, forwarding } = connection;
  if (connection.phase === PHASE.deciding) {
    if (exchange.collector?.collecting === true) {
      if (times.arrivesTooSlowly(nowMs, exchange.bytesFromClient)) connection.giveUp('request_timeout');
    } else if (times.decisionTooLate(nowMs, exchange)) connection.giveUp('decision_timeout');
    else probePaused(connection);
  } else if (forwarding === undefined || endsForbidden(connection, exchange, nowMs)) {
    return;
  } else if (times.forsaken(nowMs, exchange)) {
    connection.cut('client_aborted');
  } else if (transport.pendingBytes > 0) {
    if (times.takesTooSlowly(nowMs, transport.takenBytes)) connection.giveUp('client_write_timeout');
  } else if (
    !connection.body.done &&
    forwarding.takesBody &&
    !forwarding.isDuplex &&
    times.arrivesTooSlowly(nowMs, exchange.bytesFromClient)
  ) {
    connection.giveUp('request_timeout');
  } else {
    probePaused(connection);
    forwarding.checkDeadlines(nowMs);
  }
}

/** While reading is paused nothing read shows that the client has gone; an empty write meets the reset. */
function probePaused(connection: WaitingConnection): void {
  if (connection.readingWaits && connection.transport.pendingBytes === 0) connection.transport.write(EMPTY_BYTES);
}
