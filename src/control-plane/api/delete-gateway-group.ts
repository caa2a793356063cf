import { PortcullisError } from '../../errors/index.ts';
import type { StoreTransaction } from '../../store/index.ts';
import { type ApiAnswer, type ApiRequest, isTrial } from '../http/index.ts';
import { forgetGroup } from '../joining/index.ts';
import type { ApiContext } from './api-context.ts';
import { authorOf } from './author-of.ts';
import { describeChange } from './describe-change.ts';
import { TRIED, transactOrTry } from './dry-run.ts';
import { permitGroup } from './gateway-group-permissions.ts';
import { GATEWAY_GROUP, gatewayGroupKey, requireGatewayGroup } from './gateway-group-record.ts';
import { checkWritePreconditions } from './preconditions.ts';
import { resourceName } from './resource-path.ts';

/** The group that every installation begins with, and that clients name without looking it up. */
const FIRST_GROUP_ID = 'default';

/** DELETE of a group that nobody uses: it holds no resource, and no gateway instance is connected. */
export async function deleteGatewayGroup(context: ApiContext, request: ApiRequest, groupId: string): Promise<ApiAnswer> {
  const author = authorOf(request);
  const isTried = isTrial(request.query);
  await transactOrTry(context.store, author, isTried, async (transaction) => {
    const { resource } = await requireGatewayGroup(transaction, groupId);
    permitGroup(request, 'delete', groupId, resource.document);
    checkWritePreconditions(request, resource.revision);
    await refuseWhileUsed(context, transaction, groupId);
    const key = gatewayGroupKey(groupId);
    const isDeleted = await transaction.deleteResource(key);
    const revision = (await transaction.getGroup(groupId))?.revision ?? 0;
    const change = isDeleted ? await describeChange(transaction, key, revision) : {};
    await transaction.deleteGroup(groupId);
    await forgetGroup(transaction, groupId);
    await transaction.appendAudit({
      at: Math.floor(context.clock.nowMs() / 1000),
      author,
      action: `${GATEWAY_GROUP.name}.delete`,
      groupId,
      resource: resourceName(GATEWAY_GROUP, key),
      address: request.address,
      detail: change,
    });
  });
  return { body: isTried ? TRIED : {} };
}

async function refuseWhileUsed({ publisher, registry }: ApiContext, transaction: StoreTransaction, groupId: string): Promise<void> {
  if (groupId === FIRST_GROUP_ID) throw inUse('the first gateway group cannot be deleted');
  const isConnected = publisher.instances(groupId).length > 0 || (await registry.list(groupId)).some((each) => each.isConnected);
  if (isConnected) throw inUse('can not delete this gateway group, gateway instances are connected');
  const [first, second] = await transaction.pageOfResources(groupId, undefined, 2);
  const held = [first, second].find((resource) => resource !== undefined && resource.key.kind !== GATEWAY_GROUP.name);
  if (held !== undefined) throw inUse(`can not delete this gateway group, ${held.key.kind} [${held.key.id}] is still in it`);
}

function inUse(publicMessage: string): PortcullisError {
  return new PortcullisError('admin_conflict', { publicMessage });
}
