import { PortcullisError } from '../../errors/index.ts';
import type { FieldCipher } from '../field-cipher.ts';
import { joinSecrets, splitSecrets } from '../secret-fields.ts';
import type { RecordWrite, StoredRecord } from '../store.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

interface RecordRow {
  readonly kind: string;
  readonly id: string;
  readonly owner_id: string | null;
  readonly name: string | null;
  readonly document: string;
  readonly secrets: string | null;
  readonly expires_at: number;
  readonly version: number;
  readonly created_at: number;
  readonly updated_at: number;
}

interface Place {
  readonly database: SqliteDatabase;
  readonly cipher: FieldCipher;
}

/** Reads one record. @throws PortcullisError (`admin_internal`) when a secret is wanted and cannot be opened. */
export function getRecordRow(place: Place, kind: string, id: string, withSecrets: boolean): StoredRecord | undefined {
  const row = place.database.get<RecordRow>('SELECT * FROM records WHERE kind = ? AND id = ?', kind, id);
  return row && recordOfRow(row, withSecrets ? place.cipher : undefined);
}

export function findRecordRowByName({ database }: Place, kind: string, name: string): StoredRecord | undefined {
  const row = database.get<RecordRow>('SELECT * FROM records WHERE kind = ? AND name = ?', kind, name);
  return row && recordOfRow(row, undefined);
}

export function listRecordRows({ database }: Place, kind: string, ownerId: string | undefined): readonly StoredRecord[] {
  const rows =
    ownerId === undefined
      ? database.all<RecordRow>('SELECT * FROM records WHERE kind = ? ORDER BY updated_at DESC, id', kind)
      : database.all<RecordRow>('SELECT * FROM records WHERE kind = ? AND owner_id = ? ORDER BY updated_at DESC, id', kind, ownerId);
  return rows.map((row) => recordOfRow(row, undefined));
}

/** Writes a record over whatever has its kind and id. @throws PortcullisError (`admin_conflict`) before anything is written. */
export function putRecordRow({ database, cipher }: Place, write: RecordWrite, now: number): StoredRecord {
  const { kind, id, ownerId, name, document, expiresAt } = write;
  const holder = name === undefined ? undefined : findRecordRowByName({ database, cipher }, kind, name);
  if (holder !== undefined && holder.id !== id) {
    throw new PortcullisError('admin_conflict', { publicMessage: `another ${kind.replaceAll('_', ' ')} has this name` });
  }
  const { text, secrets } = splitSecrets(document, write.secretPointers);
  const sealed = secrets.map(({ pointer, json }) => [pointer, cipher.seal(Buffer.from(json), secretContext(kind, id, pointer))]);
  const row = database.get<RecordRow>(
    `INSERT INTO records (kind, id, owner_id, name, document, secrets, expires_at, version, created_at, updated_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, ?)
     ON CONFLICT (kind, id) DO UPDATE SET owner_id = excluded.owner_id, name = excluded.name, document = excluded.document,
       secrets = excluded.secrets, expires_at = excluded.expires_at, version = records.version + 1, updated_at = excluded.updated_at
     RETURNING *`,
    ...[kind, id, ownerId ?? null, name ?? null, text, sealed.length === 0 ? null : JSON.stringify(sealed), expiresAt, now, now],
  );
  if (row === undefined) throw new PortcullisError('store_unavailable', { detail: 'a written row was not returned' });
  return recordOfRow(row, cipher);
}

export function deleteExpiredRecordRows(database: SqliteDatabase, before: number, limit: number): number {
  return database.run(
    `DELETE FROM records WHERE (kind, id) IN
       (SELECT kind, id FROM records WHERE expires_at > 0 AND expires_at < ? ORDER BY expires_at LIMIT ?)`,
    before,
    limit,
  );
}

function recordOfRow(row: RecordRow, cipher: FieldCipher | undefined): StoredRecord {
  const sealed: [string, string][] = row.secrets === null ? [] : JSON.parse(row.secrets);
  const opened =
    cipher === undefined
      ? []
      : sealed.map(([pointer, text]) => ({ pointer, json: cipher.open(text, secretContext(row.kind, row.id, pointer)).toString() }));
  const leftOut = cipher === undefined ? sealed.map(([pointer]) => pointer) : [];
  return {
    kind: row.kind,
    id: row.id,
    ownerId: row.owner_id ?? undefined,
    name: row.name ?? undefined,
    document: joinSecrets(row.document, opened, leftOut),
    expiresAt: row.expires_at,
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

function secretContext(kind: string, id: string, pointer: string): readonly string[] {
  return ['record', kind, id, pointer];
}
