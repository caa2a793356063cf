import { PortcullisError } from '../../errors/index.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { ApiAnswer, ApiRequest, ApiRoute } from '../http/index.ts';
import { findInstance, type KnownInstance, listInstances, revokeInstance } from '../joining/index.ts';
import type { ApiContext } from './api-context.ts';
import { authorOf } from './author-of.ts';
import { requireGatewayGroup } from './gateway-group-record.ts';

const LIST = '/api/gateway_groups/:id/instance_certificates';
/** Printable, as names are that certificates were ever issued for. */
const INSTANCE_ID = /^[^\p{C}\p{Zl}\p{Zp}]{1,256}$/u;

/** The certificates that instances of a gateway group were given, and the end of an instance. */
export function instanceAccessRoutes(context: ApiContext): readonly ApiRoute[] {
  return [
    { method: 'GET', path: LIST, permission: 'gateway:GetGatewayInstance', handle: (request) => listAll(context, request) },
    {
      method: 'DELETE',
      path: `${LIST}/:instance_id`,
      permission: 'gateway:CreateGatewayInstance',
      handle: (request) => revoke(context, request),
    },
  ];
}

async function listAll({ store }: ApiContext, request: ApiRequest): Promise<ApiAnswer> {
  const groupId = request.parameters.get('id') ?? '';
  await requireGatewayGroup(store, groupId);
  const instances = await listInstances(store, groupId);
  return { body: { list: instances.map(present), total: instances.length } };
}

/**
 * Ends an instance with all its certificates: here its connection is cut before the answer, at other control planes within seconds. It cannot come
 * back. One that nothing is known of is revoked too, for its certificate may be from before the store was set back.
 */
async function revoke(context: ApiContext, request: ApiRequest): Promise<ApiAnswer> {
  const { store, clock, joining } = context;
  const groupId = request.parameters.get('id') ?? '';
  const id = request.parameters.get('instance_id') ?? '';
  if (!INSTANCE_ID.test(id)) throw new PortcullisError('admin_invalid', { publicMessage: 'this can be the id of no instance' });
  const author = authorOf(request);
  const nowSeconds = Math.floor(clock.nowMs() / 1000);
  await store.transaction(author, async (transaction) => {
    await requireGatewayGroup(transaction, groupId);
    const known = await findInstance(transaction, groupId, id);
    if (known !== undefined && known.revokedAt !== null) return;
    const unknown: KnownInstance = {
      ...{ id, groupId, hostname: '', tokenId: null, createdAt: nowSeconds, certificates: [], revokedAt: null, revokedBy: null },
    };
    await revokeInstance(transaction, known ?? unknown, { nowSeconds, author: author.id });
    const detail = { hostname: known?.hostname ?? '', known: known !== undefined };
    const entry = { at: nowSeconds, author, action: 'instance.revoke', groupId, resource: id, address: request.address, detail };
    await transaction.appendAudit(entry);
  });
  await joining.reviewPeers();
  return { body: {} };
}

function present(instance: KnownInstance): JsonObject {
  const [latest] = instance.certificates.slice(-1);
  return {
    ...{ id: instance.id, gateway_group_id: instance.groupId, hostname: instance.hostname, join_token_id: instance.tokenId },
    ...{ created_at: instance.createdAt, revoked_at: instance.revokedAt, revoked_by: instance.revokedBy },
    expires_at: latest?.expiresAt ?? null,
    certificates: instance.certificates.map(({ serial, issuedAt, expiresAt, authority }) => {
      return { serial, issued_at: issuedAt, expires_at: expiresAt, authority_pin: authority };
    }),
  };
}
