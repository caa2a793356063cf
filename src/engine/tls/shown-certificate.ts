import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { ClientCertificate } from './client-tls.ts';

/** Nobody sends more of any use. */
const MAX_CHAIN = 32;
const UNSPECIFIED = 'UNSPECIFIED';
/** What Node says, in one version or another, of a client that shows no certificate; they are said of others too. */
const SAID_OF_NONE: ReadonlySet<string | undefined> = new Set([undefined, UNSPECIFIED, 'UNABLE_TO_GET_ISSUER_CERT']);

/**
 * What a client showed in the handshake that its socket has finished.
 *
 * It is never asked for by `getPeerCertificate`: Node 26 ends the whole process with a segmentation fault where that meets a key on a curve
 * which NIST has no name for (secp256k1, brainpool), and what certificates a client sends is its own choice.
 */
export class ShownCertificate implements ClientCertificate {
  readonly isShown: boolean;
  readonly problem: string | undefined;
  readonly #socket: TLSSocket;
  #chain: readonly X509Certificate[] | undefined;

  constructor(socket: TLSSocket) {
    this.#socket = socket;
    const problem = verificationProblem(socket);
    // Of a resumed session without one OpenSSL says that all is well.
    this.isShown = !SAID_OF_NONE.has(problem) || this.chain.length > 0;
    this.problem = this.isShown ? problem : undefined;
  }

  get chain(): readonly X509Certificate[] {
    this.#chain ??= chainOf(this.#socket);
    return this.#chain;
  }
}

function chainOf(socket: TLSSocket): readonly X509Certificate[] {
  const chain: X509Certificate[] = [];
  for (let read = socket.getPeerX509Certificate(); read !== undefined && chain.length < MAX_CHAIN; read = read.issuerCertificate)
    chain.push(read);
  return chain;
}

/**
 * What `tls.Server` makes `authorizationError` of; a socket that no such server made has it in its handle alone, which is not documented. Where
 * it cannot be asked, nobody is believed.
 */
function verificationProblem(socket: TLSSocket): string | undefined {
  const handle: unknown = Reflect.get(socket, '_handle');
  if (typeof handle !== 'object' || handle === null) return UNSPECIFIED;
  const ask: unknown = Reflect.get(handle, 'verifyError');
  if (typeof ask !== 'function') return UNSPECIFIED;
  const problem: unknown = Reflect.apply(ask, handle, []);
  if (problem === null || problem === undefined) return undefined;
  return problem instanceof Error && 'code' in problem ? String(problem.code) : UNSPECIFIED;
}
