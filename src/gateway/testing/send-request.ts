import { connect } from 'node:net';

/** An answer as it came, its head in text. */
export interface RawAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** What a request consists of; a GET without extra headers by default. */
export interface RequestText {
  readonly method?: string;
  readonly target?: string;
  readonly host?: string;
  /** In HTTP/1.0 no Host is sent but what is among the headers. */
  readonly version?: '1.0' | '1.1';
  /** Complete lines without their line breaks. */
  readonly headers?: readonly string[];
  readonly body?: string;
}

/** Sends one request on a connection of its own and reads the answer to its end. Rejects when the connection breaks. */
export function sendRequest(port: number, request: RequestText = {}): Promise<RawAnswer> {
  const { method = 'GET', target = '/', host = 'test', version = '1.1', headers = [], body = '' } = request;
  const length = body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
  const hostLines = version === '1.0' ? [] : [`Host: ${host}`];
  const lines = [`${method} ${target} HTTP/${version}`, ...hostLines, 'Connection: close', ...length, ...headers];
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port });
    let text = '';
    socket.setEncoding('latin1');
    socket.on('connect', () => socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`, 'latin1'));
    socket.on('data', (chunk) => {
      text += String(chunk);
    });
    socket.on('error', reject);
    socket.on('close', () => {
      const end = text.indexOf('\r\n\r\n');
      if (end === -1) return reject(new Error(`the connection closed after ${text.length} bytes`));
      resolve({ status: Number(text.slice(9, 12)), head: text.slice(0, end + 2), body: text.slice(end + 4) });
    });
  });
}
