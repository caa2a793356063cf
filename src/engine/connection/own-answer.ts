import type { ErrorReason } from '../../errors/index.ts';
import type { EngineContext } from '../engine-context.ts';
import type { LocalAnswer } from '../exchange.ts';
import type { CurrentRequest } from './current-request.ts';
import { engineAnswer } from './engine-answer.ts';
import type { HttpExchange } from './http-exchange.ts';
import { PHASE } from './phase.ts';

/** The connection on which the engine answers by itself. */
export interface AnsweringConnection {
  readonly phase: number;
  readonly request: CurrentRequest;
  reportFailure(error: unknown): void;
}

/** What the engine answers by itself, as the handler may have changed it. A request whose head was not read is none of the handler's. */
export function ownAnswer(
  connection: AnsweringConnection,
  { handler }: EngineContext,
  exchange: HttpExchange,
  reason: ErrorReason,
): LocalAnswer {
  const answer = engineAnswer(reason);
  const { phase, request } = connection;
  if (handler.filterAnswer === undefined || phase === PHASE.idle || phase === PHASE.head) return answer;
  // What else the handler may do to the exchange now comes too late.
  request.asking = true;
  try {
    return handler.filterAnswer(exchange, answer);
  } catch (error) {
    connection.reportFailure(error);
    return answer;
  } finally {
    request.asking = false;
  }
}
