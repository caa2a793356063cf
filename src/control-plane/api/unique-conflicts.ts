import { PortcullisError } from '../../errors/index.ts';
import type { PluginSchema } from '../../plugin-kit/index.ts';
import { formatIssues, type Issue, resourceKind } from '../../schema/index.ts';
import {
  type ResourceKey,
  RevisionConflict,
  SharedConflict,
  type StoreTransaction,
  UniqueConflict,
  type UniqueValue,
} from '../../store/index.ts';
import { type ExaminedShare, InvalidDocument } from './examine-document.ts';
import { preconditionFailed } from './preconditions.ts';

/** Refuses a value that another resource of the group holds. Asked early, so that it is told before other faults; the store refuses it in any case. @throws UniqueConflict */
export async function refuseDuplicates(transaction: StoreTransaction, key: ResourceKey, unique: readonly UniqueValue[]): Promise<void> {
  for (const value of unique) {
    const holder = await transaction.findUnique(key.groupId, value);
    if (holder !== undefined && !isSameKey(holder, key)) throw new UniqueConflict(value.space, holder);
  }
}

/**
 * Runs a write; what the store refuses is told in the words of the Admin API, duplicates in APISIX's. `sharesOf` gives what was to be written.
 *
 * @throws PortcullisError 400, 412
 */
export async function translateConflicts<Result>(
  schemas: readonly PluginSchema[],
  work: () => Promise<Result>,
  sharesOf: () => readonly ExaminedShare[] = () => [],
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof RevisionConflict) throw preconditionFailed(error.current === 0 ? undefined : error.current);
    if (!(error instanceof UniqueConflict || error instanceof SharedConflict)) throw error;
    if (error instanceof SharedConflict) throw new InvalidDocument([mismatch(error, sharesOf())]);
    throw new PortcullisError('admin_invalid', { publicMessage: describeConflict(error, schemas, []) });
  }
}

/** What stands against a write: a duplicate in APISIX's words, or a share about which others disagree. `shares` were to be written. */
export function describeConflict(
  conflict: UniqueConflict | SharedConflict,
  schemas: readonly PluginSchema[],
  shares: readonly ExaminedShare[],
): string {
  const { space, holder } = conflict;
  if (conflict instanceof SharedConflict) return formatIssues([mismatch(conflict, shares)]);
  const plugin = schemas.find(({ name }) => name === space);
  const what = plugin === undefined ? space : `${plugin.uniqueField ?? 'key'} of plugin ${plugin.name}`;
  return `duplicate ${what} found with ${describeHolder(holder)}`;
}

function isSameKey(one: ResourceKey, other: ResourceKey): boolean {
  return one.groupId === other.groupId && one.kind === other.kind && one.parentId === other.parentId && one.id === other.id;
}

/** A plugin stands once in a resource, so its name tells which of its shares it was. */
function mismatch({ space, holder }: SharedConflict, shares: readonly ExaminedShare[]): Issue {
  const { pointer, message } = shares.find((each) => each.space === space)?.mismatch ?? { pointer: '', message: 'conf mismatched' };
  return { pointer, message: `${message}: it differs from that of ${describeHolder(holder)}` };
}

function describeHolder({ kind, parentId, id }: ResourceKey): string {
  return parentId === '' ? `${kind}: ${id}` : `${kind}: ${id} of ${resourceKind('credential').parent ?? ''}: ${parentId}`;
}
