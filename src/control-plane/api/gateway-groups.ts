import { PortcullisError } from '../../errors/index.ts';
import { ADMIN_KEY_SPACE, hashToken, randomAdminKey, randomId } from '../auth/index.ts';
import type { ApiAnswer, ApiRequest, ApiRoute } from '../http/index.ts';
import { readPatch } from '../patch/index.ts';
import type { ApiContext } from './api-context.ts';
import { deleteGatewayGroup } from './delete-gateway-group.ts';
import { GATEWAY_GROUP, presentGatewayGroup, readGatewayGroup, requireGatewayGroup } from './gateway-group-record.ts';
import { listAnswer } from './paging.ts';
import { patchedDocument } from './patch-resource.ts';
import { isNotModified } from './preconditions.ts';
import { entityTag } from './present-resource.ts';
import { createGatewayGroup, replaceUniqueValues, updateGatewayGroup } from './write-gateway-group.ts';

const LIST = '/api/gateway_groups';
const ONE = `${LIST}/:id`;

/** The operations on gateway groups and their admin keys. Ids are the server's; PUT of an unknown one is 404, as in API7. */
export function gatewayGroupRoutes(context: ApiContext): readonly ApiRoute[] {
  const route = (
    method: ApiRoute['method'],
    path: string,
    action: 'Get' | 'Create' | 'Update' | 'Delete',
    handle: (request: ApiRequest) => Promise<ApiAnswer>,
  ): ApiRoute => ({ method, path, permission: `gateway:${action}GatewayGroup`, groupScoped: action === 'Get', handle });
  return [
    route('GET', LIST, 'Get', (request) => listGatewayGroups(context, request)),
    route('POST', LIST, 'Create', (request) => createGatewayGroup(context, request, randomId(context.random))),
    route('GET', ONE, 'Get', (request) => getGatewayGroup(context, request)),
    route('PUT', ONE, 'Update', async (request) => {
      const body = request.body();
      return updateGatewayGroup(context, request, idOf(request), () => body);
    }),
    route('PATCH', ONE, 'Update', async (request) => {
      const patch = readPatch(request.body(), request.header('content-type'));
      return updateGatewayGroup(context, request, idOf(request), (resource) => patchedDocument(context, GATEWAY_GROUP, resource, patch));
    }),
    route('DELETE', ONE, 'Delete', (request) => deleteGatewayGroup(context, request, idOf(request))),
    route('PUT', `${ONE}/admin_key`, 'Update', (request) => renewAdminKey(context, request)),
    route('DELETE', `${ONE}/admin_key`, 'Update', async (request) => {
      return { headers: await replaceUniqueValues(context, request, idOf(request), []), body: {} };
    }),
  ];
}

function idOf({ parameters }: ApiRequest): string {
  return parameters.get('id') ?? '';
}

/** `name` is exact and wins over `search`: ADC sends both and takes the first group of the answer for the one it named. */
async function listGatewayGroups({ store }: ApiContext, { query, caller }: ApiRequest): Promise<ApiAnswer> {
  const name = query.get('name');
  const groups = (await store.listGroups()).filter(
    (group) => (caller?.groupId === undefined || caller.groupId === group.id) && (name === null || group.name === name),
  );
  const records = await Promise.all(groups.map((group) => readGatewayGroup(store, group)));
  return listAnswer(records, query, {
    present: presentGatewayGroup,
    texts: ({ group }) => (name === null ? [group.id, group.name, group.description] : [query.get('search') ?? '']),
    labels: ({ resource }) => resource.document.labels,
    createdAt: ({ group }) => group.createdAt,
    updatedAt: ({ resource }) => resource.updatedAt,
  });
}

async function getGatewayGroup({ store }: ApiContext, request: ApiRequest): Promise<ApiAnswer> {
  const id = idOf(request);
  if (request.caller?.groupId !== undefined && request.caller.groupId !== id) {
    throw new PortcullisError('admin_forbidden', { publicMessage: 'the admin key is that of another gateway group' });
  }
  const record = await requireGatewayGroup(store, id);
  const headers = { etag: entityTag(record.resource.revision) };
  if (isNotModified(request, record.resource.revision)) return { status: 304, headers, body: undefined };
  return { headers, body: { value: presentGatewayGroup(record) } };
}

/** A new admin key in place of the former one, which is of no use from then on. Shown here and nowhere again. */
async function renewAdminKey(context: ApiContext, request: ApiRequest): Promise<ApiAnswer> {
  const key = randomAdminKey(context.random, idOf(request));
  const digest = hashToken(Buffer.from(key, 'latin1'));
  const headers = await replaceUniqueValues(context, request, idOf(request), [{ space: ADMIN_KEY_SPACE, digest }]);
  return { headers, body: { value: { key } } };
}
