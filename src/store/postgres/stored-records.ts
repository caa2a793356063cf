import { PortcullisError } from '../../errors/index.ts';
import type { FieldCipher } from '../field-cipher.ts';
import { recordColumns, refuseRecordNamesake, type StoredRecordRow, storedRecordOfRow } from '../rows/stored-record-rows.ts';
import type { RecordWrite, StoredRecord } from '../store.ts';
import type { PostgresConnection } from './postgres-connection.ts';

const RECORD_COLUMNS = 'kind, id, owner_id, name, document, secrets, expires_at, version, created_at, updated_at';

/** Reads one record; without a cipher its secrets are left out. @throws PortcullisError (`admin_internal`) when one cannot be opened. */
export async function getRecordRow(
  connection: PostgresConnection,
  kind: string,
  id: string,
  cipher: FieldCipher | undefined,
): Promise<StoredRecord | undefined> {
  const row = await connection.get<StoredRecordRow>(`SELECT ${RECORD_COLUMNS} FROM records WHERE kind = $1 AND id = $2`, kind, id);
  return row && storedRecordOfRow(row, cipher);
}

export async function findRecordRowByName(connection: PostgresConnection, kind: string, name: string): Promise<StoredRecord | undefined> {
  const row = await connection.get<StoredRecordRow>(`SELECT ${RECORD_COLUMNS} FROM records WHERE kind = $1 AND name = $2`, kind, name);
  return row && storedRecordOfRow(row, undefined);
}

export async function listRecordRows(
  connection: PostgresConnection,
  kind: string,
  ownerId: string | undefined,
): Promise<readonly StoredRecord[]> {
  const rows =
    ownerId === undefined
      ? await connection.all<StoredRecordRow>(`SELECT ${RECORD_COLUMNS} FROM records WHERE kind = $1 ORDER BY updated_at DESC, id`, kind)
      : await connection.all<StoredRecordRow>(
          `SELECT ${RECORD_COLUMNS} FROM records WHERE kind = $1 AND owner_id = $2 ORDER BY updated_at DESC, id`,
          ...[kind, ownerId],
        );
  return rows.map((row) => storedRecordOfRow(row, undefined));
}

/** Writes a record over whatever has its kind and id. @throws PortcullisError (`admin_conflict`) before anything is written. */
export async function putRecordRow(
  connection: PostgresConnection,
  cipher: FieldCipher,
  write: RecordWrite,
  now: number,
): Promise<StoredRecord> {
  const { kind, id, ownerId, name, expiresAt } = write;
  refuseRecordNamesake(write, name === undefined ? undefined : await findRecordRowByName(connection, kind, name));
  const { document, secrets } = recordColumns(write, cipher);
  const row = await connection.get<StoredRecordRow>(
    `INSERT INTO records (kind, id, owner_id, name, document, secrets, expires_at, version, created_at, updated_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, $8)
     ON CONFLICT (kind, id) DO UPDATE SET owner_id = excluded.owner_id, name = excluded.name, document = excluded.document,
       secrets = excluded.secrets, expires_at = excluded.expires_at, version = records.version + 1, updated_at = excluded.updated_at
     RETURNING ${RECORD_COLUMNS}`,
    ...[kind, id, ownerId ?? null, name ?? null, document, secrets, expiresAt, now],
  );
  if (row === undefined) throw new PortcullisError('store_unavailable', { detail: 'a written row was not returned' });
  return storedRecordOfRow(row, cipher);
}

export function deleteExpiredRecordRows(connection: PostgresConnection, before: number, limit: number): Promise<number> {
  return connection.run(
    `DELETE FROM records WHERE (kind, id) IN
       (SELECT kind, id FROM records WHERE expires_at > 0 AND expires_at < $1 ORDER BY expires_at LIMIT $2)`,
    ...[before, limit],
  );
}
