import type { LocalAnswer } from '../../engine/index.ts';
import { ERROR_CODES, type ErrorReason } from '../../errors/index.ts';

/** The header that names a request in its answer; no upstream can set it. */
export const REQUEST_ID_HEADER = 'Portcullis-Request-Id';

/** Header line that names a request in its answer and in the access log. */
export function requestIdLine(requestId: string): string {
  return `${REQUEST_ID_HEADER}: ${requestId}\r\n`;
}

const TEXT_LINE = 'Content-Type: text/plain; charset=utf-8\r\n';
const JSON_LINE = 'Content-Type: application/json\r\n';
/** Answers whose text a reference gives, sent the way it gives them (APISIX: JSON text as `text/plain`, with a newline). */
const TEXT_REASONS: ReadonlySet<ErrorReason> = new Set<ErrorReason>(['route_not_found', 'service_not_found']);

const bodies = new Map<ErrorReason, Buffer>();

/** The body of an error answer: `{"error_msg":…}` with the public text of the reason. */
function errorBody(reason: ErrorReason): Buffer {
  let body = bodies.get(reason);
  if (body === undefined) {
    body = Buffer.from(`${JSON.stringify({ error_msg: ERROR_CODES[reason].publicMessage })}\n`);
    bodies.set(reason, body);
  }
  return body;
}

/** An error answer that the gateway makes itself: status and text come from the table of errors. */
export function errorAnswer(reason: ErrorReason, requestId: string): LocalAnswer {
  const typeLine = TEXT_REASONS.has(reason) ? TEXT_LINE : JSON_LINE;
  return {
    status: ERROR_CODES[reason].status,
    headerLines: Buffer.from(typeLine + requestIdLine(requestId), 'latin1'),
    body: errorBody(reason),
    reason,
  };
}
