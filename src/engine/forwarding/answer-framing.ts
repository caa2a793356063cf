import type { ResponseParser } from '../parser/response-parser.ts';
import type { AnswerFraming } from '../writer/response-head-writer.ts';

/** What becomes of a response's body on its way to the client. */
export interface AnswerBody {
  /** The answer ends with its head, whatever its fields say. */
  readonly bodyless: boolean;
  /** The response does; where the answer does not, its body is empty. */
  readonly upstreamBodyless: boolean;
  /** It passes through a filter, so nobody knows its length. */
  readonly filtered: boolean;
}

/** How the end of an answer's body is told that is not simply the response's. */
export function framingOfChanged(head: ResponseParser, status: number, minorVersion: 0 | 1, body: AnswerBody): AnswerFraming {
  if (body.bodyless) return status !== 204 && head.framing === 'length' && !body.filtered ? 'declared' : 'none';
  if (!body.filtered && (body.upstreamBodyless || head.framing === 'length')) return 'length';
  return minorVersion === 1 ? 'chunked' : 'close';
}
