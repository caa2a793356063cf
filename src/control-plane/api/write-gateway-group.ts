import { PortcullisError } from '../../errors/index.ts';
import type { JsonObject, JsonValue } from '../../lib/json.ts';
import type { PluginFacts } from '../../plugin-kit/index.ts';
import type { Author, StoredResource, StoreTransaction, UniqueValue } from '../../store/index.ts';
import { type ApiAnswer, type ApiRequest, isTrial } from '../http/index.ts';
import { announceChange } from './announce-change.ts';
import type { ApiContext } from './api-context.ts';
import { authorOf } from './author-of.ts';
import { describeChange } from './describe-change.ts';
import { TRIED, transactOrTry } from './dry-run.ts';
import { requireValidDocument } from './examine-document.ts';
import { permitGroup } from './gateway-group-permissions.ts';
import { GATEWAY_GROUP, gatewayGroupKey, presentGatewayGroup, readGatewayGroup, requireGatewayGroup } from './gateway-group-record.ts';
import { checkWritePreconditions } from './preconditions.ts';
import { entityTag } from './present-resource.ts';
import { resourceName } from './resource-path.ts';
import { translateConflicts } from './unique-conflicts.ts';

/** A group has no plugins that could ask for any. */
const NO_FACTS: PluginFacts = {};

/** What a change of a group's resource consists of. */
interface GroupChange {
  readonly groupId: string;
  readonly action: string;
  readonly document: JsonObject;
  readonly unique: readonly UniqueValue[];
}

/** Makes a new group of a body. @throws PortcullisError 400, 409 when another has the name */
export async function createGatewayGroup(context: ApiContext, request: ApiRequest, groupId: string): Promise<ApiAnswer> {
  const { document } = requireValidDocument(GATEWAY_GROUP, request.body(), undefined, { ...context, facts: NO_FACTS });
  permitGroup(request, 'create', '*', document);
  return writeInTransaction(context, request, groupId, async (transaction, author) => {
    checkWritePreconditions(request, undefined);
    await putRow(transaction, groupId, document);
    return putGroupResource(context, request, transaction, author, { groupId, action: 'put', document, unique: [] });
  });
}

/** Replaces what was written of a group by what `change` makes of it. @throws PortcullisError 400, 404, 409, 412 */
export async function updateGatewayGroup(
  context: ApiContext,
  request: ApiRequest,
  groupId: string,
  change: (resource: StoredResource) => JsonValue,
  action: 'put' | 'revert' = 'put',
): Promise<ApiAnswer> {
  return writeInTransaction(context, request, groupId, async (transaction, author) => {
    const { resource } = await requireGatewayGroup(transaction, groupId);
    permitGroup(request, 'write', groupId, resource.document);
    checkWritePreconditions(request, resource.revision);
    const { document } = requireValidDocument(GATEWAY_GROUP, change(resource), groupId, { ...context, facts: NO_FACTS });
    permitGroup(request, 'write', groupId, document);
    await putRow(transaction, groupId, document);
    return putGroupResource(context, request, transaction, author, { groupId, action, document, unique: resource.unique });
  });
}

/**
 * Gives a group other unique values, which are what its admin key is known by, and leaves all else as it is. Answers the headers of a write.
 *
 * @throws PortcullisError 404
 */
export async function replaceUniqueValues(
  context: ApiContext,
  request: ApiRequest,
  groupId: string,
  unique: readonly UniqueValue[],
): Promise<Readonly<Record<string, string>>> {
  const author = authorOf(request);
  const { revision } = await context.store.transaction(author, async (transaction) => {
    const { resource } = await requireGatewayGroup(transaction, groupId);
    permitGroup(request, 'write', groupId, resource.document);
    const action = unique.length === 0 ? 'admin_key.delete' : 'admin_key.put';
    return putGroupResource(context, request, transaction, author, { groupId, action, document: resource.document, unique });
  });
  return announceChange(context, request, groupId, revision);
}

async function writeInTransaction(
  context: ApiContext,
  request: ApiRequest,
  groupId: string,
  work: (transaction: StoreTransaction, author: Author) => Promise<StoredResource>,
): Promise<ApiAnswer> {
  const author = authorOf(request);
  const write = async (transaction: StoreTransaction) => {
    const stored = await work(transaction, author);
    const group = await transaction.getGroup(groupId);
    if (group === undefined) throw new Error('a written gateway group is gone');
    return { stored, value: presentGatewayGroup(await readGatewayGroup(transaction, group)) };
  };
  const isTried = isTrial(request.query);
  const { stored, value } = await translateConflicts(context.plugins, () => transactOrTry(context.store, author, isTried, write));
  if (isTried) return { body: { value, ...TRIED } };
  const headers = await announceChange(context, request, groupId, stored.revision);
  return { headers: { ...headers, etag: entityTag(stored.revision) }, body: { value } };
}

/** The row by which groups are found. Names are unique, because clients take the first group that has the name they want. */
async function putRow(transaction: StoreTransaction, id: string, { name, description }: JsonObject): Promise<void> {
  const namesake = (await transaction.listGroups()).find((group) => group.name === name && group.id !== id);
  if (namesake !== undefined)
    throw new PortcullisError('admin_conflict', { publicMessage: `gateway group ${namesake.id} has this name already` });
  await transaction.putGroup({ id, name: String(name), description: typeof description === 'string' ? description : '' });
}

async function putGroupResource(
  context: ApiContext,
  request: ApiRequest,
  transaction: StoreTransaction,
  author: Author,
  { groupId, action, document, unique }: GroupChange,
): Promise<StoredResource> {
  const key = gatewayGroupKey(groupId);
  const stored = await transaction.putResource({ key, document, secretPointers: [], unique, owner: undefined });
  await transaction.appendAudit({
    at: Math.floor(context.clock.nowMs() / 1000),
    author,
    action: `${GATEWAY_GROUP.name}.${action}`,
    groupId,
    resource: resourceName(GATEWAY_GROUP, key),
    address: request.address,
    detail: { revision: stored.revision, ...(await describeChange(transaction, key, stored.revision)) },
  });
  return stored;
}
