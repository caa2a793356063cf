import { createHash, X509Certificate } from 'node:crypto';

/**
 * By what a join token knows an authority: SHA-256 of its public key (SPKI, DER) in base64url. An authority that was certified by another one
 * has the same pin as its self-signed certificate, so a token holds over a change of authorities.
 */
export function authorityPin(certificate: X509Certificate): string {
  return createHash('sha256')
    .update(certificate.publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64url');
}

/** The certificates of a text with any number of them, PEM, in their order. @throws Error for one that cannot be read */
export function readCertificates(pem: string): readonly X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}
