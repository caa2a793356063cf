import { STATUS_CODES } from '../../lib/node-http.ts';

function line(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

export const EMPTY_BYTES = Buffer.alloc(0);
export const HTTP_11 = line('HTTP/1.1 ');
export const HTTP_11_LINE_END = line(' HTTP/1.1\r\n');
export const HOST = line('Host: ');
export const CONTENT_LENGTH = line('Content-Length: ');
export const CHUNKED_LINE = line('Transfer-Encoding: chunked\r\n');
export const CLOSE_LINE = line('Connection: close\r\n');
export const KEEP_ALIVE_LINE = line('Connection: keep-alive\r\n');
export const CONTINUE_MESSAGE = line('HTTP/1.1 100 Continue\r\n\r\n');
export const UPSTREAM_STATUS = line('X-APISIX-Upstream-Status: ');
export const UPSTREAM_STATUS_NAME = line('x-apisix-upstream-status');
export const JSON_LINE = line('Content-Type: application/json\r\n');
export const LAST_CHUNK = line('0\r\n');

const statusLines = new Map<number, Buffer>();

/** `HTTP/1.1 404 Not Found\r\n`. */
export function statusLine(status: number): Buffer {
  let bytes = statusLines.get(status);
  if (bytes === undefined) {
    bytes = line(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`);
    statusLines.set(status, bytes);
  }
  return bytes;
}
