import type { Socket } from 'node:net';
import { createSecureContext, type SecureContext, type SecureContextOptions, TLSSocket } from 'node:tls';
import { SocketTransport } from './socket-transport.ts';
import type { Transport, TransportReceiver } from './transport.ts';

/**
 * The server's side of a TLS connection on an accepted socket. The handshake has no deadline of its own: a client that does not
 * finish it never sends a first byte, so the receiver's deadline for that ends it.
 */
class TlsTransport extends SocketTransport {
  readonly #plain: Socket;

  constructor(plain: Socket, secureContext: SecureContext, receiver: TransportReceiver) {
    const socket = new TLSSocket(plain, { isServer: true, secureContext });
    super(socket, receiver, true);
    this.#plain = plain;
    // A failed handshake or a broken record: the plain socket's `close` follows, and with it ours.
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

/** Makes the server's side of TLS connections, all with the same certificate. Throws what Node does for one that is none. */
export function encryption(options: SecureContextOptions): (plain: Socket, receiver: TransportReceiver) => Transport {
  const secureContext = createSecureContext(options);
  return (plain, receiver) => new TlsTransport(plain, secureContext, receiver);
}
