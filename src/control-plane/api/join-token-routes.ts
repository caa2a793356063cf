import { formatJoinToken } from '../../distribution/index.ts';
import { PortcullisError } from '../../errors/index.ts';
import type { JsonObject } from '../../lib/json.ts';
import { compileValidator, formatIssues, Type } from '../../schema/index.ts';
import type { AuditEntry, StoreReader } from '../../store/index.ts';
import { randomId, randomSecret } from '../auth/index.ts';
import type { ApiAnswer, ApiRequest, ApiRoute } from '../http/index.ts';
import {
  digestSecret,
  findJoinToken,
  issuingPin,
  type JoinTokenStatus,
  joinCommands,
  listJoinTokens,
  putJoinToken,
  requireAuthorities,
  type StoredJoinToken,
  statusOfJoinToken,
} from '../joining/index.ts';
import type { ApiContext } from './api-context.ts';
import { authorOf } from './author-of.ts';
import { requireGatewayGroup } from './gateway-group-record.ts';

/** Of one group that can still be used. */
const MAX_TOKENS = 500;
const DAY_SECONDS = 86_400;
const DEFAULT_LIFE_SECONDS = DAY_SECONDS;

const nameField = Type.String({ minLength: 1, maxLength: 100, pattern: '^[^\\p{C}\\p{Zl}\\p{Zp}]*$' });

/** What a new join token is made of. */
export const newJoinToken = compileValidator(
  Type.Object({
    name: Type.Optional(nameField),
    expires_in: Type.Optional(Type.Integer({ minimum: 60, maximum: 365 * DAY_SECONDS })),
    max_uses: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
  }),
);

/** Join tokens of a gateway group: by one a gateway gets its first certificate. Making one has API7's path. */
export function joinTokenRoutes(context: ApiContext): readonly ApiRoute[] {
  const list = '/api/gateway_groups/:id/instance_tokens';
  return [
    {
      method: 'POST',
      path: '/api/gateway_groups/:id/instance_token',
      permission: 'gateway:CreateGatewayInstance',
      handle: (request) => createJoinToken(context, request),
    },
    { method: 'GET', path: list, permission: 'gateway:GetGatewayInstance', handle: (request) => listTokens(context, request) },
    {
      method: 'GET',
      path: `${list}/:token_id`,
      permission: 'gateway:GetGatewayInstance',
      handle: async (request) => ({ body: { value: present(context, await ownToken(context.store, request)) } }),
    },
    {
      method: 'DELETE',
      path: `${list}/:token_id`,
      permission: 'gateway:CreateGatewayInstance',
      handle: (request) => revokeJoinToken(context, request),
    },
  ];
}

async function createJoinToken(context: ApiContext, request: ApiRequest): Promise<ApiAnswer> {
  const { store, clock, random, joining } = context;
  const { name = 'join token', expires_in: life = DEFAULT_LIFE_SECONDS, max_uses: maxUses = 1 } = readBody(request);
  const groupId = groupIdOf(request);
  const author = authorOf(request);
  const secret = randomSecret(random);
  const createdAt = Math.floor(clock.nowMs() / 1000);
  const token: StoredJoinToken = {
    ...{ id: randomId(random), groupId, name, digest: digestSecret(secret), createdAt, expiresAt: expiryNow(context) + life, maxUses },
    ...{ uses: 0, lastUsedAt: null, revokedAt: null, author: author.id },
  };
  const pin = await store.transaction(author, async (transaction) => {
    await requireGatewayGroup(transaction, groupId);
    const usable = (await listJoinTokens(transaction, groupId)).filter((other) => statusOf(context, other) === 'usable');
    if (usable.length >= MAX_TOKENS) {
      throw new PortcullisError('admin_conflict', {
        publicMessage: `a gateway group has at most ${MAX_TOKENS} join tokens: revoke one first`,
      });
    }
    const authorities = await requireAuthorities(transaction);
    await putJoinToken(transaction, token);
    await transaction.appendAudit(entryOf(context, request, 'join_token.create', token));
    return issuingPin(authorities);
  });
  const text = formatJoinToken({ id: token.id, secret, authorityPin: pin });
  const shown = { ...present(context, token), token: text, token_plain_text: text, authority_pin: pin };
  if (request.query.get('only_token') === 'true') return { body: { value: shown } };
  const { controlPlanes, softwareVersion } = joining;
  return { body: { value: { ...shown, commands: { ...joinCommands({ token: text, controlPlanes, softwareVersion }) } } } };
}

async function listTokens(context: ApiContext, request: ApiRequest): Promise<ApiAnswer> {
  const groupId = groupIdOf(request);
  await requireGatewayGroup(context.store, groupId);
  const tokens = await listJoinTokens(context.store, groupId);
  return { body: { list: tokens.map((token) => present(context, token)), total: tokens.length } };
}

/** Who has joined by it stays. Revoking twice does no harm. */
async function revokeJoinToken(context: ApiContext, request: ApiRequest): Promise<ApiAnswer> {
  const revokedAt = Math.floor(context.clock.nowMs() / 1000);
  await context.store.transaction(authorOf(request), async (transaction) => {
    const token = await ownToken(transaction, request);
    if (token.revokedAt !== null) return;
    await putJoinToken(transaction, { ...token, revokedAt });
    await transaction.appendAudit(entryOf(context, request, 'join_token.revoke', token));
  });
  return { body: {} };
}

/** A token of another group does not exist. @throws PortcullisError 404 */
async function ownToken(store: Pick<StoreReader, 'getRecord'>, request: ApiRequest): Promise<StoredJoinToken> {
  const token = await findJoinToken(store, request.parameters.get('token_id') ?? '');
  if (token?.groupId !== groupIdOf(request)) throw new PortcullisError('admin_not_found', { publicMessage: 'join token not found' });
  return token;
}

/** As answers show it: never its value. */
function present(context: ApiContext, token: StoredJoinToken): JsonObject {
  return {
    ...{ id: token.id, gateway_group_id: token.groupId, name: token.name, status: statusOf(context, token) },
    ...{ max_uses: token.maxUses, uses: token.uses, last_used_at: token.lastUsedAt },
    ...{ created_at: token.createdAt, expires_at: token.expiresAt, revoked_at: token.revokedAt, created_by: token.author },
  };
}

function entryOf({ clock }: ApiContext, request: ApiRequest, action: string, token: StoredJoinToken): AuditEntry {
  return {
    at: Math.floor(clock.nowMs() / 1000),
    author: authorOf(request),
    action,
    groupId: token.groupId,
    resource: token.id,
    address: request.address,
    detail: { name: token.name, expires_at: token.expiresAt, max_uses: token.maxUses, uses: token.uses },
  };
}

/** Clients of API7 send no body. @throws PortcullisError 400 */
function readBody(request: ApiRequest) {
  const validation = newJoinToken(request.bytes().length === 0 ? {} : request.body());
  if (validation.ok) return validation.value;
  throw new PortcullisError('admin_invalid', { publicMessage: formatIssues(validation.issues) });
}

function statusOf(context: ApiContext, token: StoredJoinToken): JoinTokenStatus {
  return statusOfJoinToken(token, expiryNow(context));
}

/** By which tokens expire. */
function expiryNow({ people }: ApiContext): number {
  return Math.floor(people.expiryClock.nowMs() / 1000);
}

function groupIdOf(request: ApiRequest): string {
  return request.parameters.get('id') ?? '';
}
