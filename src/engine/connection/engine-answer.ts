import { ERROR_CODES, type ErrorReason } from '../../errors/index.ts';
import type { LocalAnswer } from '../exchange.ts';
import { JSON_LINE } from '../writer/fixed-lines.ts';

const bodies = new Map<ErrorReason, Buffer>();

function bodyOf(reason: ErrorReason): Buffer {
  let body = bodies.get(reason);
  if (body === undefined) {
    body = Buffer.from(`${JSON.stringify({ error_msg: ERROR_CODES[reason].publicMessage })}\n`, 'utf8');
    bodies.set(reason, body);
  }
  return body;
}

/** The answer that the engine makes by itself: status and text from the table of errors, with the gateway's own lines. */
export function engineAnswer(reason: ErrorReason, lines: Buffer): LocalAnswer {
  return { status: ERROR_CODES[reason].status, headerLines: Buffer.concat([JSON_LINE, lines]), body: bodyOf(reason), reason };
}

/**
 * Whether the connection may go on after this failure: only where the client's bytes are beyond doubt, which a malformed
 * message or a step that broke off half-way does not leave.
 */
export function leavesFramingIntact(reason: ErrorReason): boolean {
  return ERROR_CODES[reason].source !== 'client' && reason !== 'internal';
}
