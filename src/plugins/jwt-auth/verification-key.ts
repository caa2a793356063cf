import { createSecretKey, type KeyObject } from 'node:crypto';
import { decodeBase64 } from '../../lib/strict-base64.ts';
import type { JsonObject } from '../../plugin-kit/index.ts';
import { JWT_ALGORITHMS, type JwtAlgorithm } from './jwt-algorithms.ts';
import { readPublicKey } from './read-public-key.ts';

/** What verifies the tokens of one credential. */
export interface VerificationKey {
  /** The only `alg` that its tokens may have. */
  readonly name: string;
  readonly algorithm: JwtAlgorithm;
  readonly key: KeyObject;
  /** As long as every signature by this key is: OpenSSL takes a PSS signature without its leading zeros too (RFC 8017 §8.1.2 does not). */
  readonly signatureBytes: number;
  readonly gracePeriodS: number;
}

const ED25519_SIGNATURE_BYTES = 64;
const ED448_SIGNATURE_BYTES = 114;

/**
 * Imports the key of a credential from what `credentialData` gave.
 *
 * @throws TypeError when nothing can be verified by it
 */
export function importVerificationKey(data: JsonObject): VerificationKey {
  const { algorithm: name, lifetime_grace_period: grace } = data;
  const algorithm = typeof name === 'string' ? JWT_ALGORITHMS.get(name) : undefined;
  if (typeof name !== 'string' || algorithm === undefined) throw new TypeError('the credential has no known algorithm');
  const key = algorithm.kind === 'hmac' ? importSecret(data) : importPublicKey(data, name, algorithm);
  const signatureBytes = lengthOfSignatures(algorithm, key);
  return { name, algorithm, key, signatureBytes, gracePeriodS: typeof grace === 'number' ? grace : 0 };
}

function lengthOfSignatures(algorithm: JwtAlgorithm, key: KeyObject): number {
  switch (algorithm.kind) {
    case 'hmac':
      return Number(algorithm.hash.slice('sha'.length)) / 8;
    case 'rsa':
    case 'rsa-pss':
      return Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8);
    case 'ecdsa':
      return algorithm.signatureBytes;
    case 'eddsa':
      return key.asymmetricKeyType === 'ed25519' ? ED25519_SIGNATURE_BYTES : ED448_SIGNATURE_BYTES;
  }
}

/** The bytes of a shared secret; undefined when it is not in base64 as it claims to be, or empty. */
export function secretBytes(secret: string, isBase64: boolean): Buffer | undefined {
  const bytes = isBase64 ? decodeBase64(secret) : Buffer.from(secret, 'utf8');
  return bytes === undefined || bytes.length === 0 ? undefined : bytes;
}

function importSecret({ secret, base64_secret }: JsonObject): KeyObject {
  const bytes = typeof secret === 'string' ? secretBytes(secret, base64_secret === true) : undefined;
  if (bytes === undefined) throw new TypeError('the credential has no usable secret');
  return createSecretKey(bytes);
}

function importPublicKey({ public_key }: JsonObject, name: string, algorithm: JwtAlgorithm): KeyObject {
  if (typeof public_key !== 'string') throw new TypeError('the credential has no public key');
  const reading = readPublicKey(public_key, name, algorithm);
  if (!reading.ok) throw new TypeError(`the credential has no usable public key: ${reading.problem}`);
  return reading.key;
}
