import { FieldCipher } from '../field-cipher.ts';
import type { Keyring } from '../keyring.ts';
import { type KeyringCheck, reviewKeyring } from '../keyring-checks.ts';
import type { PostgresDatabase } from './postgres-database.ts';
import { runTransaction } from './run-transaction.ts';

/**
 * Makes sure that the keyring opens everything in the database, and gives a new store its keyring. A control plane that has another
 * keyring than those before it is told so, and writes nothing.
 *
 * @throws StartError that names the key that is missing or is not the one it was.
 */
export async function checkKeyring(database: PostgresDatabase, keyring: Keyring): Promise<FieldCipher> {
  const cipher = new FieldCipher(keyring);
  const { address, timeoutMs } = database.options;
  const remedy = 'give it with --keyring-file the keyring that the first control plane of this database has';
  await runTransaction(database, timeoutMs, async (connection) => {
    const checks = await connection.all<KeyringCheck>('SELECT key_id, sealed FROM keyring_checks');
    const added = await reviewKeyring(cipher, keyring, { database: address.description, remedy }, checks);
    if (added !== undefined) {
      await connection.run('INSERT INTO keyring_checks (key_id, sealed) VALUES ($1, $2)', added.key_id, added.sealed);
    }
  });
  return cipher;
}
