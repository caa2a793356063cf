import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { SocketTransport } from './socket-transport.ts';
import type { TransportReceiver } from './transport.ts';

/** A TLS connection behind its handshake. */
export class TlsTransport extends SocketTransport {
  readonly #plain: Socket;

  /** `plain` is the connection that `socket` encrypts. */
  constructor(socket: TLSSocket, plain: Socket, receiver: TransportReceiver) {
    super(socket, receiver, true);
    this.#plain = plain;
    // A broken record: the plain socket's `close` follows, and with it ours.
    plain.on('error', (error: NodeJS.ErrnoException) => this.noteFailure(error.code ?? 'UNKNOWN'));
    socket.on('_tlsError', (error: NodeJS.ErrnoException) => {
      this.noteFailure(error.code ?? 'UNKNOWN');
      socket.destroy();
    });
  }

  /** What encrypts may read the bytes later, so it gets a copy, and the caller may always reuse its own. */
  override write(bytes: Buffer): boolean {
    return super.write(Buffer.from(bytes));
  }

  /** A TLS socket cannot be reset itself; it closes when the one below it has. */
  override reset(): void {
    this.#plain.resetAndDestroy();
  }
}
