import type { SecureContext } from 'node:tls';
import type { ClientHello } from './client-hello.ts';

/** With what a client's handshake is answered. */
export interface ServerTerms {
  readonly secureContext: SecureContext;
  /** The client is asked for a certificate; the handshake succeeds without, and with a bad one. */
  readonly requestsCertificate: boolean;
  /** What may be spoken inside (ALPN), the server's preference first. A client that offers none of them is refused. */
  readonly protocols: readonly string[];
  /** Belongs to whoever chose the terms, and stands in `ClientTls.policy`. */
  readonly policy: unknown;
}

/** Chooses terms by a client's first message. */
export interface TlsChooser {
  /** Undefined: nobody is known by that name, and the client is told so. Throwing refuses the handshake, and is reported. */
  termsFor(hello: ClientHello): ServerTerms | undefined;
}
