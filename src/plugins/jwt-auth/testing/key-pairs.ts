import { generateKeyPairSync, type KeyObject } from 'node:crypto';

export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** The public key in PEM. */
  readonly pem: string;
}

function pairOf({ privateKey, publicKey }: { readonly privateKey: KeyObject; readonly publicKey: KeyObject }): KeyPair {
  return { privateKey, publicKey, pem: publicKey.export({ type: 'spki', format: 'pem' }).toString() };
}

/** A new RSA key. */
export function rsaPair(modulusLength = 2048): KeyPair {
  return pairOf(generateKeyPairSync('rsa', { modulusLength }));
}

/** A new RSA key that signs with PSS and this hash only. */
export function rsaPssPair(hash: string): KeyPair {
  return pairOf(generateKeyPairSync('rsa-pss', { modulusLength: 2048, hashAlgorithm: hash, mgf1HashAlgorithm: hash }));
}

/** A new key on a curve, by OpenSSL's name of it. */
export function curvePair(namedCurve: string): KeyPair {
  return pairOf(generateKeyPairSync('ec', { namedCurve }));
}

export function ed25519Pair(): KeyPair {
  return pairOf(generateKeyPairSync('ed25519'));
}

export function ed448Pair(): KeyPair {
  return pairOf(generateKeyPairSync('ed448'));
}
