import type { FieldCipher } from '../field-cipher.ts';
import { keyringCheckOf } from '../keyring-checks.ts';
import type { KeyStore, KeyWriter, PlaneKeys } from '../keys/key-store.ts';
import { KEYRING_STATE_SETTING, parseKeyringState } from '../keys/keyring-state.ts';
import { resealRow, type SealedRow } from '../keys/sealed-row.ts';
import { LIVING_PLANE, readKnownKeys } from './known-keys.ts';
import type { PostgresConnection } from './postgres-connection.ts';
import { pageOfSealedRows, replaceSealedTexts } from './postgres-sealed-rows.ts';
import type { FirstRead } from './run-transaction.ts';
import type { TransactionSteps } from './transaction-steps.ts';

/** Read with the lock: seals with the key that the store names until the lock is let go of. */
export function followKeyring(cipher: FieldCipher): FirstRead {
  return {
    sql: `SELECT convert_from(value, 'UTF8') AS text FROM settings WHERE name = '${KEYRING_STATE_SETTING}'`,
    take: (rows) => {
      const state = parseKeyringState(textOf(rows[0]));
      if (state !== undefined) cipher.sealWith(state.current, state.fingerprint);
    },
  };
}

/** By which way keys are read and changed. */
interface PostgresKeysParts extends Pick<KeyStore, 'keyring' | 'transaction'> {
  readonly read: <Result>(work: (connection: PostgresConnection) => Promise<Result>) => Promise<Result>;
}

/** The keys of a store that several control planes share. */
export function postgresKeys({ keyring, transaction, read }: PostgresKeysParts): KeyStore {
  return {
    keyring,
    transaction,
    pageOfSealed: (table, after, limit) => read((connection) => pageOfSealedRows(connection, table, after, limit)),
    listRequired: () => read(listRequired),
    listPlanes: () => read(listPlanes),
  };
}

async function listPlanes(connection: PostgresConnection): Promise<readonly PlaneKeys[]> {
  const rows = await connection.all<{ readonly id: string; readonly host: string | null; readonly known_keys: string | null }>(
    `SELECT id, host, known_keys FROM control_planes WHERE ${LIVING_PLANE} ORDER BY host, id`,
  );
  return rows.map(({ id, host, known_keys }) => {
    return { name: host === null ? id : `${host} (${id})`, fingerprints: known_keys === null ? undefined : readKnownKeys(known_keys) };
  });
}

async function listRequired(connection: PostgresConnection): Promise<readonly string[]> {
  const rows = await connection.all<{ readonly key_id: string }>('SELECT key_id FROM keyring_checks ORDER BY key_id');
  return rows.map(({ key_id }) => key_id);
}

/** Changes keys within a transaction. */
export class PostgresKeyWriter implements KeyWriter {
  readonly #steps: TransactionSteps;
  readonly #cipher: FieldCipher;

  constructor(steps: TransactionSteps, cipher: FieldCipher) {
    this.#steps = steps;
    this.#cipher = cipher;
  }

  async listRequired(): Promise<readonly string[]> {
    return this.#steps.run(listRequired);
  }

  async require(keyId: string): Promise<void> {
    const { key_id, sealed } = keyringCheckOf(this.#cipher, keyId);
    await this.#steps.run((connection) =>
      connection.run('INSERT INTO keyring_checks (key_id, sealed) VALUES ($1, $2) ON CONFLICT (key_id) DO NOTHING', key_id, sealed),
    );
  }

  async release(keyId: string): Promise<void> {
    await this.#steps.run((connection) => connection.run('DELETE FROM keyring_checks WHERE key_id = $1', keyId));
  }

  async reseal(rows: readonly SealedRow[]): ReturnType<KeyWriter['reseal']> {
    return this.#steps.run(async (connection) => {
      const resealed = rows.map((row) => ({ row, ...resealRow(row, this.#cipher) }));
      const replaced = await replaceSealedTexts(
        connection,
        resealed.filter(({ values }) => values > 0),
      );
      return {
        values: resealed.reduce((sum, { row, values }) => sum + (replaced.has(row) ? values : 0), 0),
        damaged: resealed.flatMap(({ row, values, damaged }) => (values === 0 || replaced.has(row) ? damaged : [])),
      };
    });
  }
}

function textOf(row: unknown): string | undefined {
  return typeof row === 'object' && row !== null && 'text' in row && typeof row.text === 'string' ? row.text : undefined;
}
