import { type Issue, isSecretReference, type JsonObject } from '../../plugin-kit/index.ts';
import { JWT_ALGORITHMS } from './jwt-algorithms.ts';
import { readPublicKey } from './read-public-key.ts';
import { secretBytes } from './verification-key.ts';

/** What the schema cannot say of a credential of jwt-auth, defaults in place: whether its algorithm has the key that it needs. */
export function checkCredential(credential: JsonObject): readonly Issue[] {
  const { algorithm: name, secret, base64_secret, public_key } = credential;
  const algorithm = typeof name === 'string' ? JWT_ALGORITHMS.get(name) : undefined;
  if (typeof name !== 'string' || algorithm === undefined) return [];
  if (algorithm.kind === 'hmac') {
    if (typeof secret !== 'string') return issue('/secret', 'property "secret" is required when using HS based algorithms');
    if (isSecretReference(secret) || secretBytes(secret, base64_secret === true) !== undefined) return [];
    return issue('/secret', 'base64_secret required but the secret is not in base64 format');
  }
  if (typeof public_key !== 'string') return issue('/public_key', 'missing valid public key');
  if (isSecretReference(public_key)) return [];
  const reading = readPublicKey(public_key, name, algorithm);
  return reading.ok ? [] : issue('/public_key', `missing valid public key: ${reading.problem}`);
}

function issue(pointer: string, message: string): readonly Issue[] {
  return [{ pointer, message }];
}
