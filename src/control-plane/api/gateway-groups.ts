import { policyOfGroup } from '../access/index.ts';
import { ADMIN_KEY_SPACE, hashToken, randomAdminKey, randomId } from '../auth/index.ts';
import type { ApiAnswer, ApiRequest, ApiRoute } from '../http/index.ts';
import { readPatch } from '../patch/index.ts';
import { callerOf, requireGrantable } from '../people/index.ts';
import type { ApiContext } from './api-context.ts';
import { deleteGatewayGroup } from './delete-gateway-group.ts';
import { mayReadGroup, permitGroup, permitGroupId } from './gateway-group-permissions.ts';
import { GATEWAY_GROUP, presentGatewayGroup, readGatewayGroup, requireGatewayGroup } from './gateway-group-record.ts';
import { listAnswer } from './paging.ts';
import { patchedDocument } from './patch-resource.ts';
import { isNotModified } from './preconditions.ts';
import { entityTag } from './present-resource.ts';
import { actionOn, type Verb } from './resource-permissions.ts';
import { createGatewayGroup, replaceUniqueValues, updateGatewayGroup } from './write-gateway-group.ts';

const LIST = '/api/gateway_groups';
const ONE = `${LIST}/:id`;
const ADMIN_KEY = `${ONE}/admin_key`;

/** The operations on gateway groups and their admin keys. Ids are the server's; PUT of an unknown one is 404, as in API7. */
export function gatewayGroupRoutes(context: ApiContext): readonly ApiRoute[] {
  const route = (method: ApiRoute['method'], path: string, verb: Verb, handle: (request: ApiRequest) => Promise<ApiAnswer>): ApiRoute => ({
    method,
    path,
    permission: actionOn('gateway_group', verb),
    // Conditions ask for the labels that a group has, and those that it would get.
    resource: { kind: 'handler' },
    groupScoped: verb === 'read',
    ...(path === ADMIN_KEY ? {} : { canBeTried: true }),
    handle: (request) => {
      permitGroupId(request, verb, verb === 'create' ? '*' : (request.parameters.get('id') ?? '*'));
      return handle(request);
    },
  });
  return [
    route('GET', LIST, 'read', (request) => listGatewayGroups(context, request)),
    route('POST', LIST, 'create', (request) => createGatewayGroup(context, request, randomId(context.random))),
    route('GET', ONE, 'read', (request) => getGatewayGroup(context, request)),
    route('PUT', ONE, 'write', async (request) => {
      const body = request.body();
      return updateGatewayGroup(context, request, idOf(request), () => body);
    }),
    route('PATCH', ONE, 'write', async (request) => {
      const patch = readPatch(request.body(), request.header('content-type'));
      return updateGatewayGroup(context, request, idOf(request), (resource) => patchedDocument(context, GATEWAY_GROUP, resource, patch));
    }),
    route('DELETE', ONE, 'delete', (request) => deleteGatewayGroup(context, request, idOf(request))),
    route('PUT', ADMIN_KEY, 'write', (request) => renewAdminKey(context, request)),
    route('DELETE', ADMIN_KEY, 'write', async (request) => {
      return { headers: await replaceUniqueValues(context, request, idOf(request), []), body: {} };
    }),
  ];
}

function idOf({ parameters }: ApiRequest): string {
  return parameters.get('id') ?? '';
}

/** `name` is exact and wins over `search`: ADC sends both and takes the first group of the answer for the one it named. */
async function listGatewayGroups({ store }: ApiContext, request: ApiRequest): Promise<ApiAnswer> {
  const { query } = request;
  const name = query.get('name');
  const groups = (await store.listGroups()).filter((group) => name === null || group.name === name);
  const records = await Promise.all(groups.map((group) => readGatewayGroup(store, group)));
  const visible = records.filter((record) => mayReadGroup(request, record));
  return listAnswer(visible, query, {
    present: presentGatewayGroup,
    texts: ({ group }) => (name === null ? [group.id, group.name, group.description] : [query.get('search') ?? '']),
    labels: ({ resource }) => resource.document.labels,
    createdAt: ({ group }) => group.createdAt,
    updatedAt: ({ resource }) => resource.updatedAt,
  });
}

async function getGatewayGroup({ store }: ApiContext, request: ApiRequest): Promise<ApiAnswer> {
  const id = idOf(request);
  const record = await requireGatewayGroup(store, id);
  permitGroup(request, 'read', id, record.resource.document);
  const headers = { etag: entityTag(record.resource.revision) };
  if (isNotModified(request, record.resource.revision)) return { status: 304, headers, body: undefined };
  return { headers, body: { value: presentGatewayGroup(record) } };
}

/**
 * A new admin key in place of the former one, which is of no use from then on. Shown here and nowhere again. It is for who may do everything in
 * the group himself, because that is what the key does.
 */
async function renewAdminKey(context: ApiContext, request: ApiRequest): Promise<ApiAnswer> {
  requireGrantable(callerOf(request), [policyOfGroup(idOf(request))]);
  const key = randomAdminKey(context.random, idOf(request));
  const digest = hashToken(Buffer.from(key, 'latin1'));
  const headers = await replaceUniqueValues(context, request, idOf(request), [{ space: ADMIN_KEY_SPACE, digest }]);
  return { headers, body: { value: { key } } };
}
