import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Duplex } from 'node:stream';
import type { TestCertificate } from '../../../test-support/test-certificate.ts';
import type { TestEnd } from './test-upstream.ts';

/** RFC 6455 §1.3. */
const ACCEPT_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const MASK_BYTES = 4;
/** Frames of clients that are this short have a head of two bytes and a mask. */
const MOST_SHORT_BYTES = 125;

/** A WebSocket server that takes any protocol and sends every frame back as it came; closing frames too, and then it ends. */
export interface WebSocketUpstream {
  readonly port: number;
  /** Headers of the requests that asked for WebSocket. */
  readonly upgrades: IncomingHttpHeaders[];
}

/** Listens on a free port of 127.0.0.1 until the test ends, with TLS where a certificate is given. Messages are at most 125 bytes long. */
export async function startWebSocketUpstream(test: TestEnd, certificate?: TestCertificate): Promise<WebSocketUpstream> {
  const upgrades: IncomingHttpHeaders[] = [];
  const sockets: Duplex[] = [];
  const answer = (_request: IncomingMessage, response: ServerResponse): void => void response.end('plain');
  const server = certificate === undefined ? createServer(answer) : createSecureServer(certificate, answer);
  server.on('upgrade', (request, socket) => {
    upgrades.push(request.headers);
    sockets.push(socket);
    const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}${ACCEPT_SUFFIX}`).digest('base64');
    const protocol = request.headers['sec-websocket-protocol'];
    const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${accept}`];
    if (protocol !== undefined) lines.push(`Sec-WebSocket-Protocol: ${protocol}`);
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    echoFrames(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  test.after(() => {
    for (const socket of sockets) socket.destroy();
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the upstream has no port');
  return { port: address.port, upgrades };
}

function echoFrames(socket: Duplex): void {
  let received = Buffer.alloc(0);
  socket.on('error', () => {});
  socket.on('data', (bytes: Buffer) => {
    received = Buffer.concat([received, bytes]);
    for (;;) {
      const length = (received[1] ?? 0) & 0x7f;
      if (length > MOST_SHORT_BYTES) throw new Error('the frame is too long for this server');
      const start = 2 + MASK_BYTES;
      if (received.length < start + length) return;
      const mask = received.subarray(2, start);
      const payload = received.subarray(start, start + length).map((byte, index) => byte ^ (mask[index % MASK_BYTES] ?? 0));
      socket.write(Buffer.concat([Buffer.from([received[0] ?? 0, length]), payload]));
      const closing = ((received[0] ?? 0) & 0x0f) === 8;
      received = received.subarray(start + length);
      if (closing) socket.end();
    }
  });
}
