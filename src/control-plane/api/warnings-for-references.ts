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
  const owner = kind.owner(document, key.parentId);
  const exists = async ({ kind: named, id }: ResourceReference): Promise<boolean> =>
    (await reader.getResource({ groupId: key.groupId, kind: named, parentId: '', id }, { secrets: 'omit' })) !== undefined;
  const warnings: string[] = [];
  if (owner !== undefined && owner.kind !== kind.parent && !(await exists(owner)))
    warnings.push(`the ${owner.kind} ${owner.id} does not exist yet: the ${kind.name} is not served until it does`);
  for (const reference of kind.references(document))
    if (!(await exists(reference))) warnings.push(`the ${reference.kind} ${reference.id} does not exist yet`);
  return warnings;
}
