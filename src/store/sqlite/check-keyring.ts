import { FieldCipher } from '../field-cipher.ts';
import type { Keyring } from '../keyring.ts';
import { type KeyringCheck, reviewKeyring } from '../keyring-checks.ts';
import { beginImmediate } from './begin-immediate.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

/**
 * Makes sure that the keyring opens everything in the database, and gives a new store its keyring. The current key is recorded before
 * it is first used.
 *
 * @throws StartError that names the key that is missing or is not the one it was.
 */
export async function checkKeyring(writer: SqliteDatabase, keyring: Keyring, file: string): Promise<FieldCipher> {
  const cipher = new FieldCipher(keyring);
  const place = { database: file, remedy: 'restore the keyring that belongs to the database' };
  await beginImmediate(writer);
  try {
    const checks = writer.all<KeyringCheck>('SELECT key_id, sealed FROM keyring_checks');
    const added = await reviewKeyring(cipher, keyring, place, checks);
    if (added !== undefined) writer.run('INSERT INTO keyring_checks (key_id, sealed) VALUES (?, ?)', added.key_id, added.sealed);
    writer.execute('COMMIT');
  } catch (error) {
    if (writer.inTransaction) writer.execute('ROLLBACK');
    throw error;
  }
  return cipher;
}
