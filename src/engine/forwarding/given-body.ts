import type { HttpExchange } from '../connection/http-exchange.ts';
import type { ForwardPlan } from '../exchange.ts';
import type { RequestParser } from '../parser/request-parser.ts';

/** What is known of a body without reading it from the client. */
export interface GivenBody {
  readonly bytes: Buffer;
  /** It is the body. Else it is the beginning of what the client sends. */
  readonly whole: boolean;
}

/** The body that is known: the plan's own, or what was collected of the client's before the request was decided. */
export function givenBody({ collector }: HttpExchange, { body }: ForwardPlan, head: RequestParser): GivenBody | undefined {
  if (body !== undefined) return { bytes: body, whole: true };
  return head.body === 'none' ? undefined : collector;
}
