import type { TLSSocket } from 'node:tls';
import type { ClientHello } from './client-hello.ts';
import type { ClientTls } from './client-tls.ts';
import type { ServerTerms } from './server-terms.ts';
import { ShownCertificate } from './shown-certificate.ts';

/** What the handshake that `socket` has just finished agreed on. */
export function readClientTls(socket: TLSSocket, hello: ClientHello, terms: ServerTerms): ClientTls {
  const { alpnProtocol } = socket;
  return {
    serverName: hello.serverName,
    protocol: socket.getProtocol() ?? '',
    cipher: socket.getCipher().name,
    alpn: typeof alpnProtocol === 'string' && alpnProtocol !== '' ? alpnProtocol : undefined,
    resumed: socket.isSessionReused(),
    policy: terms.policy,
    certificate: terms.requestsCertificate ? new ShownCertificate(socket) : undefined,
  };
}
