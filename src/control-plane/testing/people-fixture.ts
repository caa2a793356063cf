import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { type AdminFixture, makeAdminFixture } from './admin-fixture.ts';

/** The administrator's password in every fixture. */
export const ADMIN_PASSWORD = 'password';

type Method = 'GET' | 'PUT' | 'POST' | 'DELETE' | 'PATCH';
type Answer = Awaited<ReturnType<AdminFixture['send']>>;

/** Sends requests as somebody. */
export type Send = (method: Method, path: string, body?: unknown, headers?: Readonly<Record<string, string>>) => Promise<Answer>;

/** A user who was invited and has a token. */
export interface Person {
  readonly id: string;
  readonly username: string;
  readonly password: string;
  readonly send: Send;
}

/** The Admin API with ways to be somebody in it. */
export interface PeopleFixture extends AdminFixture {
  /** With the fixture's token: a super admin. */
  readonly admin: Send;
  /** Without any credentials. */
  readonly anybody: Send;
  /** With the cookie of an answer to a sign-in. */
  withCookie(cookie: string): Send;
  /** Signs in and gives the cookie. */
  signIn(username: string, password: string): Promise<string>;
  /** Makes a policy and a role with it; gives their ids. */
  makeRole(name: string, statement: readonly unknown[]): Promise<{ readonly roleId: string; readonly policyId: string }>;
  /** Makes a user with these roles, who has changed the first password. */
  makePerson(username: string, roles?: readonly string[]): Promise<Person>;
}

export async function makePeopleFixture(
  test: Pick<TestContext, 'after'>,
  change: Parameters<typeof makeAdminFixture>[1] = {},
): Promise<PeopleFixture> {
  const fixture = await makeAdminFixture(test, change);
  const sendWith =
    (own: Readonly<Record<string, string>>): Send =>
    (method, path, body, headers = {}) => {
      const type = body === undefined ? {} : { 'content-type': 'application/json' };
      return fixture.send(method, path, { body, headers: { ...type, ...own, ...headers }, token: undefined });
    };
  const anybody = sendWith({});
  const admin: Send = (method, path, body, headers = {}) => fixture.send(method, path, { body, headers });
  const withCookie = (cookie: string): Send => sendWith({ cookie });
  const signIn = async (username: string, password: string): Promise<string> =>
    cookieOf(await anybody('POST', '/api/login', { username, password }));
  return {
    ...fixture,
    admin,
    anybody,
    withCookie,
    signIn,
    makeRole: async (name, statement) => {
      const policy = await admin('POST', '/api/permission_policies', { name, policy_document: { statement } });
      assert.equal(policy.status, 200, policy.text);
      const role = await admin('POST', '/api/roles', { name, policies: [policy.body.value.id] });
      assert.equal(role.status, 200, role.text);
      return { roleId: role.body.value.id, policyId: policy.body.value.id };
    },
    makePerson: async (username, roles = []) => {
      const password = `the password of ${username}`;
      const invited = await admin('POST', '/api/invites', { username, roles });
      assert.equal(invited.status, 200, invited.text);
      const token = String(invited.body.value.invitation_link).split('#')[1];
      assert.equal((await anybody('POST', '/api/invites/accept', { token, password })).status, 200);
      const made = await withCookie(await signIn(username, password))('POST', '/api/tokens', { name: 'test', expires_at: 0 });
      assert.equal(made.status, 200, made.text);
      return { id: invited.body.value.id, username, password, send: sendWith({ 'x-api-key': made.body.value.token }) };
    },
  };
}

/** The pair to send back of the cookie that an answer sets. */
export function cookieOf(answer: Answer): string {
  assert.equal(answer.status, 200, answer.text);
  const [cookie = ''] = [answer.headers['set-cookie']].flat();
  return String(cookie).split(';')[0] ?? '';
}
