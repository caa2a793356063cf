import { PortcullisError } from '../../errors/index.ts';
import { isConflict, RevisionConflict } from '../conflicts.ts';
import type { ResourceKey, UniqueValue } from '../store.ts';

/** What a driver reads of a resource before it writes it. */
export interface CurrentRow {
  readonly row: number;
  readonly revision: number;
  readonly created_at: number;
  readonly secrets: string | null;
}

/** The columns that name a resource, in the order of `group_id, kind, parent_id, id`. */
export function columnsOfKey(key: ResourceKey): readonly string[] {
  return [key.groupId, key.kind, key.parentId, key.id];
}

/** @throws RevisionConflict when the resource is not at the expected revision; 0 stands for one that does not exist. */
export function assertRevision(current: Pick<CurrentRow, 'revision'> | undefined, expected: number | undefined): void {
  const revision = current?.revision ?? 0;
  if (expected !== undefined && expected !== revision) throw new RevisionConflict(revision);
}

/** Each value once, in the order of their first mention. */
export function withoutRepeats(values: readonly UniqueValue[]): readonly UniqueValue[] {
  return [...new Map(values.map((value) => [`${value.digest.toString('hex')} ${value.space}`, value])).values()];
}

/** The labels by which a resource is found: those of its document, without secrets, that are text. */
export function labelsOf(publicText: string): readonly (readonly [name: string, value: string])[] {
  // Saves parsing most documents once more.
  if (!publicText.includes('"labels"')) return [];
  const { labels }: { labels?: unknown } = JSON.parse(publicText);
  return textLabels(labels);
}

/** Those of a document's labels that are text. */
export function textLabels(labels: unknown): readonly (readonly [name: string, value: string])[] {
  if (typeof labels !== 'object' || labels === null || Array.isArray(labels)) return [];
  return Object.entries(labels).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
}

/** The column `secret_pointers` of a version: null for none. */
export function secretPointersColumn(secrets: readonly { readonly pointer: string }[]): string | null {
  return secrets.length === 0 ? null : JSON.stringify(secrets.map(({ pointer }) => pointer));
}

/** Whether a write that threw this had done nothing yet, so that its transaction may go on. */
export function hasChangedNothing(error: unknown): boolean {
  if (isConflict(error)) return true;
  return error instanceof PortcullisError && error.reason === 'admin_conflict';
}
