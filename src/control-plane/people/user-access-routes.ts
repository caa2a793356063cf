import type { StoreTransaction } from '../../store/index.ts';
import { iamName } from '../access/index.ts';
import { endSessions } from '../auth/index.ts';
import type { ApiAnswer, ApiRequest, ApiRoute } from '../http/index.ts';
import { change, notFound, type PeopleContext } from './people-context.ts';
import { isLive, presentToken } from './token-routes.ts';
import { reachableUser, visibleUser } from './user-targets.ts';

const ALL_USERS = iamName('user', '*');

/** By what a user gets in, as those see it who govern users: what was stolen is taken away without taking the user away. */
export function userAccessRoutes(context: PeopleContext): readonly ApiRoute[] {
  const resource = { kind: 'handler' } as const;
  const path = '/api/users/:id';
  return [
    { method: 'GET', path: `${path}/tokens`, permission: 'iam:GetUser', resource, handle: (request) => listTokens(context, request) },
    {
      method: 'DELETE',
      path: `${path}/tokens`,
      permission: 'iam:ResetPassword',
      resource,
      handle: (request) => revokeTokens(context, request),
    },
    {
      method: 'DELETE',
      path: `${path}/sessions`,
      permission: 'iam:ResetPassword',
      resource,
      handle: (request) => endAllSessions(context, request),
    },
  ];
}

async function listTokens(context: PeopleContext, request: ApiRequest): Promise<ApiAnswer> {
  request.permitSome('iam:GetUser', ALL_USERS);
  const { id } = await visibleUser(context.store, request);
  const tokens = (await context.store.listTokens(id)).filter(({ revokedAt }) => revokedAt === undefined);
  return { body: { list: tokens.map(presentToken), total: tokens.length } };
}

/** All that work, or the one that `token_id` names. */
async function revokeTokens(context: PeopleContext, request: ApiRequest): Promise<ApiAnswer> {
  request.permitSome('iam:ResetPassword', ALL_USERS);
  const wanted = request.query.get('token_id');
  const revokedAt = Math.floor(context.clock.nowMs() / 1000);
  await change(context, request, async (transaction) => {
    const user = await reachableUser(transaction, request, 'iam:ResetPassword');
    const tokens = (await transaction.listTokens(user.id)).filter((token) => isLive(context, token) && (wanted ?? token.id) === token.id);
    if (wanted !== null && tokens.length === 0) throw notFound('token');
    for (const token of tokens) await transaction.putToken({ ...token, revokedAt });
    return { result: undefined, action: 'user.revoke-tokens', resource: `user/${user.id}`, detail: { tokens: tokens.map(({ id }) => id) } };
  });
  return { body: {} };
}

async function endAllSessions(context: PeopleContext, request: ApiRequest): Promise<ApiAnswer> {
  request.permitSome('iam:ResetPassword', ALL_USERS);
  await change(context, request, async (transaction: StoreTransaction) => {
    const user = await reachableUser(transaction, request, 'iam:ResetPassword');
    await endSessions(transaction, user.id);
    return { result: undefined, action: 'user.end-sessions', resource: `user/${user.id}` };
  });
  return { body: {} };
}
