import { hash } from 'node:crypto';
import { PortcullisError } from '../../errors/index.ts';
import type { JsonObject } from '../../lib/json.ts';
import { compileValidator, Type } from '../../schema/index.ts';
import type { StoredRecord, User } from '../../store/index.ts';
import { documentsOfRoles, iamName } from '../access/index.ts';
import { endSessions, randomId, randomSecret } from '../auth/index.ts';
import type { ApiAnswer, ApiRequest, ApiRoute } from '../http/index.ts';
import { describing, idsField, passwordField, profileFields, usernameField } from './fields.ts';
import { requireGrantable, requirePolicies, requireRoles } from './grants.ts';
import { callerOf, change, expiryNow, notFound, type PeopleContext, readBody } from './people-context.ts';
import { presentUser } from './present-user.ts';
import { profileOf } from './profile.ts';
import { checkNewPassword } from './session-routes.ts';
import { userTarget } from './user-targets.ts';

/** How invites are called in the store. */
export const INVITE_KIND = 'invite';
const INVITE_SECONDS = 7 * 86_400;

/** The user that an invite makes. */
export const invite = compileValidator(
  Type.Object({
    username: usernameField,
    password: Type.Optional(passwordField),
    roles: Type.Optional(idsField),
    permission_boundary: Type.Optional(idsField),
    ...profileFields,
    ...describing,
  }),
);
/** The token of an invite, and the first password. */
export const acceptance = compileValidator(Type.Object({ token: Type.String({ minLength: 1, maxLength: 128 }), password: passwordField }));

/** Inviting users: it makes the user, and a link by which the user sets a first password once. */
export function inviteRoutes(context: PeopleContext): readonly ApiRoute[] {
  return [
    {
      method: 'POST',
      path: '/api/invites',
      permission: 'iam:InviteUser',
      resource: { kind: 'handler' },
      handle: (request) => inviteUser(context, request),
    },
    { method: 'GET', path: '/api/invites', permission: 'iam:InviteUser', handle: (request) => listInvites(context, request) },
    {
      method: 'DELETE',
      path: '/api/invites/:id',
      permission: 'iam:InviteUser',
      resource: { kind: 'some', of: () => iamName('user', '*') },
      handle: (request) => withdrawInvite(context, request),
    },
    { method: 'POST', path: '/api/invites/accept', permission: 'public', handle: (request) => acceptInvite(context, request) },
  ];
}

async function inviteUser(context: PeopleContext, request: ApiRequest): Promise<ApiAnswer> {
  request.permitSome('iam:InviteUser', iamName('user', '*'));
  const body = readBody(request, invite);
  const { username, password, roles = [], permission_boundary: boundary = [], name, email, desc, labels } = body;
  const { hasher, random } = context.people;
  const profile = profileOf({ name, email, desc, labels });
  request.permit('iam:InviteUser', userTarget({ id: '*', boundary, profile }));
  const now = Math.floor(context.clock.nowMs() / 1000);
  const user: User = {
    id: randomId(random),
    username,
    // Empty: nobody signs in with it before the invite was accepted.
    passwordHash: password === undefined ? '' : await hasher.hash(request.address, password),
    mustChangePassword: true,
    roles,
    boundary,
    externalId: undefined,
    profile,
    createdAt: now,
    updatedAt: now,
  };
  const token = randomSecret(random);
  const expiresAt = expiryNow(context) + INVITE_SECONDS;
  await change(context, request, async (transaction) => {
    await requireRoles(transaction, roles, '/roles');
    await requirePolicies(transaction, boundary, '/permission_boundary');
    if (roles.length > 0) request.permit('iam:UpdateUserRole', userTarget({ id: '*', boundary, profile }));
    requireGrantable(callerOf(request), await documentsOfRoles(transaction, roles));
    await transaction.putUser(user);
    await transaction.putRecord({
      kind: INVITE_KIND,
      id: idOf(token),
      ownerId: user.id,
      name: undefined,
      document: { username },
      expiresAt,
      secretPointers: [],
    });
    return { result: undefined, action: 'user.invite', resource: `user/${user.id}`, detail: { username, roles } };
  });
  const value = await presentUser(context.store, user);
  return { body: { value: { ...value, invitation_link: linkOf(request, token), invitation_expires_at: expiresAt } } };
}

/** The token stands behind `#`: that part of a URL reaches no server and no log. */
function linkOf(request: ApiRequest, token: string): string {
  return `https://${request.header('host') ?? 'localhost:7443'}/invite#${token}`;
}

async function listInvites(context: PeopleContext, _request: ApiRequest): Promise<ApiAnswer> {
  const now = expiryNow(context);
  const invites = (await context.store.listRecords(INVITE_KIND)).filter(({ expiresAt }) => now < expiresAt);
  return { body: { list: invites.map(present), total: invites.length } };
}

/** An invite is named by the user it invites. */
async function withdrawInvite(context: PeopleContext, request: ApiRequest): Promise<ApiAnswer> {
  const id = request.parameters.get('id') ?? '';
  await change(context, request, async (transaction) => {
    const user = await transaction.getUser(id);
    if (user === undefined) throw notFound('invite');
    request.permit('iam:InviteUser', userTarget(user));
    if ((await transaction.deleteRecordsOf(INVITE_KIND, id)) === 0) throw notFound('invite');
    return { result: undefined, action: 'user.withdraw-invite', resource: `user/${id}` };
  });
  return { body: {} };
}

async function acceptInvite(context: PeopleContext, request: ApiRequest): Promise<ApiAnswer> {
  const { token, password } = readBody(request, acceptance);
  // Before a hash is paid for; it is looked at again when it is used up.
  const open = await context.store.getRecord(INVITE_KIND, idOf(token));
  const invited = isOpen(context, open) ? await context.store.getUser(open?.ownerId ?? '') : undefined;
  if (invited === undefined) throw noInvite();
  checkNewPassword(password, undefined, invited.username, '/password');
  const passwordHash = await context.people.hasher.hash(request.address, password);
  await change(
    context,
    request,
    async (transaction) => {
      const user = await transaction.getUser(invited.id);
      if (user === undefined || !isOpen(context, await transaction.getRecord(INVITE_KIND, idOf(token)))) throw noInvite();
      await transaction.deleteRecordsOf(INVITE_KIND, user.id);
      await transaction.putUser({ ...user, passwordHash, mustChangePassword: false });
      await endSessions(transaction, user.id);
      return { result: undefined, action: 'user.accept-invite', resource: `user/${user.id}` };
    },
    { id: invited.id, name: invited.username },
  );
  return { body: { value: { username: invited.username } } };
}

function isOpen(context: PeopleContext, record: StoredRecord | undefined): boolean {
  return record !== undefined && expiryNow(context) < record.expiresAt;
}

function noInvite(): PortcullisError {
  return new PortcullisError('admin_not_found', { publicMessage: 'this invite does not exist, was used, or has expired' });
}

function idOf(token: string): string {
  return hash('sha256', token, 'hex');
}

function present({ ownerId = '', document, createdAt, expiresAt }: StoredRecord): JsonObject {
  return { id: ownerId, username: document.username ?? '', created_at: createdAt, expires_at: expiresAt };
}
