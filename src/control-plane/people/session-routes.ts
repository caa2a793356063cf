import { PortcullisError } from '../../errors/index.ts';
import { compileValidator, Type } from '../../schema/index.ts';
import { createSession, endSessions, NO_SESSION_COOKIE, SESSION_KIND, SESSION_SECONDS, sessionCookie } from '../auth/index.ts';
import { type ApiAnswer, type ApiRequest, type ApiRoute, originOfRequest } from '../http/index.ts';
import { describeRecordChange } from './describe-record-change.ts';
import { passwordField, profileFields } from './fields.ts';
import type { People } from './people.ts';
import { callerOf, change, expiryNow, invalidAt, type PeopleContext, readBody } from './people-context.ts';
import { presentUser } from './present-user.ts';
import { profileOf } from './profile.ts';

/** A new password is at least this long (NIST SP 800-63B, section 5.1.1.2). */
const MIN_PASSWORD_CHARACTERS = 8;

/** What signing in reads. */
export const login = compileValidator(Type.Object({ username: Type.String({ minLength: 1, maxLength: 128 }), password: passwordField }));
/** What a change of one’s own password reads. */
export const newPassword = compileValidator(Type.Object({ old_password: passwordField, new_password: passwordField }));
/** What people may change of themselves. */
export const ownProfile = compileValidator(Type.Object(profileFields));

/** Signing in and out, and what users do with themselves. */
export function sessionRoutes(context: PeopleContext): readonly ApiRoute[] {
  const own = { permission: 'signed-in', beforePasswordChange: true } as const;
  return [
    { method: 'POST', path: '/api/login', permission: 'public', handle: (request) => signIn(context, request) },
    { method: 'POST', path: '/api/logout', ...own, handle: (request) => signOut(context, request) },
    { method: 'PUT', path: '/api/password', ...own, handle: (request) => changePassword(context, request) },
    {
      method: 'GET',
      path: '/api/me',
      ...own,
      handle: async (request) => ({ body: { value: await presentUser(context.store, callerOf(request).user) } }),
    },
    { method: 'PUT', path: '/api/me', permission: 'signed-in', handle: (request) => changeProfile(context, request) },
  ];
}

async function signIn(context: PeopleContext, request: ApiRequest): Promise<ApiAnswer> {
  const { username, password } = readBody(request, login);
  const { people } = context;
  const found = await people.passwords.check({ username, password, ...from(request), method: 'password' });
  if (found === undefined) throw wrongPassword();
  const { user, cookie } = await change(
    context,
    request,
    async (transaction) => {
      // Something may have happened to the user while the password was being checked.
      const user = await transaction.getUser(found.id);
      if (user?.passwordHash !== found.passwordHash) throw wrongPassword();
      const now = expiryNow(context);
      const cookie = await createSession(transaction, people.random, { user, method: 'password', address: request.address, now });
      return { result: { user, cookie }, action: 'user.sign-in', resource: `user/${user.id}`, detail: { method: 'password' } };
    },
    { id: found.id, name: found.username },
  );
  people.onSignIn();
  return {
    headers: { 'set-cookie': sessionCookie(cookie, SESSION_SECONDS) },
    body: { value: await presentUser(context.store, user) },
  };
}

function from(request: ApiRequest): Pick<Parameters<People['passwords']['check']>[0], 'address' | 'origin'> {
  return { address: request.address, origin: originOfRequest(request) };
}

/** The same words for an unknown name, so that names cannot be tried. */
function wrongPassword(): PortcullisError {
  return new PortcullisError('admin_unauthorized', { publicMessage: 'wrong user name or password' });
}

async function signOut(context: PeopleContext, request: ApiRequest): Promise<ApiAnswer> {
  const { user, sessionId } = callerOf(request);
  if (sessionId !== undefined) {
    await change(context, request, async (transaction) => {
      await transaction.deleteRecord(SESSION_KIND, sessionId);
      return { result: undefined, action: 'user.sign-out', resource: `user/${user.id}` };
    });
  }
  return { headers: { 'set-cookie': NO_SESSION_COOKIE }, body: {} };
}

/** All other sessions of the user end; tokens go on, they are revoked one by one. */
async function changePassword(context: PeopleContext, request: ApiRequest): Promise<ApiAnswer> {
  const { old_password: oldPassword, new_password: password } = readBody(request, newPassword);
  const { user: caller, sessionId } = callerOf(request);
  if (caller.externalId !== undefined) {
    throw new PortcullisError('admin_invalid', { publicMessage: 'this user signs in at an identity provider and has no password here' });
  }
  checkNewPassword(password, oldPassword, caller.username);
  const { passwords, hasher } = context.people;
  const attempt = { username: caller.username, password: oldPassword, ...from(request), method: 'change' } as const;
  const found = await passwords.check(attempt);
  if (found === undefined) throw invalidAt('/old_password', 'this is not the present password');
  const passwordHash = await hasher.hash(request.address, password);
  await change(context, request, async (transaction) => {
    const user = await transaction.getUser(caller.id);
    if (user?.passwordHash !== found.passwordHash) throw invalidAt('/old_password', 'this is not the present password');
    await transaction.putUser({ ...user, passwordHash, mustChangePassword: false });
    await endSessions(transaction, user.id, sessionId);
    await transaction.deleteRecordsOf('invite', user.id);
    return { result: undefined, action: 'user.change-password', resource: `user/${user.id}` };
  });
  return { body: {} };
}

/** @throws PortcullisError 400 */
export function checkNewPassword(password: string, oldPassword: string | undefined, username: string, pointer = '/new_password'): void {
  if ([...password].length < MIN_PASSWORD_CHARACTERS) {
    throw invalidAt(pointer, `a password has at least ${MIN_PASSWORD_CHARACTERS} characters`);
  }
  if (password === oldPassword) throw invalidAt(pointer, 'this is the old password');
  if (password.toLowerCase() === username.toLowerCase()) throw invalidAt(pointer, 'this is the user name');
}

async function changeProfile(context: PeopleContext, request: ApiRequest): Promise<ApiAnswer> {
  const { name, email } = readBody(request, ownProfile);
  const { user: caller } = callerOf(request);
  const changed = await change(context, request, async (transaction) => {
    const user = await transaction.getUser(caller.id);
    if (user === undefined) throw new PortcullisError('admin_unauthorized');
    // Labels and description are for those who govern users: conditions of policies ask for labels.
    const { labels, desc } = user.profile;
    const profile = profileOf({ name, email, desc, labels });
    const result = { ...user, profile, updatedAt: Math.floor(context.clock.nowMs() / 1000) };
    await transaction.putUser(result);
    return { result, action: 'user.put', resource: `user/${user.id}`, detail: describeRecordChange(user.profile, profile) };
  });
  return { body: { value: await presentUser(context.store, changed) } };
}
