import { FieldCipher } from '../field-cipher.ts';
import type { Keyring } from '../keyring.ts';
import { type KeyringCheck, reviewKeyring } from '../keyring-checks.ts';
import { encodeKeyringState, KEYRING_STATE_SETTING, parseKeyringState } from '../keys/keyring-state.ts';
import { beginImmediate } from './begin-immediate.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

/**
 * Makes sure that the keyring opens everything in the database, and gives a new store its keyring. Which key encrypts
 * is recorded before it is first used.
 *
 * @throws StartError that names the key that is missing or is not the one it was.
 */
export async function checkKeyring(writer: SqliteDatabase, keyring: Keyring, file: string, nowSeconds: number): Promise<FieldCipher> {
  const cipher = new FieldCipher(keyring);
  const place = { database: file, remedy: 'restore the keyring that belongs to the database' };
  await beginImmediate(writer);
  try {
    const checks = writer.all<KeyringCheck>('SELECT key_id, sealed FROM keyring_checks');
    const found = writer.get<{ text: string }>('SELECT CAST(value AS TEXT) AS text FROM settings WHERE name = ?', KEYRING_STATE_SETTING);
    const { check, state, isNew } = await reviewKeyring(cipher, keyring, place, checks, parseKeyringState(found?.text));
    if (check !== undefined) writer.run('INSERT INTO keyring_checks (key_id, sealed) VALUES (?, ?)', check.key_id, check.sealed);
    if (isNew) {
      const sql = 'INSERT INTO settings (name, value, secret, updated_at) VALUES (?, ?, 0, ?)';
      writer.run(sql, ...[KEYRING_STATE_SETTING, encodeKeyringState(state), nowSeconds]);
    }
    writer.execute('COMMIT');
  } catch (error) {
    if (writer.inTransaction) writer.execute('ROLLBACK');
    throw error;
  }
  return cipher;
}
