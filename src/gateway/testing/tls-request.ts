import { once } from 'node:events';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import type { TestEnd } from './test-upstream.ts';

/** A finished handshake with a gateway. */
export async function connectSecurely(test: TestEnd, port: number, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options });
  test.after(() => void socket.destroy());
  await once(socket, 'secureConnect');
  return socket;
}

/** Sends a GET on a connection that stays, and gives back the answer's status and body. */
export async function getOver(socket: TLSSocket, host: string, path: string): Promise<{ readonly status: number; readonly body: string }> {
  socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  let text = '';
  for (;;) {
    const [piece] = await once(socket, 'data');
    text += String(piece);
    const headEnd = text.indexOf('\r\n\r\n');
    if (headEnd === -1) continue;
    const length = Number(/^content-length: (\d+)/im.exec(text.slice(0, headEnd))?.[1] ?? 0);
    const body = text.slice(headEnd + 4);
    if (body.length >= length) return { status: Number(text.slice(9, 12)), body };
  }
}

/** The code with which a client's handshake fails. */
export async function handshakeError(port: number, options: ConnectionOptions): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options });
  const [error] = await once(socket, 'error');
  socket.destroy();
  return String(error.code);
}
