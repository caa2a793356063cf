import type { Server } from 'node:https';
import type { Socket } from 'node:net';

/**
 * Connections of a server whose TLS handshake is not done. `Server.closeIdleConnections` and `closeAllConnections` do not know them,
 * so that a client that connects and says nothing would hold up the end of the server.
 */
export class PendingHandshakes {
  readonly #sockets = new Map<string, Socket>();

  constructor(server: Server) {
    server.on('connection', (socket: Socket) => {
      const peer = peerOf(socket);
      this.#sockets.set(peer, socket);
      socket.once('close', () => {
        if (this.#sockets.get(peer) === socket) this.#sockets.delete(peer);
      });
    });
    // The encrypted socket is another object; what the two share is the peer.
    server.on('secureConnection', (socket) => this.#sockets.delete(peerOf(socket)));
  }

  /** Ends them all. */
  destroyAll(): void {
    for (const socket of this.#sockets.values()) socket.destroy();
  }
}

function peerOf(socket: Pick<Socket, 'remoteAddress' | 'remotePort'>): string {
  return `${socket.remoteAddress ?? ''} ${socket.remotePort ?? 0}`;
}
