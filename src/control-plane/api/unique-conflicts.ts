import { PortcullisError } from '../../errors/index.ts';
import type { PluginSchema } from '../../plugin-kit/index.ts';
import { resourceKind } from '../../schema/index.ts';
import { type ResourceKey, RevisionConflict, type StoreTransaction, UniqueConflict, type UniqueValue } from '../../store/index.ts';

/** Refuses a value that another resource of the group holds. Asked early, so that it is told before other faults; the store refuses it in any case. @throws UniqueConflict */
export async function refuseDuplicates(transaction: StoreTransaction, key: ResourceKey, unique: readonly UniqueValue[]): Promise<void> {
  for (const value of unique) {
    const holder = await transaction.findUnique(key.groupId, value);
    if (holder !== undefined && !isSameKey(holder, key)) throw new UniqueConflict(value.space, holder);
  }
}

/** Runs a write; what the store refuses is told in the words of the Admin API, duplicates in APISIX's. @throws PortcullisError 400, 412 */
export async function translateConflicts<Result>(schemas: readonly PluginSchema[], work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof RevisionConflict) throw new PortcullisError('admin_precondition_failed');
    if (!(error instanceof UniqueConflict)) throw error;
    throw new PortcullisError('admin_invalid', { publicMessage: describeConflict(error, schemas) });
  }
}

/** A duplicate in APISIX's words. */
export function describeConflict(conflict: UniqueConflict, schemas: readonly PluginSchema[]): string {
  const field = schemas.find(({ name }) => name === conflict.space)?.uniqueField ?? 'key';
  return `duplicate ${field} of plugin ${conflict.space} found with ${describeHolder(conflict.holder)}`;
}

function isSameKey(one: ResourceKey, other: ResourceKey): boolean {
  return one.groupId === other.groupId && one.kind === other.kind && one.parentId === other.parentId && one.id === other.id;
}

function describeHolder({ kind, parentId, id }: ResourceKey): string {
  return parentId === '' ? `${kind}: ${id}` : `${kind}: ${id} of ${resourceKind('credential').parent ?? ''}: ${parentId}`;
}
