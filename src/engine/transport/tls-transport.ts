import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { EncryptedTransport } from './encrypted-transport.ts';
import { resetSocket } from './reset-socket.ts';
import type { TransportReceiver } from './transport.ts';

/** A TLS connection behind its handshake. */
export class TlsTransport extends EncryptedTransport {
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

  /** A TLS socket cannot be reset itself; it closes when the one below it has. */
  override reset(): void {
    resetSocket(this.#plain);
  }
}
