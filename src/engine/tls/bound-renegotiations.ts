import type { TLSSocket } from 'node:tls';

/** Node has it for clients that do the same. */
const TOO_MANY_HANDSHAKES = 'ERR_TLS_SESSION_ATTACK';

/**
 * Ends a connection to a server on which it asks for more than `most` further handshakes (RFC 5246 §7.4.1.1). OpenSSL gives each that it is asked
 * for, which costs this side as much as a new connection, and Node bounds them for servers alone.
 */
export function boundRenegotiations(socket: TLSSocket, most: number): void {
  let handshakes = 0;
  socket.on('secureConnect', () => {
    if (++handshakes <= 1 + most) return;
    socket.destroy(Object.assign(new Error('the server asks for handshake after handshake'), { code: TOO_MANY_HANDSHAKES }));
  });
}
