import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { startIdentityProvider } from '../testing/identity-provider.ts';
import { makePeopleFixture } from '../testing/people-fixture.ts';

const PUBLIC_URL = 'https://gateway.example.com:7443';

async function setUp(t: TestContext, mappings: Readonly<Record<string, unknown>> = {}) {
  const fixture = await makePeopleFixture(t);
  const provider = await startIdentityProvider(t, `${PUBLIC_URL}/api/oidc/callback`);
  const body = {
    name: 'Company',
    provider: 'oidc',
    issuer: provider.issuer,
    client_id: provider.clientId,
    client_secret: provider.clientSecret,
    public_url: PUBLIC_URL,
    ...mappings,
  };
  const made = await fixture.admin('POST', '/api/login_options', body);
  assert.equal(made.status, 200, made.text);
  const { id } = made.body.value;
  const begin = async () => {
    const answer = await fixture.anybody('GET', `/api/oidc/${id}/login`);
    assert.equal(answer.status, 303, answer.text);
    return {
      url: String(answer.headers.location),
      setCookie: String(answer.headers['set-cookie']),
      cookie: String(answer.headers['set-cookie']).split(';')[0] ?? '',
    };
  };
  const complete = (back: URL, cookie: string) => fixture.anybody('GET', `${back.pathname}${back.search}`, undefined, { cookie });
  const signIn = async (sub: string, claims: Readonly<Record<string, unknown>>) => {
    provider.user = { sub, claims };
    const { url, cookie } = await begin();
    return complete(await provider.visit(url), cookie);
  };
  const sessionOf = (answer: Awaited<ReturnType<typeof signIn>>) => {
    assert.equal(answer.status, 303, answer.text);
    const [cookie = ''] = [answer.headers['set-cookie']].flat();
    return fixture.withCookie(String(cookie).split(';')[0] ?? '');
  };
  return { ...fixture, provider, body, id, begin, complete, signInAs: signIn, sessionOf };
}

const JANE = { preferred_username: 'jane', name: 'Jane Doe', email: 'jane@example.com', groups: ['dev', 'ops'] };

test('whoever a real provider vouches for is signed in, made a user once, and renewed at every sign-in', async (t) => {
  const roleMapping = [
    { claim: 'groups', value: 'ops', roles: ['viewer_id'] },
    { claim: 'realm_access.roles', value: 'root', roles: ['super_admin_id'] },
  ];
  const { signInAs, sessionOf, admin, history } = await setUp(t, { role_mapping: roleMapping });
  const answer = await signInAs('subject-1', JANE);
  assert.equal(answer.headers.location, '/');
  const cookies = [answer.headers['set-cookie']].flat().map(String);
  assert.match(cookies[0] ?? '', /^__Host-portcullis=[0-9A-Za-z]{43}; Path=\/; Max-Age=86400; HttpOnly; Secure; SameSite=Strict$/);
  assert.match(cookies[1] ?? '', /^__Host-portcullis-sso=; .*Max-Age=0/);
  const me = (await sessionOf(answer)('GET', '/api/me')).body.value;
  assert.deepEqual(
    [me.username, me.name, me.email, me.source, me.roles, me.must_change_password],
    ['jane', 'Jane Doe', 'jane@example.com', 'oidc', [{ id: 'viewer_id', name: 'Viewer' }], false],
  );
  assert.equal((await history.pageOfAudit(undefined, 1))[0]?.action, 'user.sign-in');
  // Promoted, renamed, demoted at the provider.
  const second = await signInAs('subject-1', { ...JANE, preferred_username: 'jane.doe', groups: [], realm_access: { roles: ['root'] } });
  const then = (await sessionOf(second)('GET', '/api/me')).body.value;
  assert.deepEqual([then.id, then.username, then.roles], [me.id, 'jane.doe', [{ id: 'super_admin_id', name: 'Super Admin' }]]);
  await signInAs('subject-1', { ...JANE, groups: 'none' });
  assert.deepEqual((await admin('GET', `/api/users/${me.id}`)).body.value.roles, []);
  assert.equal((await admin('GET', '/api/users')).body.total, 2);
});

