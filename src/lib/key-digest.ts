import { hash } from 'node:crypto';

/** Bytes in the salt of an installation and in a digest. */
export const DIGEST_BYTES = 32;

/**
 * SHA-256(salt ‖ key): the only form in which a gateway knows an API key, and the form that makes keys unique in the store.
 *
 * `key` is the key's bytes (UTF-8 of a configured key, the raw bytes of a presented one). The salt keeps a copied table from
 * being matched against precomputed digests; it does not make a guessable key safe from someone who has the salt as well.
 */
export function digestKey(salt: Uint8Array, key: Uint8Array): Buffer {
  const message = Buffer.allocUnsafe(salt.length + key.length);
  message.set(salt, 0);
  message.set(key, salt.length);
  return hash('sha256', message, 'buffer');
}
