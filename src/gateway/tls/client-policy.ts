import { hash, type X509Certificate } from 'node:crypto';
import type { ClientCertificate, ClientTls } from '../../engine/index.ts';
import type { ErrorReason } from '../../errors/index.ts';
import { compileRegex, type SafeRegex } from '../../expression/index.ts';
import type { ClientRules } from '../../schema/index.ts';
import { certificatesIn, intermediatesTo } from './certificate-path.ts';

/** Of certificates that OpenSSL believes: longer than `depth` allows, or not to be found among what can be seen of the client's certificates. */
type WayProblem = 'CERT_CHAIN_TOO_LONG' | 'CERT_CHAIN_NOT_FOUND';

/** Which clients a host lets in: one of its `client` objects, compiled. */
export class ClientPolicy {
  /** PEM of every authority that is believed. */
  readonly authorities: readonly string[];
  /** The same for the same host under the same rules, and for nothing else. */
  readonly fingerprint: string;
  readonly #depth: number;
  readonly #skipped: readonly SafeRegex[];
  readonly #nowMs: () => number;
  #read: readonly X509Certificate[] | undefined;
  /** What is wrong with the way from a client's certificate to an authority: found out once a connection. */
  readonly #wayProblems = new WeakMap<ClientCertificate, WayProblem | 'none'>();

  /**
   * `owner` names the host's object; `onProblem` hears of expressions that cannot be used, and match nothing. `nowMs` is wall-clock time, by which
   * certificates between a client's and an authority's hold.
   */
  constructor(
    owner: string,
    rules: ClientRules,
    authorities: readonly string[],
    { onProblem, nowMs }: { readonly onProblem: (text: string) => void; readonly nowMs: () => number },
  ) {
    this.#nowMs = nowMs;
    this.authorities = [...(rules.authority === '' ? [] : [rules.authority]), ...authorities];
    this.#depth = rules.depth;
    this.#skipped = rules.skippedPaths.flatMap((pattern) => compilePath(pattern, onProblem));
    this.fingerprint = hash('sha256', JSON.stringify([owner, this.authorities, rules.depth, rules.skippedPaths]), 'hex');
  }

  /** Why a request of this connection is refused. Each of `paths`, the ways in which its path can be read, must need no certificate. */
  refusal({ certificate }: ClientTls, paths: readonly string[]): ErrorReason | undefined {
    const reason = this.#certificateRefusal(certificate);
    if (reason === undefined || paths.every((path) => path !== '' && this.#skipped.some((pattern) => pattern.test(path)))) return undefined;
    return reason;
  }

  /** nginx's `$ssl_client_verify`. */
  verdict({ certificate }: ClientTls): string {
    if (certificate?.isShown !== true) return 'NONE';
    const problem = this.#problemOf(certificate);
    return problem === undefined ? 'SUCCESS' : `FAILED:${problem}`;
  }

  #certificateRefusal(certificate: ClientTls['certificate']): ErrorReason | undefined {
    if (certificate?.isShown !== true) return 'client_certificate_missing';
    return this.#problemOf(certificate) === undefined ? undefined : 'client_certificate_invalid';
  }

  #problemOf(certificate: ClientCertificate): string | undefined {
    if (certificate.problem !== undefined) return certificate.problem;
    let found = this.#wayProblems.get(certificate);
    if (found === undefined) {
      this.#read ??= certificatesIn(this.authorities);
      const intermediates = intermediatesTo(this.#read, certificate.chain, this.#nowMs());
      found = intermediates === undefined ? 'CERT_CHAIN_NOT_FOUND' : intermediates > this.#depth ? 'CERT_CHAIN_TOO_LONG' : 'none';
      this.#wayProblems.set(certificate, found);
    }
    return found === 'none' ? undefined : found;
  }
}

function compilePath(pattern: string, onProblem: (text: string) => void): readonly SafeRegex[] {
  const compiled = compileRegex(pattern);
  if (compiled.kind === 'regex') return [compiled];
  onProblem(`skip_mtls_uri_regex: ${compiled.message}`);
  return [];
}
