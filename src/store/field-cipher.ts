import { createCipheriv, createDecipheriv } from 'node:crypto';
import { PortcullisError } from '../errors/index.ts';
import type { Keyring } from './keyring.ts';

const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const NONCES_AT_ONCE = 256;
const TAG_BYTES = 16;
const SEALED = /^enc1:([A-Za-z0-9_-]{1,64}):([A-Za-z0-9_-]+)$/;

/**
 * Where a ciphertext stands, from the general to the particular: `['setting', name]` or
 * `['resource', groupId, kind, parentId, id, pointer]`.
 */
export type CipherContext = readonly string[];

/**
 * Encrypts single values at rest with AES-256-GCM (NIST SP 800-38D), each with a random 96-bit nonce; one key is good for 2^32 values.
 *
 * The text form is `enc1:<key id>:<base64url of nonce, ciphertext, tag>`. The context is authenticated with it, so a ciphertext that
 * was moved to another place does not open there.
 */
export class FieldCipher {
  readonly #keyring: Keyring;
  /** Random bytes that no value was sealed with yet. */
  #nonces: Uint8Array = new Uint8Array();

  constructor(keyring: Keyring) {
    this.#keyring = keyring;
  }

  /** @throws PortcullisError (`admin_internal`) when the keyring has no key yet. */
  seal(plain: Uint8Array, context: CipherContext): string {
    const key = this.#keyring.current;
    if (key === undefined) throw new PortcullisError('admin_internal', { detail: 'the keyring holds no key' });
    const nonce = this.#nextNonce(this.#keyring.random);
    const cipher = createCipheriv(ALGORITHM, key.secret, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(bytesOfContext(context));
    const sealed = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    return `enc1:${key.id}:${sealed.toString('base64url')}`;
  }

  /** Asking for so few bytes each time takes longer than the encryption. */
  #nextNonce(random: Keyring['random']): Uint8Array {
    if (this.#nonces.length < NONCE_BYTES) this.#nonces = random.bytes(NONCE_BYTES * NONCES_AT_ONCE);
    const nonce = this.#nonces.subarray(0, NONCE_BYTES);
    this.#nonces = this.#nonces.subarray(NONCE_BYTES);
    return nonce;
  }

  /** @throws PortcullisError (`admin_internal`) when the key is missing, or the text was changed or stems from another place. */
  open(text: string, context: CipherContext): Buffer {
    const [, keyId = '', encoded = ''] = SEALED.exec(text) ?? [];
    const key = this.#keyring.find(keyId);
    if (key === undefined) throw cannotOpen(context, `the keyring has no key "${keyId}"`);
    const sealed = Buffer.from(encoded, 'base64url');
    if (sealed.length < NONCE_BYTES + TAG_BYTES) throw cannotOpen(context, 'it is cut short');
    const decipher = createDecipheriv(ALGORITHM, key.secret, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
    decipher.setAAD(bytesOfContext(context));
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
    try {
      return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
    } catch {
      throw cannotOpen(context, `it does not belong to key "${keyId}" and this place`);
    }
  }
}

function bytesOfContext(context: CipherContext): Buffer {
  return Buffer.from(JSON.stringify(context));
}

function cannotOpen(context: CipherContext, reason: string): PortcullisError {
  return new PortcullisError('admin_internal', { detail: `the encrypted value of ${JSON.stringify(context)} cannot be opened: ${reason}` });
}
