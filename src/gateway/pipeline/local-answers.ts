import type { LocalAnswer } from '../../engine/index.ts';
import { ERROR_CODES, type ErrorReason, retryAfterSeconds } from '../../errors/index.ts';

/** The header that names a request in its answer; no upstream can set it. */
export const REQUEST_ID_HEADER = 'Portcullis-Request-Id';

const TEXT_LINE = Buffer.from('Content-Type: text/plain; charset=utf-8\r\n', 'latin1');
const JSON_LINE = Buffer.from('Content-Type: application/json\r\n', 'latin1');
/** Answers whose text a reference gives, sent the way it gives them (APISIX: JSON text as `text/plain`, with a newline). */
const TEXT_REASONS: ReadonlySet<ErrorReason> = new Set<ErrorReason>(['route_not_found', 'service_not_found']);

/** The answer to a question about the server as a whole (RFC 9110 §9.3.7). What a route allows is for its upstream to say. */
export const SERVER_OPTIONS: LocalAnswer = {
  status: 200,
  headerLines: Buffer.from('Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n', 'latin1'),
  body: Buffer.alloc(0),
  reason: undefined,
};

const answers = new Map<ErrorReason, LocalAnswer>();

/** An error answer that the gateway makes itself: status and `{"error_msg":…}` come from the table of errors. */
export function errorAnswer(reason: ErrorReason): LocalAnswer {
  let answer = answers.get(reason);
  if (answer === undefined) {
    const { status, publicMessage } = ERROR_CODES[reason];
    const typeLine = TEXT_REASONS.has(reason) ? TEXT_LINE : JSON_LINE;
    const retryAfter = retryAfterSeconds(reason);
    const headerLines = retryAfter === undefined ? typeLine : Buffer.concat([typeLine, Buffer.from(`Retry-After: ${retryAfter}\r\n`)]);
    answer = { status, headerLines, body: Buffer.from(`${JSON.stringify({ error_msg: publicMessage })}\n`), reason };
    answers.set(reason, answer);
  }
  return answer;
}
