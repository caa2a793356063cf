import { PortcullisError } from '../../errors/index.ts';
import type { FieldCipher } from '../field-cipher.ts';
import { recordColumns, refuseRecordNamesake, type StoredRecordRow, storedRecordOfRow } from '../rows/stored-record-rows.ts';
import type { RecordWrite, StoredRecord } from '../store.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

interface Place {
  readonly database: SqliteDatabase;
  readonly cipher: FieldCipher;
}

/** Reads one record. @throws PortcullisError (`admin_internal`) when a secret is wanted and cannot be opened. */
export function getRecordRow(place: Place, kind: string, id: string, withSecrets: boolean): StoredRecord | undefined {
  const row = place.database.get<StoredRecordRow>('SELECT * FROM records WHERE kind = ? AND id = ?', kind, id);
  return row && storedRecordOfRow(row, withSecrets ? place.cipher : undefined);
}

export function findRecordRowByName({ database }: Place, kind: string, name: string): StoredRecord | undefined {
  const row = database.get<StoredRecordRow>('SELECT * FROM records WHERE kind = ? AND name = ?', kind, name);
  return row && storedRecordOfRow(row, undefined);
}

export function listRecordRows({ database }: Place, kind: string, ownerId: string | undefined): readonly StoredRecord[] {
  const rows =
    ownerId === undefined
      ? database.all<StoredRecordRow>('SELECT * FROM records WHERE kind = ? ORDER BY updated_at DESC, id', kind)
      : database.all<StoredRecordRow>('SELECT * FROM records WHERE kind = ? AND owner_id = ? ORDER BY updated_at DESC, id', kind, ownerId);
  return rows.map((row) => storedRecordOfRow(row, undefined));
}

/** Writes a record over whatever has its kind and id. @throws PortcullisError (`admin_conflict`) before anything is written. */
export function putRecordRow({ database, cipher }: Place, write: RecordWrite, now: number): StoredRecord {
  const { kind, id, ownerId, name, expiresAt } = write;
  refuseRecordNamesake(write, name === undefined ? undefined : findRecordRowByName({ database, cipher }, kind, name));
  const { document, secrets } = recordColumns(write, cipher);
  const row = database.get<StoredRecordRow>(
    `INSERT INTO records (kind, id, owner_id, name, document, secrets, expires_at, version, created_at, updated_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, ?)
     ON CONFLICT (kind, id) DO UPDATE SET owner_id = excluded.owner_id, name = excluded.name, document = excluded.document,
       secrets = excluded.secrets, expires_at = excluded.expires_at, version = records.version + 1, updated_at = excluded.updated_at
     RETURNING *`,
    ...[kind, id, ownerId ?? null, name ?? null, document, secrets, expiresAt, now, now],
  );
  if (row === undefined) throw new PortcullisError('store_unavailable', { detail: 'a written row was not returned' });
  return storedRecordOfRow(row, cipher);
}

export function deleteExpiredRecordRows(database: SqliteDatabase, before: number, limit: number): number {
  return database.run(
    `DELETE FROM records WHERE (kind, id) IN
       (SELECT kind, id FROM records WHERE expires_at > 0 AND expires_at < ? ORDER BY expires_at LIMIT ?)`,
    before,
    limit,
  );
}
