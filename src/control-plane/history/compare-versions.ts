import type { JsonObject, JsonValue } from '../../lib/json.ts';
import type { ResourceVersion } from '../../store/index.ts';
import { diffJson, type PatchOperation } from './json-diff.ts';

/** What happened to a secret between two versions. Of the secrets themselves nothing is known. */
export interface SecretChange {
  /** JSON pointer of the field. */
  readonly pointer: string;
  readonly change: 'added' | 'removed' | 'changed';
}

/** The difference between two versions of a resource. */
export interface VersionDifference {
  /** Without secrets. Where the resource is there in one of the two only, the whole document is added or removed. */
  readonly operations: readonly PatchOperation[];
  readonly secrets: readonly SecretChange[];
}

/** The part of a version that is compared; undefined, or a delete, where there is no resource. */
export type ComparedVersion = Pick<ResourceVersion, 'document' | 'secretPointers' | 'secretsSince'> | undefined;

const MAX_PATH_CHARACTERS = 256;
const MAX_VALUE_CHARACTERS = 120;

/** Compares two versions of one resource. */
export function compareVersions(from: ComparedVersion, to: ComparedVersion): VersionDifference {
  return { operations: documentOperations(from?.document, to?.document), secrets: compareSecrets(from, to) };
}

/** A difference as lines for people: `~ /desc: "old" → "new"`. */
export function describeDifference({ operations, secrets }: VersionDifference): readonly string[] {
  return [
    ...operations.map(describeOperation),
    ...secrets.map(({ pointer, change }) => `${change === 'added' ? '+' : change === 'removed' ? '-' : '~'} ${pointer}: secret ${change}`),
  ];
}

/** An operation as it stands in a JSON Patch. */
export function patchOperation(operation: PatchOperation): JsonObject {
  const { op, path } = operation;
  return op === 'remove' ? { op, path } : { op, path, value: operation.value };
}

function documentOperations(from: JsonObject | undefined, to: JsonObject | undefined): readonly PatchOperation[] {
  if (from === undefined) return to === undefined ? [] : [{ op: 'add', path: '', value: to }];
  return to === undefined ? [{ op: 'remove', path: '', old: from }] : diffJson(from, to);
}

function compareSecrets(from: ComparedVersion, to: ComparedVersion): readonly SecretChange[] {
  const before = sinceByPointer(from);
  const after = sinceByPointer(to);
  const changes: SecretChange[] = [];
  for (const pointer of before.keys()) if (!after.has(pointer)) changes.push({ pointer, change: 'removed' });
  for (const [pointer, since] of after) {
    const old = before.get(pointer);
    if (old !== since) changes.push({ pointer, change: old === undefined ? 'added' : 'changed' });
  }
  return changes;
}

/** Since which revision each secret of a version holds, by its pointer. */
export function sinceByPointer(version: ComparedVersion): ReadonlyMap<string, number> {
  return new Map(version?.secretPointers.map((pointer, index) => [pointer, version.secretsSince[index] ?? 0]));
}

function describeOperation(operation: PatchOperation): string {
  const path = operation.path === '' ? '(the resource)' : shortened(operation.path, MAX_PATH_CHARACTERS);
  switch (operation.op) {
    case 'add':
      return `+ ${path}: ${shortText(operation.value)}`;
    case 'remove':
      return `- ${path}: ${shortText(operation.old)}`;
    case 'replace':
      return `~ ${path}: ${shortText(operation.old)} → ${shortText(operation.value)}`;
  }
}

function shortText(value: JsonValue): string {
  return shortened(JSON.stringify(value), MAX_VALUE_CHARACTERS);
}

function shortened(text: string, characters: number): string {
  return text.length <= characters ? text : `${text.slice(0, characters)}…`;
}
