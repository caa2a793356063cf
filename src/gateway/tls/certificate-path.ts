import { X509Certificate } from 'node:crypto';

/** Longer chains are none that anybody trusts; a loop ends here too. */
const MAX_CHAIN = 32;
/** What one search spends on signatures at most: a few milliseconds. */
const MAX_VERIFICATIONS = 64;
/** With the labels that OpenSSL takes for a certificate's. */
const CERTIFICATE = /-----BEGIN (X509 |TRUSTED |)CERTIFICATE-----[^-]*-----END \1CERTIFICATE-----/g;

/** All certificates of these PEM texts; what is none is left out. */
export function certificatesIn(texts: readonly string[]): readonly X509Certificate[] {
  return texts.flatMap((text) => (text.match(CERTIFICATE) ?? []).flatMap(readCertificate));
}

/**
 * How many certificates stand between a peer's own and one of `authorities` that certifies itself, by the shortest way; undefined where none is
 * found. The peer's own certificate is the first of its own. The way leads over `authorities` and over what else the peer has sent, in whatever order.
 * That need not be the way that OpenSSL has verified: who sends a certificate twice under the same name, once expired or certified by itself, must
 * neither make the way look shorter nor lose it. So every step is verified here, and all certificates that could be the next one are tried.
 */
export function intermediatesTo(
  authorities: readonly X509Certificate[],
  [own, ...sent]: readonly X509Certificate[],
  nowMs: number,
): number | undefined {
  if (own === undefined) return undefined;
  const roots: X509Certificate[] = [];
  const unreached = new Map<string, X509Certificate>();
  for (const certificate of authorities) if (holdsAt(certificate, nowMs) && certificate.checkIssued(certificate)) roots.push(certificate);
  for (const certificate of [...sent, ...authorities])
    if (certificate.ca && holdsAt(certificate, nowMs)) unreached.set(certificate.fingerprint256, certificate);
  let verifications = 0;
  const certifies = (issuer: X509Certificate, certificate: X509Certificate): boolean =>
    certificate.checkIssued(issuer) && verifications++ < MAX_VERIFICATIONS && certificate.verify(issuer.publicKey);
  let reached: readonly X509Certificate[] = [own];
  for (let count = 0; count < MAX_CHAIN && reached.length > 0; count++) {
    if (reached.some((certificate) => roots.some((root) => certifies(root, certificate)))) return count;
    const next: X509Certificate[] = [];
    for (const [fingerprint, issuer] of unreached) {
      if (!reached.some((certificate) => certifies(issuer, certificate))) continue;
      unreached.delete(fingerprint);
      next.push(issuer);
    }
    reached = next;
  }
  return undefined;
}

function holdsAt({ validFromDate, validToDate }: X509Certificate, nowMs: number): boolean {
  return validFromDate.getTime() <= nowMs && nowMs <= validToDate.getTime();
}

function readCertificate(pem: string): readonly X509Certificate[] {
  try {
    return [new X509Certificate(pem)];
  } catch {
    return [];
  }
}
