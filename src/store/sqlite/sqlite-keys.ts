import type { FieldCipher } from '../field-cipher.ts';
import { keyringCheckOf } from '../keyring-checks.ts';
import type { KeyStore, KeyWriter } from '../keys/key-store.ts';
import { KEYRING_STATE_SETTING, parseKeyringState } from '../keys/keyring-state.ts';
import { resealRow, type SealedRow } from '../keys/sealed-row.ts';
import type { SqliteDatabase } from './sqlite-database.ts';
import { pageOfSealedRows, replaceSealedText } from './sqlite-sealed-rows.ts';

/** Seals with the key that the store names from now on. With the write lock held that is true until it is let go of. @throws PortcullisError (`keyring_lacks_key`) */
export function followKeyring(writer: SqliteDatabase, cipher: FieldCipher): void {
  const row = writer.get<{ text: string }>('SELECT CAST(value AS TEXT) AS text FROM settings WHERE name = ?', KEYRING_STATE_SETTING);
  const state = parseKeyringState(row?.text);
  if (state !== undefined) cipher.sealWith(state.current, state.fingerprint);
}

/** By which way keys are read and changed. */
interface SqliteKeysParts extends Pick<KeyStore, 'keyring' | 'transaction'> {
  /** A read of what is committed. */
  readonly read: <Result>(work: (database: SqliteDatabase) => Result) => Promise<Result>;
}

/** The keys of the embedded store, which one control plane serves: it needs no agreement with others. */
export function sqliteKeys({ keyring, transaction, read }: SqliteKeysParts): KeyStore {
  return {
    keyring,
    transaction,
    pageOfSealed: (table, after, limit) => read((database) => pageOfSealedRows(database, table, after, limit)),
    listRequired: () => read(listRequired),
    listPlanes: async () => [],
  };
}

function listRequired(database: SqliteDatabase): readonly string[] {
  return database.column<string>('SELECT key_id FROM keyring_checks ORDER BY key_id');
}

/** Changes keys within a transaction. */
export class SqliteKeyWriter implements KeyWriter {
  readonly #database: SqliteDatabase;
  readonly #cipher: FieldCipher;

  constructor(database: SqliteDatabase, cipher: FieldCipher) {
    this.#database = database;
    this.#cipher = cipher;
  }

  async listRequired(): Promise<readonly string[]> {
    return listRequired(this.#database);
  }

  async require(keyId: string): Promise<void> {
    const { key_id, sealed } = keyringCheckOf(this.#cipher, keyId);
    this.#database.run('INSERT INTO keyring_checks (key_id, sealed) VALUES (?, ?) ON CONFLICT (key_id) DO NOTHING', key_id, sealed);
  }

  async release(keyId: string): Promise<void> {
    this.#database.run('DELETE FROM keyring_checks WHERE key_id = ?', keyId);
  }

  async reseal(rows: readonly SealedRow[]): ReturnType<KeyWriter['reseal']> {
    let values = 0;
    const damaged: string[] = [];
    for (const row of rows) {
      const resealed = resealRow(row, this.#cipher);
      if (resealed.values > 0 && !replaceSealedText(this.#database, row, resealed.text)) continue;
      values += resealed.values;
      damaged.push(...resealed.damaged);
    }
    return { values, damaged };
  }
}
