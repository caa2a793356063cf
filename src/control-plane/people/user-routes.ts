import { PortcullisError } from '../../errors/index.ts';
import type { JsonObject } from '../../lib/json.ts';
import { compileValidator, Type } from '../../schema/index.ts';
import type { StoreTransaction, User } from '../../store/index.ts';
import { iamName } from '../access/index.ts';
import { listAnswer } from '../api/paging.ts';
import { endSessions, randomPassword } from '../auth/index.ts';
import type { Action, ApiAnswer, ApiRequest, ApiRoute } from '../http/index.ts';
import { describeRecordChange } from './describe-record-change.ts';
import { describing, idsField, passwordField, profileFields } from './fields.ts';
import { isSuperAdmin, keepSuperAdmin, refuseOneself, requireNoGreater, requirePolicies, requireRoles } from './grants.ts';
import { callerOf, change, invalidAt, type PeopleContext, readBody } from './people-context.ts';
import { presentUser, userPresenter } from './present-user.ts';
import { profileOf } from './profile.ts';
import { removeUser } from './remove-user.ts';
import { reachableUser, userTarget, visibleUser } from './user-targets.ts';

/** What of a user is changed. */
export const update = compileValidator(Type.Object({ ...profileFields, ...describing }));
/** The roles that a user gets. */
export const assignment = compileValidator(Type.Object({ roles: idsField }));
/** The permission policies beyond which no role leads. */
export const boundary = compileValidator(Type.Object({ permission_policies: idsField }));
/** A new password, where one is given. */
export const reset = compileValidator(Type.Object({ password: Type.Optional(passwordField) }));

const ALL_USERS = iamName('user', '*');

/** Users: list, read, change, remove, roles, boundary, new password. */
export function userRoutes(context: PeopleContext): readonly ApiRoute[] {
  const resource = { kind: 'handler' } as const;
  const path = '/api/users/:id';
  return [
    {
      method: 'GET',
      path: '/api/users',
      permission: 'iam:GetUser',
      resource: { kind: 'some', of: () => ALL_USERS },
      handle: (request) => listUsers(context, request),
    },
    { method: 'GET', path, permission: 'iam:GetUser', resource, handle: (request) => getUser(context, request) },
    { method: 'PUT', path, permission: 'iam:UpdateUser', resource, handle: (request) => updateUser(context, request) },
    { method: 'DELETE', path, permission: 'iam:DeleteUser', resource, handle: (request) => deleteUser(context, request) },
    {
      method: 'PUT',
      path: `${path}/assigned_roles`,
      permission: 'iam:UpdateUserRole',
      resource,
      handle: (request) => assignRoles(context, request),
    },
    {
      method: 'PUT',
      path: `${path}/permission_boundary`,
      permission: 'iam:UpdateUserPermissionBoundary',
      resource,
      handle: (request) => setBoundary(context, request),
    },
    {
      method: 'PUT',
      path: `${path}/password_reset`,
      permission: 'iam:ResetPassword',
      resource,
      handle: (request) => resetUserPassword(context, request),
    },
  ];
}

async function listUsers({ store }: PeopleContext, request: ApiRequest): Promise<ApiAnswer> {
  const users = (await store.listUsers()).filter((user) => request.mayDo('iam:GetUser', userTarget(user)));
  return listAnswer(users, request.query, {
    present: await userPresenter(store),
    texts: ({ username, profile }) => [username, profile.name].filter((text) => typeof text === 'string'),
    labels: ({ profile }) => profile.labels,
    createdAt: ({ createdAt }) => createdAt,
    updatedAt: ({ createdAt }) => createdAt,
  });
}

async function getUser({ store }: PeopleContext, request: ApiRequest): Promise<ApiAnswer> {
  request.permitSome('iam:GetUser', ALL_USERS);
  return { body: { value: await presentUser(store, await visibleUser(store, request)) } };
}

async function updateUser(context: PeopleContext, request: ApiRequest): Promise<ApiAnswer> {
  request.permitSome('iam:UpdateUser', ALL_USERS);
  const body = readBody(request, update);
  const { name, email, desc, labels } = body;
  const profile = profileOf({ name, email, desc, labels });
  return changeUser(context, request, 'iam:UpdateUser', async (transaction, user) => {
    // Conditions ask for labels: who is described anew must be within reach before and after.
    const result = { ...user, profile };
    request.permit('iam:UpdateUser', userTarget(result));
    await transaction.putUser(result);
    return { result, action: 'user.put', detail: describeRecordChange(user.profile, profile) };
  });
}