test('without a mapping roles are given by hand and stay; a mapped boundary bounds', async (t) => {
  const { signInAs, sessionOf, admin } = await setUp(t, {
    permission_boundary_mapping: [{ claim: 'groups', value: 'dev', permission_policies: ['viewer_policy_id'] }],
  });
  const { id } = (await sessionOf(await signInAs('s', JANE))('GET', '/api/me')).body.value;
  await admin('PUT', `/api/users/${id}/assigned_roles`, { roles: ['super_admin_id'] });
  const session = sessionOf(await signInAs('s', JANE));
  assert.equal((await session('GET', '/api/users')).status, 200);
  assert.equal((await session('PUT', '/apisix/admin/consumers/x?gateway_group_id=default', { username: 'x' })).status, 403);
});

test('the provider’s word for a name takes over no user who is there already', async (t) => {
  const { signInAs, admin, makePerson } = await setUp(t);
  await makePerson('jane');
  for (const claims of [JANE, { preferred_username: 'admin' }]) {
    assert.equal((await signInAs('subject', claims)).status, 409);
  }
  assert.equal((await admin('GET', '/api/users')).body.total, 2);
});

test('a name that could be mistaken is not taken over from the provider', async (t) => {
  const { signInAs, sessionOf } = await setUp(t);
  const nameOf = async (claims: Readonly<Record<string, unknown>>) =>
    (await sessionOf(await signInAs('the-subject', claims))('GET', '/api/me')).body.value.username;
  assert.equal(await nameOf({ preferred_username: 'admin\u200b', email: 'a@b.example' }), 'a@b.example');
  assert.equal(await nameOf({ preferred_username: '__proto__' }), 'the-subject');
  assert.equal(await nameOf({ preferred_username: ['jane'] }), 'the-subject');
  assert.equal(await nameOf({ email: 'boss@b.example', email_verified: false }), 'the-subject');
  assert.equal(await nameOf({ email: 'boss@b.example', email_verified: true }), 'boss@b.example');
  // Not every subject can be a name: that of nobody else either way.
  assert.match((await sessionOf(await signInAs('urn:x\tadmin', {}))('GET', '/api/me')).body.value.username, /^user-[0-9a-f]{16}$/);
});

test('a sign-in ends only in the browser that began it, within ten minutes, and once', async (t) => {
  const { begin, complete, provider, clock, history } = await setUp(t);
  provider.user = { sub: 's', claims: JANE };
  const first = await begin();
  assert.match(first.setCookie, /^__Host-portcullis-sso=[\w-]+; Path=\/; Max-Age=600; HttpOnly; Secure; SameSite=Lax$/);
  const back = await provider.visit(first.url);
  const other = await begin();
  for (const cookie of ['', other.cookie, `${first.cookie}A`, '__Host-portcullis-sso=AAAA', first.cookie.slice(0, -4)]) {
    assert.equal((await complete(back, cookie)).status, 401, cookie);
  }
  assert.equal((await complete(back, first.cookie)).status, 303);
  assert.equal((await complete(back, first.cookie)).status, 401, 'the code is used up');
  assert.equal((await history.pageOfAudit(undefined, 1))[0]?.action, 'user.sign-in-failed');
  const late = await begin();
  const lateBack = await provider.visit(late.url);
  clock.setWallClock(clock.nowMs() + 600_000);
  assert.equal((await complete(lateBack, late.cookie)).status, 401);
});

test('code, state and issuer of another sign-in are refused, and so is whoever declines', async (t) => {
  const { begin, complete, provider, log } = await setUp(t);
  provider.user = { sub: 's', claims: JANE };
  const change = async (edit: (query: URLSearchParams) => void) => {
    const { url, cookie } = await begin();
    const back = await provider.visit(url);
    edit(back.searchParams);
    return (await complete(back, cookie)).status;
  };
  assert.equal(await change((query) => query.set('state', 'x')), 401);
  assert.equal(await change((query) => query.set('code', 'x')), 401);
  assert.equal(await change((query) => query.set('iss', 'https://evil.example')), 401);
  assert.equal(await change((query) => query.delete('code')), 401);
  assert.equal(await change((query) => query.append('state', 'x')), 401);
  provider.user = undefined;
  assert.equal(await change(() => undefined), 401);
  assert.ok(!JSON.stringify(log.lines).includes(provider.clientSecret));
});

