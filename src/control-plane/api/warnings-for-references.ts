import type { JsonObject } from '../../lib/json.ts';
import type { ResourceKind, ResourceReference } from '../../schema/index.ts';
import type { ResourceKey, StoreReader } from '../../store/index.ts';

/**
 * For `warning_msg`: what a document names and what does not exist. Anything but the parent may come later, and ADC does write a route
 * before its service.
 */
export async function warningsForReferences(
  reader: Pick<StoreReader, 'getResource'>,
  kind: ResourceKind,
  key: ResourceKey,
  document: JsonObject,
): Promise<readonly string[]> {
  const exists = async ({ kind: named, id }: ResourceReference): Promise<boolean> =>
    (await reader.getResource({ groupId: key.groupId, kind: named, parentId: '', id }, { secrets: 'omit' })) !== undefined;
  const warnings: string[] = [];
  const owner = ownerToName(kind, key, document);
  if (owner !== undefined && !(await exists(owner)))
    warnings.push(`the ${owner.kind} ${owner.id} does not exist yet: the ${kind.name} is not served until it does`);
  for (const reference of kind.references(document))
    if (!(await exists(reference))) warnings.push(`the ${reference.kind} ${reference.id} does not exist yet`);
  return warnings;
}

/** The resources that a document names, as `warningsForReferences` looks for them. */
export function namedBy(kind: ResourceKind, key: ResourceKey, document: JsonObject): readonly ResourceKey[] {
  const owner = ownerToName(kind, key, document);
  const named = [...(owner === undefined ? [] : [owner]), ...kind.references(document)];
  return named.map(({ kind: ofKind, id }) => ({ groupId: key.groupId, kind: ofKind, parentId: '', id }));
}

/** The owner, unless it is the parent, without which nothing is written. */
function ownerToName(kind: ResourceKind, key: ResourceKey, document: JsonObject): ResourceReference | undefined {
  const owner = kind.owner(document, key.parentId);
  return owner === undefined || owner.kind === kind.parent ? undefined : owner;
}
