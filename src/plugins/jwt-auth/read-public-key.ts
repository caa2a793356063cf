import { createPublicKey, type KeyObject } from 'node:crypto';
import type { JwtAlgorithm } from './jwt-algorithms.ts';

/** A key that fits an algorithm, or why a text is none; `problem` holds nothing of the text. */
export type PublicKeyReading = { readonly ok: true; readonly key: KeyObject } | { readonly ok: false; readonly problem: string };

/** RFC 7518 §3.3 and §3.5. */
const MIN_RSA_BITS = 2048;
/** One verification with a longer key takes milliseconds of a thread that serves everybody. */
const MAX_RSA_BITS = 8192;
const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----/;

/** Reads a public key (PEM, or a certificate in PEM) and judges whether `algorithm` may use it. Throws nothing. */
export function readPublicKey(text: string, name: string, algorithm: JwtAlgorithm): PublicKeyReading {
  // Node would take the public half; but a secret must not lie where only public things are expected.
  if (PRIVATE_KEY.test(text)) return { ok: false, problem: 'it is a private key' };
  let key: KeyObject;
  try {
    key = createPublicKey(text);
  } catch {
    return { ok: false, problem: 'it cannot be read as PEM' };
  }
  const problem = misfitOf(key, name, algorithm);
  return problem === undefined ? { ok: true, key } : { ok: false, problem };
}

function misfitOf(key: KeyObject, name: string, algorithm: JwtAlgorithm): string | undefined {
  const type = key.asymmetricKeyType;
  const details = key.asymmetricKeyDetails ?? {};
  switch (algorithm.kind) {
    case 'hmac':
      return `${name} has no public key`;
    case 'eddsa':
      return type === 'ed25519' || type === 'ed448' ? undefined : `${name} needs an Ed25519 or Ed448 key`;
    case 'ecdsa':
      return type === 'ec' && details.namedCurve === algorithm.curve
        ? undefined
        : `${name} needs a key on the curve ${algorithm.curveName}`;
    case 'rsa':
      return type === 'rsa' ? misfitOfLength(details.modulusLength, name) : `${name} needs an RSA key`;
    case 'rsa-pss': {
      const hash = details.hashAlgorithm ?? algorithm.hash;
      if (type !== 'rsa' && type !== 'rsa-pss') return `${name} needs an RSA key`;
      return hash === algorithm.hash ? misfitOfLength(details.modulusLength, name) : `${name} needs a key that allows ${algorithm.hash}`;
    }
  }
}

function misfitOfLength(bits: number | undefined, name: string): string | undefined {
  if (bits !== undefined && bits >= MIN_RSA_BITS && bits <= MAX_RSA_BITS) return undefined;
  return `${name} needs an RSA key of ${MIN_RSA_BITS} to ${MAX_RSA_BITS} bits`;
}