test('the request to the provider has PKCE, state and nonce, each of them new', async (t) => {
  const { begin } = await setUp(t);
  const [one, other] = [new URL((await begin()).url).searchParams, new URL((await begin()).url).searchParams];
  assert.deepEqual(
    [one.get('response_type'), one.get('code_challenge_method'), one.get('scope'), one.get('redirect_uri')],
    ['code', 'S256', 'openid profile email', `${PUBLIC_URL}/api/oidc/callback`],
  );
  for (const name of ['state', 'nonce', 'code_challenge']) {
    assert.ok((one.get(name)?.length ?? 0) >= 43);
    assert.notEqual(one.get(name), other.get(name));
  }
});

test('login options show no secret, keep it when it is not sent, and take their users along', async (t) => {
  const { admin, anybody, body, id, signInAs, sessionOf, store, provider } = await setUp(t);
  const session = sessionOf(await signInAs('s', JANE));
  const shown = await admin('GET', `/api/login_options/${id}`);
  assert.ok(!shown.text.includes(provider.clientSecret));
  assert.deepEqual([shown.body.value.client_secret, shown.body.value.redirect_uri], ['********', `${PUBLIC_URL}/api/oidc/callback`]);
  assert.equal((await admin('GET', '/api/login_options')).body.total, 1);
  assert.deepEqual((await anybody('GET', '/api/sign_in_options')).body.list, [
    { id, name: 'Company', provider: 'oidc', login_path: `/api/oidc/${id}/login` },
  ]);
  const { client_secret: _, ...rest } = body;
  assert.equal((await admin('PUT', `/api/login_options/${id}`, { ...rest, client_secret: '********', name: 'Renamed' })).status, 200);
  assert.equal((await store.getRecord('login_option', id, { secrets: true }))?.document.client_secret, provider.clientSecret);
  assert.equal((await admin('PUT', `/api/login_options/${id}`, body, { 'if-match': '"1"' })).status, 412);
  assert.equal((await admin('PUT', `/api/login_options/${id}`, { ...rest, enabled: false })).status, 200);
  assert.equal((await anybody('GET', `/api/oidc/${id}/login`)).status, 404);
  assert.equal((await anybody('GET', '/api/sign_in_options')).body.total, 0);
  assert.deepEqual((await admin('DELETE', `/api/login_options/${id}`)).body, {});
  assert.equal((await session('GET', '/api/me')).status, 401);
  assert.equal((await admin('GET', '/api/users')).body.total, 1);
  for (const method of ['GET', 'DELETE'] as const) assert.equal((await admin(method, `/api/login_options/${id}`)).status, 404);
  assert.equal((await admin('PUT', `/api/login_options/${id}`, body)).status, 404);
});

test('a login option that goes, or is changed, while the provider answers lets nobody in any more', async (t) => {
  const { begin, complete, provider, admin, id, body, store } = await setUp(t);
  provider.user = { sub: 's', claims: JANE };
  /** Does something when the claims have come and the user is about to be made. */
  const meanwhile = async (work: () => Promise<unknown>): Promise<number> => {
    const { url, cookie } = await begin();
    const back = await provider.visit(url);
    const { transaction } = store;
    let isDone = false;
    t.mock.method(store, 'transaction', async (...parameters: Parameters<typeof transaction>) => {
      if (!isDone) {
        isDone = true;
        await work();
      }
      return transaction.apply(store, parameters);
    });
    const { status } = await complete(back, cookie);
    t.mock.restoreAll();
    return status;
  };
  assert.equal(await meanwhile(() => admin('PUT', `/api/login_options/${id}`, { ...body, enabled: false })), 401);
  assert.equal((await admin('PUT', `/api/login_options/${id}`, body)).status, 200);
  assert.equal(await meanwhile(async () => undefined), 303);
  assert.equal(await meanwhile(() => admin('DELETE', `/api/login_options/${id}`)), 401);
  assert.equal((await admin('GET', '/api/users')).body.total, 1, 'the user of the sign-in before went with the option');
});

