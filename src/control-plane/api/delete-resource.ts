import { PortcullisError } from '../../errors/index.ts';
import { RESOURCE_KINDS, type ResourceKind } from '../../schema/index.ts';
import type { Author, ResourceKey, StoreTransaction } from '../../store/index.ts';
import type { ApiAnswer, ApiRequest } from '../http/index.ts';
import { announceChange } from './announce-change.ts';
import type { ApiContext } from './api-context.ts';
import { authorOf } from './author-of.ts';
import { gatewayGroupOf } from './gateway-group-of.ts';
import { checkWritePreconditions } from './preconditions.ts';
import { resourceKeyOf, resourceName } from './resource-path.ts';
import { translateConflicts } from './unique-conflicts.ts';
import type { ResourceWriting } from './write-resource.ts';

/**
 * DELETE of one resource and all it owns: a service takes its routes and upstreams along, a consumer its credentials. A certificate that
 * something else names is refused (409).
 */
export async function deleteResource(context: ApiContext, kind: ResourceKind, request: ApiRequest): Promise<ApiAnswer> {
  const group = await gatewayGroupOf(context.store, request);
  const key = resourceKeyOf(kind, group.id, request);
  const author = authorOf(request);
  const revision = await translateConflicts(context.plugins, () =>
    context.store.transaction(author, (transaction) => removeResource({ context, request, kind, key }, transaction, author)),
  );
  return { headers: await announceChange(context, request, group.id, revision), body: {} };
}

/**
 * One delete within a transaction, with its audit entry. Gives the group's new revision.
 *
 * @throws PortcullisError, RevisionConflict, before anything is written
 */
export async function removeResource(
  { context, request, kind, key }: Pick<ResourceWriting, 'context' | 'request' | 'kind' | 'key'>,
  transaction: StoreTransaction,
  author: Author,
): Promise<number> {
  await remove(transaction, kind, key, request);
  const revision = (await transaction.getGroup(key.groupId))?.revision ?? 0;
  await transaction.appendAudit({
    at: Math.floor(context.clock.nowMs() / 1000),
    author,
    action: `${kind.name}.delete`,
    groupId: key.groupId,
    resource: resourceName(kind, key),
    address: request.address,
    detail: { revision },
  });
  return revision;
}

async function remove(transaction: StoreTransaction, kind: ResourceKind, key: ResourceKey, request: ApiRequest): Promise<void> {
  const current = await transaction.getResource(key, { secrets: 'omit' });
  const isConditional = checkWritePreconditions(request, current?.revision);
  if (current === undefined) throw new PortcullisError('admin_not_found', { publicMessage: `${kind.name} not found` });
  await refuseWhileReferred(transaction, kind, key);
  await transaction.deleteResource(key, isConditional ? current.revision : undefined);
}

/** Kinds that others refer to, and the kinds that do. */
const REFERRING: ReadonlyMap<string, readonly ResourceKind[]> = new Map([
  ['certificate', RESOURCE_KINDS.filter(({ name }) => name === 'sni' || name === 'service' || name === 'upstream')],
  ['ca_certificate', RESOURCE_KINDS.filter(({ name }) => name === 'service' || name === 'upstream')],
]);

async function refuseWhileReferred(transaction: StoreTransaction, kind: ResourceKind, key: ResourceKey): Promise<void> {
  for (const referring of REFERRING.get(kind.name) ?? []) {
    const resources = await transaction.listResources({ groupId: key.groupId, kind: referring.name }, { secrets: 'omit' });
    const user = resources.find(({ document }) =>
      referring.references(document).some((reference) => reference.kind === kind.name && reference.id === key.id),
    );
    if (user === undefined) continue;
    const publicMessage = `can not delete this ${kind.name}, ${referring.name} [${user.key.id}] is still using it now`;
    throw new PortcullisError('admin_conflict', { publicMessage });
  }
}
