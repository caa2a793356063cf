import type { FieldCipher } from '../field-cipher.ts';
import type { ResourceKey } from '../store.ts';
import { openSecret } from './resource-rows.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

/** A secret that a resource has now. */
export interface SecretInForce {
  /** As JSON text; undefined when the keyring no longer opens it. */
  readonly json: string | undefined;
  /** The revision that first wrote it. */
  readonly since: number;
}

interface SinceRow {
  readonly revision: number;
  readonly secret_pointers: string | null;
  readonly secrets_since: string | null;
}

/** The secrets of a resource by their pointers, with the revision since which each of them holds. */
export function secretsInForce(
  database: SqliteDatabase,
  cipher: FieldCipher,
  key: ResourceKey,
  current: { readonly revision: number; readonly secrets: string | null } | undefined,
): ReadonlyMap<string, SecretInForce> {
  if (current === undefined || current.secrets === null) return new Map();
  const sealed: [string, string][] = JSON.parse(current.secrets);
  const since = sinceByPointer(database, key, current.revision);
  return new Map(
    sealed.map(([pointer, text]) => [
      pointer,
      { json: openSecret(cipher, key, pointer, text), since: since.get(pointer) ?? current.revision },
    ]),
  );
}

/** Since when a secret that is written now holds; undefined when it is a new one. */
export function sinceWhen(known: SecretInForce | undefined, json: string): number | undefined {
  return known?.json === json ? known.since : undefined;
}

function sinceByPointer(database: SqliteDatabase, key: ResourceKey, revision: number): ReadonlyMap<string, number> {
  const row = database.get<SinceRow>(
    `SELECT revision, secret_pointers, secrets_since FROM resource_versions
     WHERE group_id = ? AND kind = ? AND parent_id = ? AND id = ? AND superseded_at IS NULL ORDER BY number DESC LIMIT 1`,
    ...[key.groupId, key.kind, key.parentId, key.id],
  );
  // Older software tells no revisions, and what it wrote counts as new.
  if (row === undefined || row.revision !== revision || row.secrets_since === null) return new Map();
  const pointers: string[] = JSON.parse(row.secret_pointers ?? '[]');
  const since: number[] = JSON.parse(row.secrets_since);
  return new Map(pointers.map((pointer, index) => [pointer, since[index] ?? revision]));
}
