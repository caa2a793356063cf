import { StartError } from '../errors/index.ts';
import type { FieldCipher } from './field-cipher.ts';
import type { Keyring } from './keyring.ts';

const KNOWN_TEXT = Buffer.from('portcullis');

/** A row of `keyring_checks`: a known text, sealed by a key that something in the database is encrypted with. */
export interface KeyringCheck {
  readonly key_id: string;
  readonly sealed: string;
}

/** How a person is told where the ciphertexts lie, and what to do about a keyring that does not open them. */
export interface KeyringPlace {
  /** e.g. the path of the database. */
  readonly database: string;
  /** An imperative, without a full stop. */
  readonly remedy: string;
}

/**
 * Makes sure that the keyring opens everything in the database, and gives a new store its keyring. Gives back the check that is to be
 * recorded, before the current key is first used. To be called with the write lock held.
 *
 * @throws StartError that names the key that is missing or is not the one it was.
 */
export async function reviewKeyring(
  cipher: FieldCipher,
  keyring: Keyring,
  place: KeyringPlace,
  checks: readonly KeyringCheck[],
): Promise<KeyringCheck | undefined> {
  // Two processes may start a new store at once: the second finds the first one's key recorded, but read the keyring before it was made.
  if (checks.some((check) => keyring.find(check.key_id) === undefined)) await keyring.reload();
  for (const check of checks) assertOpens(cipher, keyring, place, check);
  if (checks.length === 0 && keyring.current === undefined) await keyring.create();
  const keyId = keyring.current?.id;
  if (keyId === undefined || checks.some((check) => check.key_id === keyId)) return undefined;
  return { key_id: keyId, sealed: cipher.seal(KNOWN_TEXT, contextOf(keyId)) };
}

function assertOpens(cipher: FieldCipher, keyring: Keyring, { database, remedy }: KeyringPlace, check: KeyringCheck): void {
  const { key_id: keyId, sealed } = check;
  if (keyring.find(keyId) === undefined) {
    throw new StartError(`The keyring ${keyring.file} lacks the key ${keyId}, with which ${database} is encrypted: ${remedy}.`);
  }
  try {
    cipher.open(sealed, contextOf(keyId));
  } catch (cause) {
    throw new StartError(`The key ${keyId} in ${keyring.file} is not the one with which ${database} is encrypted: ${remedy}.`, { cause });
  }
}

function contextOf(keyId: string): readonly string[] {
  return ['keyring-check', keyId];
}
