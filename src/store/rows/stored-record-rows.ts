import { PortcullisError } from '../../errors/index.ts';
import type { FieldCipher } from '../field-cipher.ts';
import { joinSecrets, splitSecrets } from '../secret-fields.ts';
import type { RecordWrite, StoredRecord, User } from '../store.ts';

export interface StoredRecordRow {
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

/** Its record; without a cipher its secrets are left out. @throws PortcullisError (`admin_internal`) when one is wanted and cannot be opened. */
export function storedRecordOfRow(row: StoredRecordRow, cipher: FieldCipher | undefined): StoredRecord {
  const sealed: [string, string][] = row.secrets === null ? [] : JSON.parse(row.secrets);
  const opened =
    cipher === undefined
      ? []
      : sealed.map(([pointer, text]) => ({ pointer, json: cipher.open(text, secretContext(row, pointer)).toString() }));
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

/** The columns `document` and `secrets` of a record. */
export function recordColumns(write: RecordWrite, cipher: FieldCipher): { readonly document: string; readonly secrets: string | null } {
  const { text, secrets } = splitSecrets(write.document, write.secretPointers);
  const sealed = secrets.map(({ pointer, json }) => [pointer, cipher.seal(Buffer.from(json), secretContext(write, pointer))]);
  return { document: text, secrets: sealed.length === 0 ? null : JSON.stringify(sealed) };
}

/** @throws PortcullisError (`admin_conflict`) when a record of this id already has the name that another one is to have */
export function refuseRecordNamesake({ kind, id }: RecordWrite, holder: Pick<StoredRecord, 'id'> | undefined): void {
  if (holder === undefined || holder.id === id) return;
  throw new PortcullisError('admin_conflict', { publicMessage: `another ${kind.replaceAll('_', ' ')} has this name` });
}

/** @throws PortcullisError (`admin_conflict`) when somebody else has the name or external identity of a user */
export function refuseUserTwin(user: User, namesake: Pick<User, 'id'> | undefined, twin: Pick<User, 'id'> | undefined): void {
  if (namesake !== undefined && namesake.id !== user.id) {
    throw new PortcullisError('admin_conflict', { publicMessage: 'another user has this name' });
  }
  if (twin !== undefined && twin.id !== user.id) {
    throw new PortcullisError('admin_conflict', { publicMessage: 'another user has this identity' });
  }
}

/** The column `details` of a user. */
export function userDetailsColumn({ roles, boundary, profile }: User): string {
  return JSON.stringify({ roles, boundary, profile });
}

/** Where a secret of it is sealed. */
export function secretContext({ kind, id }: Pick<StoredRecord, 'kind' | 'id'>, pointer: string): readonly string[] {
  return ['record', kind, id, pointer];
}
