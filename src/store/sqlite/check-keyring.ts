import { StartError } from '../../errors/index.ts';
import { FieldCipher } from '../field-cipher.ts';
import type { Keyring } from '../keyring.ts';
import { beginImmediate } from './begin-immediate.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

const KNOWN_TEXT = Buffer.from('portcullis');

/**
 * Makes sure that the keyring opens everything in the database, and gives a new store its keyring. The current key is recorded before
 * it is first used.
 *
 * @throws StartError that names the key that is missing or is not the one it was.
 */
export async function checkKeyring(writer: SqliteDatabase, keyring: Keyring, file: string): Promise<FieldCipher> {
  const cipher = new FieldCipher(keyring);
  await beginImmediate(writer);
  try {
    const checks = writer.all<{ key_id: string; sealed: string }>('SELECT key_id, sealed FROM keyring_checks');
    // Two processes may start a new store at once: the second finds the first one's key recorded, but read the keyring before it was made.
    if (checks.some((check) => keyring.find(check.key_id) === undefined)) await keyring.reload();
    for (const check of checks) checkKey(cipher, keyring, file, check.key_id, check.sealed);
    if (checks.length === 0 && keyring.current === undefined) await keyring.create();
    const keyId = keyring.current?.id;
    if (keyId !== undefined && !checks.some((check) => check.key_id === keyId)) {
      const sealed = cipher.seal(KNOWN_TEXT, contextOf(keyId));
      writer.run('INSERT INTO keyring_checks (key_id, sealed) VALUES (?, ?)', keyId, sealed);
    }
    writer.execute('COMMIT');
  } catch (error) {
    if (writer.inTransaction) writer.execute('ROLLBACK');
    throw error;
  }
  return cipher;
}

function checkKey(cipher: FieldCipher, keyring: Keyring, file: string, keyId: string, sealed: string): void {
  if (keyring.find(keyId) === undefined) {
    throw new StartError(
      `The keyring ${keyring.file} lacks the key ${keyId}, with which ${file} is encrypted: restore the keyring that belongs to the database.`,
    );
  }
  try {
    cipher.open(sealed, contextOf(keyId));
  } catch (cause) {
    throw new StartError(
      `The key ${keyId} in ${keyring.file} is not the one with which ${file} is encrypted: restore the keyring that belongs to the database.`,
      { cause },
    );
  }
}

function contextOf(keyId: string): readonly string[] {
  return ['keyring-check', keyId];
}
