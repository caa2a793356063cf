import { hash, type X509Certificate } from 'node:crypto';
import type { PeerCertificate } from 'node:tls';
import type { ClientCertificate, ClientTls } from '../../engine/index.ts';
import type { ErrorReason } from '../../errors/index.ts';
import { compileRegex, type SafeRegex } from '../../expression/index.ts';
import type { ClientRules } from '../../schema/index.ts';
import { intermediatesTo, rootsIn } from './certificate-path.ts';

/** Which clients a host lets in: one of its `client` objects, compiled. */
export class ClientPolicy {
  /** PEM of every authority that is believed. */
  readonly authorities: readonly string[];
  /** The same for the same host under the same rules, and for nothing else. */
  readonly fingerprint: string;
  readonly #depth: number;
  readonly #skipped: readonly SafeRegex[];
  readonly #nowMs: () => number;
  #roots: readonly X509Certificate[] | undefined;
  /** Whether the way from a client's certificate to an authority is short enough: found out once a connection. */
  readonly #near = new WeakMap<ClientCertificate, boolean>();

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
    const reason = this.#certificateRefusal(certificate);
    if (reason === undefined) return 'SUCCESS';
    return reason === 'client_certificate_missing' ? 'NONE' : `FAILED:${certificate?.problem ?? 'CERT_CHAIN_TOO_LONG'}`;
  }

  #certificateRefusal(certificate: ClientTls['certificate']): ErrorReason | undefined {
    if (certificate?.peer === undefined) return 'client_certificate_missing';
    if (certificate.problem !== undefined || !this.#isNear(certificate, certificate.peer)) return 'client_certificate_invalid';
    return undefined;
  }

  #isNear(certificate: ClientCertificate, peer: PeerCertificate): boolean {
    let isNear = this.#near.get(certificate);
    if (isNear === undefined) {
      this.#roots ??= rootsIn(this.authorities);
      isNear = (intermediatesTo(this.#roots, peer, this.#nowMs()) ?? Number.POSITIVE_INFINITY) <= this.#depth;
      this.#near.set(certificate, isNear);
    }
    return isNear;
  }
}

function compilePath(pattern: string, onProblem: (text: string) => void): readonly SafeRegex[] {
  const compiled = compileRegex(pattern);
  if (compiled.kind === 'regex') return [compiled];
  onProblem(`skip_mtls_uri_regex: ${compiled.message}`);
  return [];
}