async function deleteUser(context: PeopleContext, request: ApiRequest): Promise<ApiAnswer> {
  request.permitSome('iam:DeleteUser', ALL_USERS);
  await change(context, request, async (transaction) => {
    const user = await reachableUser(transaction, request, 'iam:DeleteUser');
    if (user.id === callerOf(request).user.id) {
      throw new PortcullisError('admin_conflict', { publicMessage: 'nobody removes himself' });
    }
    await removeUser(transaction, user, Math.floor(context.clock.nowMs() / 1000));
    if (isSuperAdmin(user)) await keepSuperAdmin(transaction);
    return { result: undefined, action: 'user.delete', resource: `user/${user.id}`, detail: { username: user.username } };
  });
  return { body: {} };
}

async function assignRoles(context: PeopleContext, request: ApiRequest): Promise<ApiAnswer> {
  request.permitSome('iam:UpdateUserRole', ALL_USERS);
  const { roles: ids } = readBody(request, assignment);
  return changeUser(context, request, 'iam:UpdateUserRole', async (transaction, user) => {
    const roles = [...new Set(ids)];
    refuseOneself(callerOf(request), user);
    await requireRoles(transaction, roles, '/roles');
    const result = { ...user, roles };
    await requireNoGreater(transaction, callerOf(request), result);
    await transaction.putUser(result);
    if (isSuperAdmin(user)) await keepSuperAdmin(transaction);
    return { result, action: 'user.assign-roles', detail: { roles, before: user.roles } };
  });
}

async function setBoundary(context: PeopleContext, request: ApiRequest): Promise<ApiAnswer> {
  request.permitSome('iam:UpdateUserPermissionBoundary', ALL_USERS);
  const { permission_policies: ids } = readBody(request, boundary);
  return changeUser(context, request, 'iam:UpdateUserPermissionBoundary', async (transaction, user) => {
    const result = { ...user, boundary: [...new Set(ids)] };
    refuseOneself(callerOf(request), user);
    await requirePolicies(transaction, result.boundary, '/permission_policies');
    await requireNoGreater(transaction, callerOf(request), result);
    request.permit('iam:UpdateUserPermissionBoundary', userTarget(result));
    await transaction.putUser(result);
    if (isSuperAdmin(user)) await keepSuperAdmin(transaction);
    return { result, action: 'user.set-boundary', detail: { permission_policies: result.boundary, before: user.boundary } };
  });
}

/** A given password, or a random one that the answer shows once; it must be changed at the next sign-in. */
async function resetUserPassword(context: PeopleContext, request: ApiRequest): Promise<ApiAnswer> {
  request.permitSome('iam:ResetPassword', ALL_USERS);
  const isWithoutBody = (request.header('content-length') ?? '0') === '0' && request.header('transfer-encoding') === undefined;
  const given = isWithoutBody ? undefined : readBody(request, reset).password;
  const password = given ?? randomPassword(context.people.random);
  const passwordHash = await context.people.hasher.hash(request.address, password);
  const user = await change(context, request, async (transaction) => {
    const user = await reachableUser(transaction, request, 'iam:ResetPassword');
    if (user.id === callerOf(request).user.id) {
      throw new PortcullisError('admin_conflict', { publicMessage: 'one’s own password is changed with PUT /api/password' });
    }
    if (user.externalId !== undefined) throw invalidAt('', 'this user signs in at an identity provider and has no password here');
    await transaction.putUser({ ...user, passwordHash, mustChangePassword: true });
    await endSessions(transaction, user.id);
    await transaction.deleteRecordsOf('invite', user.id);
    return { result: user, action: 'user.reset-password', resource: `user/${user.id}` };
  });
  return { body: { value: { id: user.id, username: user.username, ...(given === undefined ? { password } : {}) } } };
}

async function changeUser(
  context: PeopleContext,
  request: ApiRequest,
  permission: Action,
  work: (
    transaction: StoreTransaction,
    user: User,
  ) => Promise<{ readonly result: User; readonly action: string; readonly detail?: JsonObject }>,
): Promise<ApiAnswer> {
  const updatedAt = Math.floor(context.clock.nowMs() / 1000);
  const changed = await change(context, request, async (transaction) => {
    const user = await reachableUser(transaction, request, permission);
    return { resource: `user/${user.id}`, ...(await work(transaction, { ...user, updatedAt })) };
  });
  return { body: { value: await presentUser(context.store, changed) } };
}
