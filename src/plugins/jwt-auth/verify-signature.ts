import { constants, createHmac, timingSafeEqual, verify } from 'node:crypto';
import type { ParsedToken } from './parse-token.ts';
import type { VerificationKey } from './verification-key.ts';

/**
 * Whether a token was signed by the owner of `key`. The token's `alg` must be the key's own, whatever else the signature fits (RFC 8725
 * §3.1), and extensions that the token declares critical are unknown here (RFC 7515 §4.1.11). Throws nothing.
 */
export function verifySignature(token: ParsedToken, key: VerificationKey): boolean {
  const { header, signature } = token;
  if (header.alg !== key.name || Object.hasOwn(header, 'crit') || signature.length !== key.signatureBytes) return false;
  const { algorithm } = key;
  if (algorithm.kind === 'hmac') {
    const expected = createHmac(algorithm.hash, key.key).update(token.signingInput, 'latin1').digest();
    return timingSafeEqual(signature, expected);
  }
  const input = Buffer.from(token.signingInput, 'latin1');
  switch (algorithm.kind) {
    case 'rsa':
      return verify(algorithm.hash, input, { key: key.key, padding: constants.RSA_PKCS1_PADDING }, signature);
    case 'rsa-pss':
      // With any length of salt, as in APISIX.
      return verify(algorithm.hash, input, { key: key.key, padding: constants.RSA_PKCS1_PSS_PADDING }, signature);
    case 'ecdsa':
      // Raw r and s (RFC 7518 §3.4), not the DER that node expects otherwise.
      return verify(algorithm.hash, input, { key: key.key, dsaEncoding: 'ieee-p1363' }, signature);
    case 'eddsa':
      return verify(null, input, key.key, signature);
  }
}
