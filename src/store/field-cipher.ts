import { createCipheriv, createDecipheriv } from 'node:crypto';
import { PortcullisError } from '../errors/index.ts';
import type { Keyring, KeyringKey } from './keyring.ts';
import { fingerprintOf } from './keyring-file.ts';

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
  #sealing: KeyringKey | undefined;
  /** Random bytes that no value was sealed with yet. */
  #nonces: Uint8Array = new Uint8Array();

  constructor(keyring: Keyring) {
    this.#keyring = keyring;
  }

  /** The key that seals: the one that was named last, else the first of the keyring; undefined when that has none yet. */
  get sealingKeyId(): string | undefined {
    return (this.#sealing ?? this.#keyring.first)?.id;
  }

  /**
   * Seals with this key from now on.
   *
   * @throws PortcullisError (`keyring_lacks_key`) when the keyring has no such key, or one with another fingerprint; the key stays the one it was
   */
  sealWith(keyId: string, fingerprint?: string): void {
    if (this.#sealing?.id === keyId) return;
    const key = this.#find(keyId, () => 'nothing can be written');
    if (fingerprint !== undefined && fingerprintOf(key) !== fingerprint) {
      throw new PortcullisError('keyring_lacks_key', {
        detail: `the keyring ${this.#keyring.file} has another key under the id "${keyId}" than the one that encrypts, so nothing can be written: put the keyring of the control plane on which it was made in its place, and restart`,
      });
    }
    this.#sealing = key;
  }

  /**
   * @param keyId instead of the key that seals
   * @throws PortcullisError (`admin_internal`) when the keyring has no key yet.
   */
  seal(plain: Uint8Array, context: CipherContext, keyId?: string): string {
    const key = keyId === undefined ? (this.#sealing ?? this.#keyring.first) : this.#keyring.find(keyId);
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

  /** @throws PortcullisError: `keyring_lacks_key`, or `admin_internal` when the text was changed or stems from another place. */
  open(text: string, context: CipherContext): Buffer {
    const [, keyId = '', encoded = ''] = SEALED.exec(text) ?? [];
    if (keyId === '') throw cannotOpen(context, 'it is no ciphertext');
    const key = this.#find(keyId, () => `${nameOf(context)} cannot be opened`);
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

  #find(keyId: string, consequence: () => string): KeyringKey {
    const key = this.#keyring.find(keyId);
    if (key !== undefined) return key;
    const remedy = 'put the keyring of the control plane on which it was made in its place, a restart is not needed';
    throw new PortcullisError('keyring_lacks_key', {
      detail: `the keyring ${this.#keyring.file} lacks the key "${keyId}", so ${consequence()}: ${remedy}`,
    });
  }
}

/** The id of the key that a text was sealed with; undefined for what is no ciphertext. */
export function keyIdOf(text: string): string | undefined {
  return SEALED.exec(text)?.[1];
}

function bytesOfContext(context: CipherContext): Buffer {
  return Buffer.from(JSON.stringify(context));
}

function nameOf(context: CipherContext): string {
  return `the encrypted value of ${JSON.stringify(context)}`;
}

function cannotOpen(context: CipherContext, reason: string): PortcullisError {
  return new PortcullisError('admin_internal', { detail: `${nameOf(context)} cannot be opened: ${reason}` });
}
