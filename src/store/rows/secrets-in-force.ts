import type { FieldCipher } from '../field-cipher.ts';
import type { SecretField } from '../secret-fields.ts';
import type { ResourceKey } from '../store.ts';
import { openSecret } from './resource-rows.ts';
import type { CurrentRow } from './write-checks.ts';

/** A secret that a resource has now. */
export interface SecretInForce {
  /** As JSON text; undefined when the keyring no longer opens it. */
  readonly json: string | undefined;
  /** The revision that first wrote it. */
  readonly since: number;
}

/** The columns of the version in force that tell since when each of its secrets holds. */
export interface SinceRow {
  readonly revision: number;
  readonly secret_pointers: string | null;
  readonly secrets_since: string | null;
}

/**
 * The secrets of a resource by their pointers, with the revision since which each of them holds. `version` is the one in force.
 */
export function secretsInForce(
  cipher: FieldCipher,
  key: ResourceKey,
  current: Pick<CurrentRow, 'revision' | 'secrets'>,
  version: SinceRow | undefined,
): ReadonlyMap<string, SecretInForce> {
  const sealed: [string, string][] = current.secrets === null ? [] : JSON.parse(current.secrets);
  const since = sinceByPointer(version, current.revision);
  return new Map(
    sealed.map(([pointer, text]) => [
      pointer,
      { json: openSecret(cipher, key, pointer, text), since: since.get(pointer) ?? current.revision },
    ]),
  );
}

/** The column `secrets_since` of a version with these secrets: null for none. A secret that differs from the known one is a new one. */
export function secretsSinceColumn(
  secrets: readonly SecretField[],
  known: ReadonlyMap<string, SecretInForce>,
  revision: number,
): string | null {
  if (secrets.length === 0) return null;
  return JSON.stringify(secrets.map(({ pointer, json }) => sinceWhen(known.get(pointer), json) ?? revision));
}

function sinceWhen(known: SecretInForce | undefined, json: string): number | undefined {
  return known?.json === json ? known.since : undefined;
}

function sinceByPointer(row: SinceRow | undefined, revision: number): ReadonlyMap<string, number> {
  // Older software tells no revisions, and what it wrote counts as new.
  if (row === undefined || row.revision !== revision || row.secrets_since === null) return new Map();
  const pointers: string[] = JSON.parse(row.secret_pointers ?? '[]');
  const since: number[] = JSON.parse(row.secrets_since);
  return new Map(pointers.map((pointer, index) => [pointer, since[index] ?? revision]));
}
