import { PortcullisError } from '../../errors/index.ts';
import type { ResourceKind } from '../../schema/index.ts';
import type { Author, ResourceKey, StoreTransaction } from '../../store/index.ts';
import { type ApiAnswer, type ApiRequest, isTrial } from '../http/index.ts';
import { announceChange } from './announce-change.ts';
import type { ApiContext } from './api-context.ts';
import { authorOf } from './author-of.ts';
import { describeChange } from './describe-change.ts';
import { TRIED, transactOrTry } from './dry-run.ts';
import { gatewayGroupOf } from './gateway-group-of.ts';
import { isKeptWhileReferred, listReferences } from './list-references.ts';
import { checkWritePreconditions } from './preconditions.ts';
import { resourceKeyOf, resourceName } from './resource-path.ts';
import { permitKind, permitResource } from './resource-permissions.ts';
import { translateConflicts } from './unique-conflicts.ts';
import type { ResourceWriting } from './write-resource.ts';

/**
 * DELETE of one resource and all it owns: a service takes its routes and upstreams along, a consumer its credentials. A certificate that
 * something else names is refused (409).
 */
export async function deleteResource(context: ApiContext, kind: ResourceKind, request: ApiRequest): Promise<ApiAnswer> {
  const group = await gatewayGroupOf(context.store, request);
  permitKind(request, kind, 'delete', group.id);
  const key = resourceKeyOf(kind, group.id, request);
  const author = authorOf(request);
  const isTried = isTrial(request.query);
  const revision = await translateConflicts(context.plugins, () =>
    transactOrTry(context.store, author, isTried, (transaction) =>
      removeResource({ context, request, kind, key }, transaction, author, true),
    ),
  );
  if (isTried) return { body: TRIED };
  return { headers: await announceChange(context, request, group.id, revision), body: {} };
}

/**
 * One delete within a transaction, with its audit entry. Gives the group's new revision. `isWholeRevision`: the transaction does nothing else.
 *
 * @throws PortcullisError, RevisionConflict, before anything is written
 */
export async function removeResource(
  { context, request, kind, key }: Pick<ResourceWriting, 'context' | 'request' | 'kind' | 'key'>,
  transaction: StoreTransaction,
  author: Author,
  isWholeRevision: boolean,
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
    detail: { revision, ...(await describeChange(transaction, key, revision, isWholeRevision)) },
  });
  return revision;
}

async function remove(transaction: StoreTransaction, kind: ResourceKind, key: ResourceKey, request: ApiRequest): Promise<void> {
  const current = await transaction.getResource(key, { secrets: 'omit' });
  if (current !== undefined) await permitResource(transaction, request, 'delete', key, current.document);
  const isConditional = checkWritePreconditions(request, current?.revision);
  if (current === undefined) throw new PortcullisError('admin_not_found', { publicMessage: `${kind.name} not found` });
  await refuseWhileReferred(transaction, kind, key);
  await transaction.deleteResource(key, isConditional ? current.revision : undefined);
}

async function refuseWhileReferred(transaction: StoreTransaction, kind: ResourceKind, key: ResourceKey): Promise<void> {
  const user = isKeptWhileReferred(kind.name) ? (await listReferences(transaction, key.groupId, kind.name)).get(key.id) : undefined;
  if (user === undefined) return;
  const publicMessage = `can not delete this ${kind.name}, ${user.kind} [${user.id}] is still using it now`;
  throw new PortcullisError('admin_conflict', { publicMessage });
}
