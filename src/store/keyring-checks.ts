import { StartError } from '../errors/index.ts';
import type { FieldCipher } from './field-cipher.ts';
import type { Keyring } from './keyring.ts';
import { fingerprintOf } from './keyring-file.ts';
import { beginningState, type KeyringState } from './keys/keyring-state.ts';

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

/** What is to be written once the keyring was found to open everything. */
export interface KeyringReview {
  /** The check of a key that is about to be used for the first time. */
  readonly check: KeyringCheck | undefined;
  readonly state: KeyringState;
  /** That a state is new. */
  readonly isNew: boolean;
}

/**
 * Makes sure that the keyring opens everything in the database, and gives a new store its keyring. Gives back what is to be
 * recorded, before a key is first used. To be called with the write lock held.
 *
 * @param state which key encrypts; undefined in a store that has not said so yet, where it is the first one of the file
 * @throws StartError that names the key that is missing or is not the one it was.
 */
export async function reviewKeyring(
  cipher: FieldCipher,
  keyring: Keyring,
  place: KeyringPlace,
  checks: readonly KeyringCheck[],
  state?: KeyringState,
): Promise<KeyringReview> {
  // Two processes may start a new store at once: the second finds the first one's key recorded, but read the keyring before it was made.
  if (checks.some((check) => keyring.find(check.key_id) === undefined)) keyring.reload();
  for (const check of checks) assertOpens(cipher, keyring, place, check);
  if (checks.length === 0 && keyring.first === undefined) await keyring.create();
  const current = state?.current ?? keyring.first?.id;
  const key = current === undefined ? undefined : keyring.find(current);
  if (current === undefined || key === undefined) {
    throw new StartError(`The keyring ${keyring.file} lacks the key ${current}, which encrypts ${place.database}: ${place.remedy}.`);
  }
  cipher.sealWith(current);
  const check = checks.some(({ key_id }) => key_id === current) ? undefined : keyringCheckOf(cipher, current);
  return { check, state: state ?? beginningState({ id: current, fingerprint: fingerprintOf(key) }), isNew: state === undefined };
}

/** The row that makes a keyring without this key be missed. */
export function keyringCheckOf(cipher: FieldCipher, keyId: string): KeyringCheck {
  return { key_id: keyId, sealed: cipher.seal(KNOWN_TEXT, contextOf(keyId), keyId) };
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
