import { RESOURCE_KINDS, type ResourceKindName } from '../../schema/index.ts';
import type { ResourceKey, StoreReader } from '../../store/index.ts';

/** Kinds that others refer to and that are kept while they do, and the kinds that refer to them. */
const REFERRING: ReadonlyMap<string, readonly ResourceKindName[]> = new Map([
  ['certificate', ['sni', 'service', 'upstream']],
  ['ca_certificate', ['service', 'upstream']],
]);

/** Whether a resource of a kind stays as long as something names it. */
export function isKeptWhileReferred(kind: string): boolean {
  return REFERRING.has(kind);
}

/** The ids of a kind that something in the group names, each with the first resource that does. */
export async function listReferences(
  reader: Pick<StoreReader, 'listResources'>,
  groupId: string,
  kind: string,
): Promise<ReadonlyMap<string, ResourceKey>> {
  const users = new Map<string, ResourceKey>();
  for (const referring of RESOURCE_KINDS.filter(({ name }) => REFERRING.get(kind)?.includes(name))) {
    for (const { key, document } of await reader.listResources({ groupId, kind: referring.name }, { secrets: 'omit' })) {
      const named = referring.references(document).filter((reference) => reference.kind === kind);
      for (const { id } of named) if (!users.has(id)) users.set(id, key);
    }
  }
  return users;
}
