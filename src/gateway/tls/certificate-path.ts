import { X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate, PeerCertificate } from 'node:tls';

/** Longer chains are none that anybody trusts; a loop ends here too. */
const MAX_CHAIN = 32;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/** Those of these PEM texts that certify themselves, which is where a chain ends. What is none is left out. */
export function rootsIn(texts: readonly string[]): readonly X509Certificate[] {
  return texts.flatMap((text) => (text.match(CERTIFICATE) ?? []).flatMap(readRoot));
}

/**
 * How many certificates stand between a peer's own and one of `roots`, which certifies the last of them; undefined where none does. The chain is the one
 * that the peer's certificates make by Node's reading, and Node's reading need not be the one that OpenSSL has verified: who sends
 * a certificate twice under the same name, once expired or certified by itself, must not make the way look shorter. So each step is verified here.
 */
export function intermediatesTo(roots: readonly X509Certificate[], peer: PeerCertificate, nowMs: number): number | undefined {
  let read: Partial<DetailedPeerCertificate> = peer;
  let certificate = new X509Certificate(peer.raw);
  for (let count = 0; count < MAX_CHAIN; count++) {
    const last = certificate;
    if (roots.some((root) => certifies(root, last))) return count;
    const { issuerCertificate } = read;
    if (issuerCertificate?.raw === undefined || issuerCertificate === read) return undefined;
    const issuer = new X509Certificate(issuerCertificate.raw);
    if (!issuer.ca || !holdsAt(issuer, nowMs) || !certifies(issuer, certificate)) return undefined;
    read = issuerCertificate;
    certificate = issuer;
  }
  return undefined;
}

function certifies(issuer: X509Certificate, certificate: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

function holdsAt({ validFromDate, validToDate }: X509Certificate, nowMs: number): boolean {
  return validFromDate.getTime() <= nowMs && nowMs <= validToDate.getTime();
}

function readRoot(pem: string): readonly X509Certificate[] {
  try {
    const certificate = new X509Certificate(pem);
    return certificate.checkIssued(certificate) ? [certificate] : [];
  } catch {
    return [];
  }
}
