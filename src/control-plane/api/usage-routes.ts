import { PortcullisError } from '../../errors/index.ts';
import type { JsonObject } from '../../lib/json.ts';
import { type ResourceKind, type ResourceKindName, resourceKind } from '../../schema/index.ts';
import type { LastUse, ResourceKey, UsageDimension, UsageQuery, UsageSum } from '../../store/index.ts';
import type { ApiAnswer, ApiRequest, ApiRoute } from '../http/index.ts';
import type { ApiContext } from './api-context.ts';
import { gatewayGroupOf } from './gateway-group-of.ts';
import { collectionPaths, resourceKeyOf, resourcePath } from './resource-path.ts';
import { actionOn, isFree, mayDoToResource, permitKind, permitResource, permitWholeKind } from './resource-permissions.ts';
import { readUsageQuery, SUMS_OF_ANSWER } from './usage-query.ts';

/** Kinds whose usage can be asked for. */
export const USED_KINDS = ['consumer', 'credential', 'service', 'route'] as const;
type UsedKind = (typeof USED_KINDS)[number];

/** Whom a dimension names, so that one who may not see all of them is not told by it. */
const NAMED_KINDS: Readonly<Record<UsageDimension, ResourceKindName | undefined>> = {
  consumer: 'consumer',
  credential: 'credential',
  service: 'service',
  route: 'route',
  status: undefined,
};

/**
 * How often credentials, consumers, routes and services were used, and when last: ours, not API7's. It stands at paths of its own, so that
 * resources themselves are what was written.
 */
export function usageRoutes(context: ApiContext): readonly ApiRoute[] {
  const ofKinds = USED_KINDS.map((name): ApiRoute => {
    const kind = resourceKind(name);
    return {
      method: 'GET',
      path: usagePath(kind),
      permission: actionOn(name, 'read'),
      resource: { kind: 'handler' },
      groupScoped: true,
      handle: (request) => readUsageOfResource(context, kind, name, request),
    };
  });
  const ofGroup: ApiRoute = {
    method: 'GET',
    path: '/api/gateway_groups/:id/usage',
    permission: actionOn('credential', 'read'),
    resource: { kind: 'handler' },
    handle: (request) => readUsageOfGroup(context, request),
  };
  return [...ofKinds, ofGroup];
}

/** Where the usage of one resource of a kind is. */
export function usagePath(kind: ResourceKind): string {
  const [list = ''] = collectionPaths(kind);
  return `${resourcePath(kind, list)}/usage`;
}

async function readUsageOfGroup(context: ApiContext, request: ApiRequest): Promise<ApiAnswer> {
  const groupId = request.parameters.get('id') ?? '';
  // It tells of everybody.
  for (const name of ['credential', 'consumer', 'service'] as const) permitWholeKind(request, resourceKind(name), 'read', groupId);
  if ((await context.store.getGroup(groupId)) === undefined)
    throw new PortcullisError('admin_not_found', { publicMessage: 'gateway group not found' });
  const asked = readUsageQuery(request.query, nowSeconds(context));
  const query = { ...asked, groupId, equals: {} };
  return { body: { value: usageAnswer(query, await context.usage.find(query), undefined) } };
}

async function readUsageOfResource(context: ApiContext, kind: ResourceKind, name: UsedKind, request: ApiRequest): Promise<ApiAnswer> {
  const { store, usage } = context;
  const { id: groupId } = await gatewayGroupOf(store, request);
  permitKind(request, kind, 'read', groupId);
  const key = resourceKeyOf(kind, groupId, request);
  const found = await store.getResource(key, { secrets: 'omit' });
  if (found !== undefined) await permitResource(store, request, 'read', key, found.document);
  // What it was is not known any more, so only those who may see all of its kind are told.
  else if (!isFree(request, name, 'read', groupId)) throw notFound(name);
  const asked = readUsageQuery(request.query, nowSeconds(context));
  await permitSplit(context, request, key, asked.splitBy);
  const query = { ...asked, groupId, equals: identityOf(name, key) };
  const sums = await usage.find(query);
  const { consumer, credential } = query.equals;
  const lastUse = consumer === undefined ? undefined : await usage.lastUse(groupId, consumer, credential);
  if (found === undefined && sums.length === 0 && lastUse === undefined) throw notFound(name);
  return { body: { value: usageAnswer(query, sums, lastUse) } };
}

/** @throws PortcullisError 403 where the answer would name what the caller may not see */
async function permitSplit(
  { store }: ApiContext,
  request: ApiRequest,
  key: ResourceKey,
  splitBy: readonly UsageDimension[],
): Promise<void> {
  for (const dimension of splitBy) {
    const name = NAMED_KINDS[dimension];
    if (name === undefined || name === key.kind) continue;
    const own = { groupId: key.groupId, kind: 'credential', parentId: key.id, id: '' };
    if (key.kind === 'consumer' && name === 'credential' && (await mayDoToResource(store, request, 'read', own, {}))) continue;
    permitWholeKind(request, resourceKind(name), 'read', key.groupId);
  }
}

function identityOf(name: UsedKind, { parentId, id }: ResourceKey): UsageQuery['equals'] {
  switch (name) {
    case 'consumer':
      return { consumer: id };
    case 'credential':
      return { consumer: parentId, credential: id };
    case 'service':
      return { service: id };
    case 'route':
      return { route: id };
  }
}

function usageAnswer({ span, from, until, limit }: UsageQuery, sums: readonly UsageSum[], lastUse: LastUse | undefined): JsonObject {
  const list = sums.slice(0, SUMS_OF_ANSWER);
  return {
    by: span,
    from,
    until,
    requests: list.reduce((total, { requests }) => total + requests, 0),
    ...(lastUse === undefined ? {} : { last_used_at: lastUse.at, last_used_instance: lastUse.instanceId }),
    list: list.map(({ startsAt, requests, of }) => ({ starts_at: startsAt, ...of, requests })),
    truncated: sums.length >= limit,
  };
}

function notFound(name: UsedKind): PortcullisError {
  return new PortcullisError('admin_not_found', { publicMessage: `${name} not found` });
}

function nowSeconds({ clock }: ApiContext): number {
  return Math.floor(clock.nowMs() / 1000);
}
