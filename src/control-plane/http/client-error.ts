import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** The last request of a connection, and its answer. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** Statuses for what Node's parser and timers report; everything else is a malformed request. */
const STATUSES: ReadonlyMap<string, readonly [string, string]> = new Map([
  ['ERR_HTTP_REQUEST_TIMEOUT', ['408 Request Timeout', 'the request did not arrive in time']],
  ['HPE_HEADER_OVERFLOW', ['431 Request Header Fields Too Large', 'request header fields too large']],
]);
const MALFORMED = ['400 Bad Request', 'malformed request'] as const;

/**
 * Ends a connection whose client sends what is no request, or sends it too slowly. It is told why, unless an answer has begun
 * on this connection for the very message that failed.
 */
export function answerClientError(
  error: Error & { readonly code?: string },
  socket: Duplex,
  last: Exchange | undefined,
  version: string,
): void {
  if (error.code === 'ECONNRESET' || !socket.writable || !mayAnswer(last)) {
    socket.destroy();
    return;
  }
  const [status, message] = STATUSES.get(error.code ?? '') ?? MALFORMED;
  const body = JSON.stringify({ error_msg: message });
  const head = [
    `HTTP/1.1 ${status}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `Portcullis-Version: ${version}`,
    'Connection: close',
  ];
  // The client may go on sending, so the socket is not left to it once the answer is out.
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

function mayAnswer(last: Exchange | undefined): boolean {
  if (last === undefined) return true;
  return last.request.complete ? last.response.writableFinished : !last.response.headersSent;
}
