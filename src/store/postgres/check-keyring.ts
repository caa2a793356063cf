import { FieldCipher } from '../field-cipher.ts';
import type { Keyring } from '../keyring.ts';
import { type KeyringCheck, reviewKeyring } from '../keyring-checks.ts';
import { encodeKeyringState, KEYRING_STATE_SETTING, parseKeyringState } from '../keys/keyring-state.ts';
import type { PostgresDatabase } from './postgres-database.ts';
import { runTransaction } from './run-transaction.ts';

/**
 * Makes sure that the keyring opens everything in the database, and gives a new store its keyring. A control plane that has another
 * keyring than those before it is told so, and writes nothing.
 *
 * @throws StartError that names the key that is missing or is not the one it was.
 */
export async function checkKeyring(database: PostgresDatabase, keyring: Keyring, nowSeconds: number): Promise<FieldCipher> {
  const cipher = new FieldCipher(keyring);
  const { address, timeoutMs } = database.options;
  const remedy = 'give it with --keyring-file the keyring that the other control planes of this database have';
  await runTransaction(database, timeoutMs, async (connection) => {
    const checks = await connection.all<KeyringCheck>('SELECT key_id, sealed FROM keyring_checks');
    const found = await connection.get<{ value: Buffer }>('SELECT value FROM settings WHERE name = $1', KEYRING_STATE_SETTING);
    const place = { database: address.description, remedy };
    const { check, state, isNew } = await reviewKeyring(cipher, keyring, place, checks, parseKeyringState(found?.value.toString()));
    if (check !== undefined) {
      await connection.run('INSERT INTO keyring_checks (key_id, sealed) VALUES ($1, $2)', check.key_id, check.sealed);
    }
    if (isNew) {
      const sql = 'INSERT INTO settings (name, value, secret, updated_at) VALUES ($1, $2, 0, $3)';
      await connection.run(sql, ...[KEYRING_STATE_SETTING, encodeKeyringState(state), nowSeconds]);
    }
  });
  return cipher;
}
