import { RESOURCE_KINDS, type ResourceKindName } from '../../schema/index.ts';
import type { BulkOperation } from './bulk-operation.ts';

/** Kinds whose resources are deleted last: what is moved away from a service in the same bulk is not to go with it, and what names a certificate lets go of it first. */
const DELETED_LAST: readonly ResourceKindName[] = ['service', 'certificate', 'ca_certificate'];
const PLACES: ReadonlyMap<string, number> = new Map(RESOURCE_KINDS.map(({ name }, place) => [name, place]));

/**
 * The operations of a bulk in the order in which they can be done, whatever order they were written in: deletes, children before parents; then
 * writes, parents before children; then deletes of what others may have referred to.
 */
export function orderBulk(operations: readonly BulkOperation[]): readonly BulkOperation[] {
  return operations.toSorted((one, other) => stageOf(one) - stageOf(other) || one.index - other.index);
}

function stageOf({ method, kind }: BulkOperation): number {
  const place = PLACES.get(kind.name) ?? 0;
  const count = PLACES.size;
  if (method !== 'delete') return count + place;
  return DELETED_LAST.includes(kind.name) ? 2 * count + place : count - 1 - place;
}
