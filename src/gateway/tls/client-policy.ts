import { hash } from 'node:crypto';
import type { ClientTls } from '../../engine/index.ts';
import type { ErrorReason } from '../../errors/index.ts';
import { compileRegex, type SafeRegex } from '../../expression/index.ts';
import type { ClientRules } from '../../schema/index.ts';

/** Which clients a host lets in: one of its `client` objects, compiled. */
export class ClientPolicy {
  /** PEM of every authority that is believed. */
  readonly authorities: readonly string[];
  /** The same for the same host under the same rules, and for nothing else. */
  readonly fingerprint: string;
  readonly #depth: number;
  readonly #skipped: readonly SafeRegex[];

  /** `owner` names the host's object; `onProblem` hears of expressions that cannot be used, and match nothing. */
  constructor(owner: string, rules: ClientRules, authorities: readonly string[], onProblem: (text: string) => void) {
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
    if (certificate.problem !== undefined || certificate.intermediates > this.#depth) return 'client_certificate_invalid';
    return undefined;
  }
}

function compilePath(pattern: string, onProblem: (text: string) => void): readonly SafeRegex[] {
  const compiled = compileRegex(pattern);
  if (compiled.kind === 'regex') return [compiled];
  onProblem(`skip_mtls_uri_regex: ${compiled.message}`);
  return [];
}
