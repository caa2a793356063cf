import type { JsonObject } from '../../lib/json.ts';
import { RESOURCE_KINDS, type ResourceKind } from '../../schema/index.ts';
import type { ResourceKey, StoreTransaction } from '../../store/index.ts';
import { compareVersions, describeDifference } from '../history/index.ts';
import { resourceName } from './resource-path.ts';

const MAX_LINES = 20;
const MAX_NAMES = 20;

/**
 * What the last write of this transaction changed of a resource, for the audit log: lines for people, without secrets, and the resources
 * that a delete took along, where it is all that its revision does. Bounded, whatever the size of the documents.
 */
export async function describeChange(
  transaction: StoreTransaction,
  key: ResourceKey,
  revision: number,
  isWholeRevision = true,
): Promise<JsonObject> {
  const change = await transaction.lastChange(key);
  if (change === undefined) return {};
  const { from, to } = change;
  const lines = describeDifference(compareVersions(from, to));
  const changes = lines.length <= MAX_LINES ? lines : [...lines.slice(0, MAX_LINES), `and ${lines.length - MAX_LINES} more`];
  if (to.op === 'put' || !isWholeRevision) return { changes };
  const removed = (await transaction.listVersionsOfRevision(key.groupId, revision, MAX_NAMES + 2)).map((version) => version.key);
  const along = removed.filter(({ kind, parentId, id }) => kind !== key.kind || parentId !== key.parentId || id !== key.id);
  const names = along.slice(0, MAX_NAMES).map(nameOfKey);
  return { changes, ...(names.length === 0 ? {} : { also_deleted: along.length > MAX_NAMES ? [...names, 'and more'] : names }) };
}

/** The name of a resource of any kind, also of one that only newer software knows. */
export function nameOfKey(key: ResourceKey): string {
  const kind = kindOfKey(key);
  return kind === undefined ? `${key.kind}/${key.id}` : resourceName(kind, key);
}

/** The kind of a resource; undefined when only newer software knows it. */
export function kindOfKey(key: ResourceKey): ResourceKind | undefined {
  return RESOURCE_KINDS.find(({ name }) => name === key.kind);
}
