import type { TLSSocket } from 'node:tls';
import type { ClientHello } from './client-hello.ts';
import type { ClientCertificate, ClientTls } from './client-tls.ts';
import type { ServerTerms } from './server-terms.ts';

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
    certificate: terms.requestsCertificate ? readCertificate(socket) : undefined,
  };
}

function readCertificate(socket: TLSSocket): ClientCertificate {
  const peer = socket.getPeerCertificate(true);
  // Of a resumed session without one OpenSSL says that all is well: what is not there is not asked about.
  if (peer.raw === undefined) return { peer: undefined, problem: undefined };
  return { peer, problem: verificationProblem(socket) };
}

/**
 * What `tls.Server` makes `authorizationError` of; a socket that no such server made has it in its handle alone, which is not documented. Where
 * it cannot be asked, nobody is believed.
 */
function verificationProblem(socket: TLSSocket): string | undefined {
  const handle: unknown = Reflect.get(socket, '_handle');
  if (typeof handle !== 'object' || handle === null) return 'UNKNOWN';
  const ask: unknown = Reflect.get(handle, 'verifyError');
  if (typeof ask !== 'function') return 'UNKNOWN';
  const problem: unknown = Reflect.apply(ask, handle, []);
  if (problem === null || problem === undefined) return undefined;
  return problem instanceof Error && 'code' in problem ? String(problem.code) : 'UNKNOWN';
}
