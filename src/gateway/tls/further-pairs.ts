import { X509Certificate } from 'node:crypto';
import { messageOf } from '../../lib/message-of.ts';
import type { CertificatePair } from '../../schema/index.ts';

/** Certificates of one object, for a name that several speak for. */
export interface OwnedPairs {
  readonly owner: string;
  readonly pairs: readonly CertificatePair[];
}

/**
 * What other objects of the same name add to a host's own certificates: one for each kind of key (RSA, ECDSA) that is not there yet. One
 * that OpenSSL would refuse is left out, and told to `onProblem`: it must not take the host's own away.
 */
export function furtherPairs(
  own: readonly CertificatePair[],
  others: readonly OwnedPairs[],
  onProblem: (text: string) => void,
): readonly CertificatePair[] {
  const kinds = new Set(own.map(({ cert }) => keyKindOf(cert)));
  const further: CertificatePair[] = [];
  for (const { owner, pairs } of others) {
    for (const pair of pairs) {
      const kind = keyKindOf(pair.cert);
      if (kind !== undefined && kinds.has(kind)) continue;
      const problem = kind === undefined ? 'it is no certificate' : problemOf(pair);
      if (problem !== undefined) {
        onProblem(`the certificate of ${owner} for the same name is left out: ${problem}`);
        continue;
      }
      kinds.add(kind);
      further.push(pair);
    }
  }
  return further;
}

function keyKindOf(cert: string): string | undefined {
  try {
    return new X509Certificate(cert).publicKey.asymmetricKeyType;
  } catch {
    return undefined;
  }
}

function problemOf(pair: CertificatePair): string | undefined {
  try {
    process.getBuiltinModule('node:tls').createSecureContext({ ...pair });
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
