import { PortcullisError } from '../../errors/index.ts';
import type { ResourceKind } from '../../schema/index.ts';
import { type ResourceKey, RevisionConflict, type StoreTransaction } from '../../store/index.ts';
import type { ApiAnswer, ApiRequest } from '../http/index.ts';
import { announceChange } from './announce-change.ts';
import type { ApiContext } from './api-context.ts';
import { authorOf } from './author-of.ts';
import { describeChange } from './describe-change.ts';
import { gatewayGroupOf } from './gateway-group-of.ts';
import { checkWritePreconditions } from './preconditions.ts';
import { resourceKeyOf, resourceName } from './resource-path.ts';

/** DELETE of one resource and all it owns: a service takes its routes along, a consumer its credentials. */
export async function deleteResource(context: ApiContext, kind: ResourceKind, request: ApiRequest): Promise<ApiAnswer> {
  const group = await gatewayGroupOf(context.store, request);
  const key = resourceKeyOf(kind, group.id, request);
  const author = authorOf(request);
  const revision = await context.store.transaction(author, async (transaction) => {
    await remove(transaction, kind, key, request);
    const newRevision = (await transaction.getGroup(group.id))?.revision ?? 0;
    await transaction.appendAudit({
      at: Math.floor(context.clock.nowMs() / 1000),
      author,
      action: `${kind.name}.delete`,
      groupId: group.id,
      resource: resourceName(kind, key),
      address: request.address,
      detail: { revision: newRevision, ...(await describeChange(transaction, key, newRevision)) },
    });
    return newRevision;
  });
  return { headers: await announceChange(context, request, group.id, revision), body: {} };
}

async function remove(transaction: StoreTransaction, kind: ResourceKind, key: ResourceKey, request: ApiRequest): Promise<void> {
  const current = await transaction.getResource(key, { secrets: 'omit' });
  const isConditional = checkWritePreconditions(request, current?.revision);
  try {
    if (await transaction.deleteResource(key, isConditional ? current?.revision : undefined)) return;
  } catch (error) {
    if (error instanceof RevisionConflict) throw new PortcullisError('admin_precondition_failed');
    throw error;
  }
  throw new PortcullisError('admin_not_found', { publicMessage: `${kind.name} not found` });
}
