import { ERROR_CODES, type ErrorReason, retryAfterSeconds } from '../../errors/index.ts';
import type { LocalAnswer } from '../exchange.ts';
import { JSON_LINE } from '../writer/fixed-lines.ts';

const answers = new Map<ErrorReason, LocalAnswer>();

/** The answer that the engine makes by itself: status and text from the table of errors. */
export function engineAnswer(reason: ErrorReason): LocalAnswer {
  let answer = answers.get(reason);
  if (answer === undefined) {
    const { status, publicMessage } = ERROR_CODES[reason];
    const retryAfter = retryAfterSeconds(reason);
    const headerLines = retryAfter === undefined ? JSON_LINE : Buffer.concat([JSON_LINE, Buffer.from(`Retry-After: ${retryAfter}\r\n`)]);
    answer = { status, headerLines, body: Buffer.from(`${JSON.stringify({ error_msg: publicMessage })}\n`, 'utf8'), reason };
    answers.set(reason, answer);
  }
  return answer;
}

/**
 * Whether the connection may go on after this failure: only where the client's bytes are beyond doubt, which a malformed
 * message or a step that broke off half-way does not leave.
 */
export function leavesFramingIntact(reason: ErrorReason): boolean {
  return ERROR_CODES[reason].source !== 'client' && reason !== 'internal';
}