test('what of a login option was changed is in the audit log, and its secret is not', async (t) => {
  const { admin, id, body, history, provider } = await setUp(t);
  const mapping = [{ claim: 'groups', value: 'ops', roles: ['super_admin_id'] }];
  await admin('PUT', `/api/login_options/${id}`, { ...body, client_secret: 'another secret', role_mapping: mapping });
  const [changed, created] = await history.pageOfAudit(undefined, 2);
  assert.deepEqual(changed?.detail, {
    name: 'Company',
    issuer: provider.issuer,
    changes: ['+ /role_mapping: [{"claim":"groups","value":"ops","roles":["super_admin_id"]}]'],
    client_secret: 'changed',
  });
  assert.equal(created?.action, 'login-option.create');
  assert.ok(JSON.stringify(created?.detail).includes('/issuer'));
  const shown = JSON.stringify([changed, created]);
  assert.ok(!shown.includes('another secret') && !shown.includes(provider.clientSecret));
});

test('only super admins write login options, for these decide who anybody is', async (t) => {
  const { body, id, makeRole, makePerson, anybody } = await setUp(t);
  const { roleId } = await makeRole('all', [{ effect: 'allow', actions: ['*'], resources: ['*'] }]);
  const { send } = await makePerson('mallory', [roleId]);
  const viewer = await makePerson('viewer', ['viewer_id']);
  assert.equal((await send('GET', '/api/login_options')).status, 200);
  assert.equal((await viewer.send('GET', `/api/login_options/${id}`)).status, 200);
  for (const [method, path, sent] of [
    ['POST', '/api/login_options', { ...body, name: 'n' }],
    ['PUT', `/api/login_options/${id}`, body],
    ['DELETE', `/api/login_options/${id}`, undefined],
  ] as const) {
    assert.equal((await send(method, path, sent)).status, 403);
    assert.equal((await viewer.send(method, path, sent)).status, 403);
    assert.equal((await anybody(method, path, sent)).status, 401);
  }
});

test('what cannot be a login option is told by its place', async (t) => {
  const { admin, body } = await setUp(t);
  for (const [change, pointer] of [
    [{ issuer: 'http://id.example.com' }, '/issuer'],
    [{ issuer: 'file:///etc/passwd' }, '/issuer'],
    [{ issuer: 'https://id.example.com?x=1' }, '/issuer'],
    [{ public_url: 'https://gateway.example.com/path' }, '/public_url'],
    [{ public_url: 'http://gateway.example.com' }, '/public_url'],
    [{ provider: 'ldap' }, '/provider'],
    [{ client_secret: '********' }, '/client_secret'],
    [{ role_mapping: [{ claim: 'groups', value: 'x', roles: ['none'] }] }, '/role_mapping/0/roles/0'],
    [
      { permission_boundary_mapping: [{ claim: 'g', value: 'x', permission_policies: ['none'] }] },
      '/permission_boundary_mapping/0/permission_policies/0',
    ],
    [{ scopes: ['a b'] }, '/scopes/0'],
    [{ client_id: undefined }, '/client_id'],
  ] as const) {
    const answer = await admin('POST', '/api/login_options', { ...body, name: 'other', ...change });
    assert.deepEqual([answer.status, answer.body.error_msg.includes(`Error at "${pointer}`)], [400, true], answer.text);
  }
  assert.equal((await admin('POST', '/api/login_options', body)).status, 409);
});

test('a provider that is away, is none, or lies where nothing may be dialled is 502, and sign-in by password goes on', async (t) => {
  const { admin, anybody, body, signIn } = await setUp(t);
  for (const issuer of ['http://127.0.0.1:1', 'https://169.254.169.254', 'https://[fe80::1]']) {
    const made = await admin('POST', '/api/login_options', { ...body, name: issuer, issuer });
    const answer = await anybody('GET', `/api/oidc/${made.body.value.id}/login`);
    assert.deepEqual([answer.status, answer.body.error_msg], [502, 'the identity provider could not be reached, or did not answer as one']);
  }
  assert.ok(await signIn('admin', 'password'));
});
