import { PortcullisError } from '../../errors/index.ts';
import type { JsonObject } from '../../lib/json.ts';
import { compileValidator, Type } from '../../schema/index.ts';
import type { ApiToken, StoreTransaction } from '../../store/index.ts';
import { describeToken, hashToken, randomId, randomToken } from '../auth/index.ts';
import type { ApiAnswer, ApiRequest, ApiRoute } from '../http/index.ts';
import { expiresAtField, tokenNameField } from './fields.ts';
import { callerOf, change, expiryNow, invalidAt, notFound, type PeopleContext, readBody } from './people-context.ts';

/** Of one user. Nobody fills the store with what needs no permission. */
const MAX_TOKENS = 500;

/** What a new token is made of. */
export const newToken = compileValidator(Type.Object({ name: tokenNameField, expires_at: expiresAtField }));
/** The new name of a token. */
export const rename = compileValidator(Type.Object({ name: tokenNameField }));
/** How long a new value holds. */
export const regeneration = compileValidator(Type.Object({ expires_at: expiresAtField }));

/** API7's path, and its older one. */
export const COLLECTIONS = ['/api/tokens', '/api/settings/tokens'];

/** The caller's own API tokens. Those of others are nobody's business; they end with their user. */
export function tokenRoutes(context: PeopleContext): readonly ApiRoute[] {
  const permission = 'signed-in';
  return COLLECTIONS.flatMap((path): readonly ApiRoute[] => [
    { method: 'GET', path, permission, handle: (request) => listTokens(context, request) },
    { method: 'POST', path, permission, handle: (request) => createToken(context, request) },
    {
      method: 'GET',
      path: `${path}/:id`,
      permission,
      handle: async (request) => ({ body: { value: presentToken(ownToken(request, await context.store.getToken(idOf(request)))) } }),
    },
    { method: 'PUT', path: `${path}/:id`, permission, handle: (request) => renameToken(context, request) },
    { method: 'PUT', path: `${path}/:id/regenerate`, permission, handle: (request) => regenerateToken(context, request) },
    { method: 'DELETE', path: `${path}/:id`, permission, handle: (request) => revokeToken(context, request) },
  ]);
}

async function listTokens(context: PeopleContext, request: ApiRequest): Promise<ApiAnswer> {
  const tokens = (await context.store.listTokens(callerOf(request).user.id)).filter(({ revokedAt }) => revokedAt === undefined);
  return { body: { list: tokens.map(presentToken), total: tokens.length } };
}

async function createToken(context: PeopleContext, request: ApiRequest): Promise<ApiAnswer> {
  const { name, expires_at: expiresAt } = readBody(request, newToken);
  checkExpiry(context, expiresAt);
  const { random } = context.people;
  const token = randomToken(random);
  const fields = { id: randomId(random), name, userId: callerOf(request).user.id, expiresAt, clock: context.clock };
  const row = describeToken(token, fields);
  await change(context, request, async (transaction) => {
    const live = (await transaction.listTokens(row.userId)).filter((token) => isLive(context, token));
    if (live.length >= MAX_TOKENS) {
      throw new PortcullisError('admin_conflict', { publicMessage: `a user has at most ${MAX_TOKENS} tokens: revoke one first` });
    }
    await transaction.putToken(row);
    return { result: undefined, action: 'token.create', resource: `token/${row.id}`, detail: { name, expires_at: expiresAt } };
  });
  return { body: { value: { ...presentToken(row), token } } };
}

async function renameToken(context: PeopleContext, request: ApiRequest): Promise<ApiAnswer> {
  const { name } = readBody(request, rename);
  return changeToken(context, request, 'token.put', (token) => ({ ...token, name }));
}

/** The old value is dead with the answer. */
async function regenerateToken(context: PeopleContext, request: ApiRequest): Promise<ApiAnswer> {
  const { expires_at: expiresAt } = readBody(request, regeneration);
  checkExpiry(context, expiresAt);
  const token = randomToken(context.people.random);
  const tokenHash = hashToken(Buffer.from(token));
  return changeToken(context, request, 'token.regenerate', (row) => ({ ...row, tokenHash, expiresAt }), { token });
}

async function revokeToken(context: PeopleContext, request: ApiRequest): Promise<ApiAnswer> {
  const revokedAt = Math.floor(context.clock.nowMs() / 1000);
  await changeToken(context, request, 'token.revoke', (token) => ({ ...token, revokedAt }));
  return { body: {} };
}

async function changeToken(
  context: PeopleContext,
  request: ApiRequest,
  action: string,
  next: (token: ApiToken) => ApiToken,
  shown: JsonObject = {},
): Promise<ApiAnswer> {
  const token = await change(context, request, async (transaction: StoreTransaction) => {
    const result = next(ownToken(request, await transaction.getToken(idOf(request))));
    await transaction.putToken(result);
    const detail = { name: result.name, expires_at: result.expiresAt };
    return { result, action, resource: `token/${result.id}`, detail };
  });
  return { body: { value: { ...presentToken(token), ...shown } } };
}

/** Another user's token does not exist, and a revoked one stays revoked. @throws PortcullisError 404 */
function ownToken(request: ApiRequest, token: ApiToken | undefined): ApiToken {
  if (token?.userId !== callerOf(request).user.id || token.revokedAt !== undefined) throw notFound('token');
  return token;
}

function checkExpiry(context: PeopleContext, expiresAt: number): void {
  if (expiresAt !== 0 && expiresAt <= expiryNow(context)) {
    throw invalidAt('/expires_at', 'value must be 0 (never) or a time to come, in Unix seconds');
  }
}

/** Whether a token still does anything. */
export function isLive(context: PeopleContext, { revokedAt, expiresAt }: ApiToken): boolean {
  return revokedAt === undefined && (expiresAt === 0 || expiryNow(context) < expiresAt);
}

function idOf(request: ApiRequest): string {
  return request.parameters.get('id') ?? '';
}

/** A token as answers show it: never its value. */
export function presentToken(token: ApiToken): JsonObject {
  return {
    id: token.id,
    name: token.name,
    user_id: token.userId,
    expires_at: token.expiresAt,
    last_used_at: token.lastUsedAt ?? null,
    created_at: token.createdAt,
  };
}
