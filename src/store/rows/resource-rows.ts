import type { JsonObject } from '../../lib/json.ts';
import type { FieldCipher } from '../field-cipher.ts';
import { joinSecrets, type SecretField } from '../secret-fields.ts';
import type { ReadOptions, ResourceKey, StoredResource } from '../store.ts';
import { isSharedSpace } from './shared-values.ts';

/** The columns that name a resource, in every table and every driver. */
export interface KeyColumns {
  readonly group_id: string;
  readonly kind: string;
  readonly parent_id: string;
  readonly id: string;
}

/** A row of `resources` as every driver selects it. */
export interface ResourceRow extends KeyColumns {
  readonly revision: number;
  readonly position: number;
  readonly created_at: number;
  readonly updated_at: number;
  readonly document: string;
  readonly secrets: string | null;
  /** JSON: an array of `[space, digest in hex]`. */
  readonly unique_list: string;
}

/** Its key. */
export function keyOfRow(row: KeyColumns): ResourceKey {
  return { groupId: row.group_id, kind: row.kind, parentId: row.parent_id, id: row.id };
}

/** Its resource. @throws PortcullisError (`admin_internal`) when a secret is wanted and cannot be opened. */
export function resourceOfRow(row: ResourceRow, cipher: FieldCipher, options: ReadOptions): StoredResource {
  const key = keyOfRow(row);
  const unique: [string, string][] = JSON.parse(row.unique_list);
  return {
    key,
    document: readDocument(row, key, cipher, options),
    revision: row.revision,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    unique: unique.filter(([space]) => !isSharedSpace(space)).map(([space, hex]) => ({ space, digest: Buffer.from(hex, 'hex') })),
  };
}

function readDocument(row: ResourceRow, key: ResourceKey, cipher: FieldCipher, options: ReadOptions): JsonObject {
  const sealed: [string, string][] = row.secrets === null ? [] : JSON.parse(row.secrets);
  const { secrets: selection = 'include' } = options;
  const isWanted = typeof selection === 'function' ? selection : () => selection === 'include';
  const secrets: SecretField[] = [];
  const leftOut: string[] = [];
  for (const [pointer, text] of sealed) {
    if (isWanted(key, pointer)) secrets.push({ pointer, json: cipher.open(text, secretContext(key, pointer)).toString() });
    else leftOut.push(pointer);
  }
  return joinSecrets(row.document, secrets, leftOut);
}

/** The column `secrets`: null for a document without secrets. */
export function sealSecrets(key: ResourceKey, secrets: readonly SecretField[], cipher: FieldCipher): string | null {
  if (secrets.length === 0) return null;
  return JSON.stringify(secrets.map(({ pointer, json }) => [pointer, cipher.seal(Buffer.from(json), secretContext(key, pointer))]));
}

/** One secret of the column `secrets` as JSON text; undefined when it cannot be opened. */
export function openSecret(cipher: FieldCipher, key: ResourceKey, pointer: string, text: string): string | undefined {
  try {
    return cipher.open(text, secretContext(key, pointer)).toString();
  } catch {
    return undefined;
  }
}

/** Where a secret of it is sealed. */
export function secretContext(key: ResourceKey, pointer: string): readonly string[] {
  return ['resource', key.groupId, key.kind, key.parentId, key.id, pointer];
}
