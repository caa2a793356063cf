import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makePeopleFixture } from '../testing/people-fixture.ts';

const USER_ADMIN = [{ effect: 'allow', actions: ['iam:*'], resources: ['*'] }];

test('users are listed, searched, read, changed and removed, and never shown with anything of a password', async (t) => {
  const { admin, makePerson } = await makePeopleFixture(t);
  const jane = await makePerson('jane', ['viewer_id']);
  const all = await admin('GET', '/api/users');
  assert.equal(all.body.total, 2);
  assert.ok(!/argon2|password_hash/.test(all.text));
  assert.deepEqual(
    (await admin('GET', '/api/users?search=JAN')).body.list.map(({ id }: { id: string }) => id),
    [jane.id],
  );
  assert.equal((await admin('GET', '/api/users?page=1&page_size=1')).body.list.length, 1);
  const changed = await admin('PUT', `/api/users/${jane.id}`, { name: 'Jane', labels: { team: 'a' } });
  assert.deepEqual(changed.body.value.labels, { team: 'a' });
  const one = (await admin('GET', `/api/users/${jane.id}`)).body.value;
  assert.deepEqual([one.name, one.username, one.source, one.roles], ['Jane', 'jane', 'built_in', [{ id: 'viewer_id', name: 'Viewer' }]]);
  assert.deepEqual((await admin('DELETE', `/api/users/${jane.id}`)).body, {});
  for (const [method, path, body] of [
    ['GET', '', undefined],
    ['PUT', '', {}],
    ['DELETE', '', undefined],
    ['PUT', '/assigned_roles', { roles: [] }],
    ['PUT', '/permission_boundary', { permission_policies: [] }],
    ['PUT', '/password_reset', undefined],
  ] as const) {
    assert.deepEqual((await admin(method, `/api/users/${jane.id}${path}`, body)).body, { error_msg: 'user not found' });
  }
});

test('every operation on users needs its own permission, and anybody at all to ask', async (t) => {
  const { anybody, makePerson } = await makePeopleFixture(t);
  const viewer = await makePerson('viewer', ['viewer_id']);
  const nobody = await makePerson('nobody');
  for (const [method, path, body, permission] of [
    ['GET', '', undefined, 'iam:GetUser'],
    ['GET', `/${viewer.id}`, undefined, 'iam:GetUser'],
    ['PUT', `/${viewer.id}`, {}, 'iam:UpdateUser'],
    ['DELETE', `/${viewer.id}`, undefined, 'iam:DeleteUser'],
    ['PUT', `/${viewer.id}/assigned_roles`, { roles: [] }, 'iam:UpdateUserRole'],
    ['PUT', `/${viewer.id}/permission_boundary`, { permission_policies: [] }, 'iam:UpdateUserPermissionBoundary'],
    ['PUT', `/${viewer.id}/password_reset`, {}, 'iam:ResetPassword'],
  ] as const) {
    assert.equal((await anybody(method, `/api/users${path}`, body)).status, 401, path);
    const refused = await nobody.send(method, `/api/users${path}`, body);
    assert.deepEqual([refused.status, refused.body.error_msg], [403, `Forbidden: this needs the permission ${permission}`]);
    assert.equal((await viewer.send(method, `/api/users${path}`, body)).status, method === 'GET' ? 200 : 403, path);
  }
});

test('an invite works once, for seven days, and until it is withdrawn or the password is set otherwise', async (t) => {
  const { admin, anybody, clock, store } = await makePeopleFixture(t);
  const invite = async (username: string) => {
    const { id, invitation_link: link } = (await admin('POST', '/api/invites', { username })).body.value;
    const [page, token = ''] = String(link).split('#');
    assert.equal(page, 'https://localhost:80/invite');
    assert.ok(!JSON.stringify(await store.listRecords('invite')).includes(token));
    return { id, accept: (password = 'long enough') => anybody('POST', '/api/invites/accept', { token, password }) };
  };
  const used = await invite('used');
  assert.equal((await used.accept('short')).status, 400);
  assert.equal((await used.accept()).status, 200);
  assert.deepEqual((await used.accept()).body, { error_msg: 'this invite does not exist, was used, or has expired' });
  const old = await invite('old');
  assert.equal((await admin('GET', '/api/invites')).body.total, 1);
  clock.setWallClock(clock.nowMs() + 7 * 86_400_000);
  assert.equal((await admin('GET', '/api/invites')).body.total, 0);
  assert.equal((await old.accept()).status, 404);
  const withdrawn = await invite('withdrawn');
  assert.equal((await admin('DELETE', `/api/invites/${withdrawn.id}`)).status, 200);
  assert.equal((await admin('DELETE', `/api/invites/${withdrawn.id}`)).status, 404);
  assert.equal((await withdrawn.accept()).status, 404);
  const reset = await invite('reset');
  await admin('PUT', `/api/users/${reset.id}/password_reset`, {});
  assert.equal((await reset.accept()).status, 404);
  const removed = await invite('removed');
  await admin('DELETE', `/api/users/${removed.id}`);
  assert.equal((await removed.accept()).status, 404);
  const both = await invite('both');
  const answers = await Promise.all([both.accept('the first one'), both.accept('the second one')]);
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 404]);
});

test('who was invited without a password cannot sign in before the invite was accepted', async (t) => {
  const { admin, anybody } = await makePeopleFixture(t);
  await admin('POST', '/api/invites', { username: 'jane' });
  for (const password of ['x', '""', 'undefined']) {
    assert.equal((await anybody('POST', '/api/login', { username: 'jane', password })).status, 401);
  }
});

test('a name is taken once, and names that are none are refused', async (t) => {
  const { admin, anybody } = await makePeopleFixture(t);
  const invite = (username: unknown) => admin('POST', '/api/invites', { username });
  assert.equal((await anybody('POST', '/api/invites', { username: 'x' })).status, 401);
  assert.deepEqual((await invite('admin')).body, { error_msg: 'another user has this name' });
  assert.equal((await invite('admin')).status, 409);
  for (const username of ['', ' jane', 'jane ', 'a:b', 'a\nb', 'a\u2028b', '__proto__', 'constructor', 'x'.repeat(129), 5, null, ['a']]) {
    assert.equal((await invite(username)).status, 400, JSON.stringify(username));
  }
  assert.equal((await admin('POST', '/api/invites', { username: 'y', roles: ['none'] })).status, 400);
  assert.equal((await admin('POST', '/api/invites', { username: 'y', permission_boundary: ['none'] })).status, 400);
  assert.equal((await admin('GET', '/api/users')).body.total, 1);
});

test('a reset password is random or given, ends all sessions, and must be changed', async (t) => {
  const { admin, makePerson, signIn, withCookie } = await makePeopleFixture(t);
  const jane = await makePerson('jane');
  const session = withCookie(await signIn('jane', jane.password));
  const reset = (await admin('PUT', `/api/users/${jane.id}/password_reset`)).body.value;
  assert.match(reset.password, /^[2-9a-z]{4}(-[2-9a-z]{4}){4}$/);
  assert.equal((await session('GET', '/api/me')).status, 401);
  assert.equal((await withCookie(await signIn('jane', reset.password))('GET', '/api/users')).status, 403);
  const given = await admin('PUT', `/api/users/${jane.id}/password_reset`, { password: 'given' });
  assert.deepEqual(given.body.value, { id: jane.id, username: 'jane' });
  assert.ok(await signIn('jane', 'given'));
  assert.equal((await admin('PUT', `/api/users/${jane.id}/password_reset`, { password: '' })).status, 400);
});

test('the last super admin who can sign in is neither removed, demoted nor bounded', async (t) => {
  const { admin, makePerson } = await makePeopleFixture(t);
  const me = (await admin('GET', '/api/me')).body.value.id;
  const alone = 'this is the last super admin who can sign in by password: make another one first';
  for (const [path, body] of [
    ['assigned_roles', { roles: ['viewer_id'] }],
    ['permission_boundary', { permission_policies: ['viewer_policy_id'] }],
  ] as const) {
    const answer = await admin('PUT', `/api/users/${me}/${path}`, body);
    assert.deepEqual([answer.status, answer.body.error_msg], [409, alone]);
  }
  // Somebody who was invited and has not come yet is not enough.
  await admin('POST', '/api/invites', { username: 'not-here-yet', roles: ['super_admin_id'] });
  assert.equal((await admin('PUT', `/api/users/${me}/assigned_roles`, { roles: [] })).status, 409);
  const second = await makePerson('second', ['super_admin_id']);
  assert.equal((await admin('DELETE', `/api/users/${me}`)).status, 409, 'nobody removes himself');
  assert.equal((await second.send('DELETE', `/api/users/${me}`)).status, 200);
  assert.equal((await second.send('PUT', `/api/users/${second.id}/assigned_roles`, { roles: [] })).status, 409);
});

test('nobody gives more than he has, neither to others nor to himself', async (t) => {
  const { makeRole, makePerson } = await makePeopleFixture(t);
  const { roleId } = await makeRole('user admins', USER_ADMIN);
  const mallory = await makePerson('mallory', [roleId]);
  const jane = await makePerson('jane');
  const giving = 'Forbidden: that user has permissions that you do not have';
  const grant = (id: string, roles: readonly string[]) => mallory.send('PUT', `/api/users/${id}/assigned_roles`, { roles });
  assert.deepEqual((await grant(jane.id, ['super_admin_id'])).body, { error_msg: giving });
  assert.equal((await grant(jane.id, [roleId])).status, 200);
  assert.match((await grant(mallory.id, ['super_admin_id'])).body.error_msg, /his own permissions/);
  const invited = await mallory.send('POST', '/api/invites', { username: 'accomplice', roles: ['super_admin_id'] });
  assert.equal(invited.status, 403);
  const policy = { name: 'all', policy_document: { statement: [{ effect: 'allow', actions: ['*'], resources: ['*'] }] } };
  const { id } = (await mallory.send('POST', '/api/permission_policies', policy)).body.value;
  assert.equal((await mallory.send('POST', `/api/roles/${roleId}/attach_permission_policies`, [id])).status, 403);
  const role = await mallory.send('POST', '/api/roles', { name: 'all', policies: [id] });
  assert.equal(role.status, 200);
  assert.equal((await grant(jane.id, [role.body.value.id])).status, 403);
});

test('nobody rules over somebody who may do more: no password, role, boundary or removal of a super admin', async (t) => {
  const { admin, makeRole, makePerson } = await makePeopleFixture(t);
  const { roleId } = await makeRole('user admins', USER_ADMIN);
  const mallory = await makePerson('mallory', [roleId]);
  const root = (await admin('GET', '/api/me')).body.value.id;
  for (const [method, path, body] of [
    ['PUT', '/password_reset', { password: 'mine now' }],
    ['PUT', '/assigned_roles', { roles: [] }],
    ['PUT', '/permission_boundary', { permission_policies: ['viewer_policy_id'] }],
    ['PUT', '', { labels: { a: 'b' } }],
    ['DELETE', '', undefined],
  ] as const) {
    assert.equal((await mallory.send(method, `/api/users/${root}${path}`, body)).status, 403, path);
  }
  const own = await mallory.send('PUT', `/api/users/${mallory.id}/password_reset`, {});
  assert.equal(own.status, 409);
});

test('whoever is bounded does not get out: not by himself, by others, by new users, by policies or by roles', async (t) => {
  const { admin, makeRole, makePerson } = await makePeopleFixture(t);
  const everything = await makeRole('everything', [{ effect: 'allow', actions: ['*'], resources: ['*'] }]);
  const bound = await makeRole('bound', USER_ADMIN);
  const mallory = await makePerson('mallory', [everything.roleId]);
  const jane = await makePerson('jane', [everything.roleId]);
  await admin('PUT', `/api/users/${mallory.id}/permission_boundary`, { permission_policies: [bound.policyId] });
  await admin('PUT', `/api/users/${jane.id}/permission_boundary`, { permission_policies: [bound.policyId] });
  assert.equal((await mallory.send('GET', '/api/gateway_groups')).status, 403);
  assert.equal((await mallory.send('GET', '/api/users')).status, 200);
  for (const [method, path, body] of [
    ['PUT', `/api/users/${mallory.id}/permission_boundary`, { permission_policies: [] }],
    ['PUT', `/api/users/${mallory.id}/assigned_roles`, { roles: ['super_admin_id'] }],
    ['PUT', `/api/users/${jane.id}/permission_boundary`, { permission_policies: [] }],
    ['PUT', `/api/users/${jane.id}/permission_boundary`, { permission_policies: ['super_admin_policy_id'] }],
    ['POST', '/api/invites', { username: 'free', roles: [everything.roleId] }],
    ['POST', '/api/invites', { username: 'free', roles: ['super_admin_id'] }],
    [
      'PUT',
      `/api/permission_policies/${bound.policyId}`,
      { name: 'bound', statement: [{ effect: 'allow', actions: ['*'], resources: ['*'] }] },
    ],
    ['PUT', `/api/roles/${everything.roleId}`, { name: 'everything', policies: [] }],
    ['POST', `/api/roles/${bound.roleId}/attach_permission_policies`, ['super_admin_policy_id']],
  ] as const) {
    assert.equal((await mallory.send(method, path, body)).status, 403, `${method} ${path}`);
  }
  // What lies within the boundary is his to give.
  assert.equal((await mallory.send('POST', '/api/invites', { username: 'lesser', roles: [bound.roleId] })).status, 200);
  assert.equal((await mallory.send('PUT', `/api/users/${jane.id}`, { name: 'Jane' })).status, 200);
});

test('an inviter who may only invite within a boundary must set it', async (t) => {
  const { makeRole, makePerson } = await makePeopleFixture(t);
  const bound = await makeRole('bound', [{ effect: 'allow', actions: ['gateway:Get*'], resources: ['*'] }]);
  const condition = { permission_boundaries: { type: 'AllOfStrings', options: [bound.policyId] } };
  const inviters = await makeRole('inviters', [
    { effect: 'allow', actions: ['iam:InviteUser'], resources: ['arn:api7:iam:user/*'], conditions: condition },
  ]);
  const { send } = await makePerson('inviter', [inviters.roleId]);
  assert.equal((await send('POST', '/api/invites', { username: 'free' })).status, 403);
  const invited = await send('POST', '/api/invites', { username: 'bounded', permission_boundary: [bound.policyId] });
  assert.deepEqual(invited.body.value.permission_boundary, [{ id: bound.policyId, name: 'bound' }]);
});

test('every change of a user is in the audit log, with who made it and without a secret', async (t) => {
  const { admin, makePerson, history } = await makePeopleFixture(t);
  const jane = await makePerson('jane');
  await admin('PUT', `/api/users/${jane.id}/assigned_roles`, { roles: ['viewer_id'] });
  await admin('PUT', `/api/users/${jane.id}/permission_boundary`, { permission_policies: ['viewer_policy_id'] });
  const { password } = (await admin('PUT', `/api/users/${jane.id}/password_reset`)).body.value;
  await admin('PUT', `/api/users/${jane.id}`, {});
  await admin('DELETE', `/api/users/${jane.id}`);
  const entries = await history.pageOfAudit(undefined, 100);
  assert.deepEqual(
    entries
      .map(({ action }) => action)
      .reverse()
      .slice(1),
    [
      'user.invite',
      'user.accept-invite',
      'user.sign-in',
      'token.create',
      'user.assign-roles',
      'user.set-boundary',
      'user.reset-password',
      'user.put',
      'user.delete',
    ],
  );
  assert.ok(entries.slice(0, 5).every(({ author, resource }) => author.name === 'bootstrap' && resource === `user/${jane.id}`));
  assert.ok(![password, jane.password].some((secret) => JSON.stringify(entries).includes(`"${secret}"`)));
});

test('an entry about people tells from where, by which request, why, and what was changed', async (t) => {
  const { admin, anybody, makePerson, history, makeRole } = await makePeopleFixture(t);
  const jane = await makePerson('jane');
  const { roleId, policyId } = await makeRole('readers', [{ effect: 'allow', actions: ['gateway:Get*'], resources: ['*'] }]);
  const headers = { 'user-agent': 'curl/8\u00e9', 'x-change-reason': 'ticket 42' };
  const changed = await admin('PUT', `/api/users/${jane.id}`, { name: 'Jane', labels: { team: 'a' } }, headers);
  const [entry] = await history.pageOfAudit(undefined, 1);
  assert.deepEqual(entry?.origin, {
    source: 'api',
    address: '127.0.0.1',
    userAgent: 'curl/8\\u00e9',
    reason: 'ticket 42',
    requestId: changed.headers['portcullis-request-id'],
  });
  assert.deepEqual(entry?.detail, { changes: ['+ /name: "Jane"', '+ /labels: {"team":"a"}'] });
  assert.equal((await admin('PUT', `/api/users/${jane.id}`, {}, { 'x-change-reason': 'a\tb\u0001' })).status, 400);
  await admin('POST', `/api/roles/${roleId}/attach_permission_policies`, ['viewer_policy_id']);
  assert.deepEqual((await history.pageOfAudit(undefined, 1))[0]?.detail, {
    name: 'readers',
    policies: [policyId, 'viewer_policy_id'],
    changes: ['+ /policies/1: "viewer_policy_id"'],
  });
  const statement = [{ effect: 'allow', actions: ['gateway:*'], resources: ['*'] }];
  await admin('PUT', `/api/permission_policies/${policyId}`, { name: 'readers', statement });
  assert.deepEqual((await history.pageOfAudit(undefined, 1))[0]?.detail.changes, [
    '~ /policy_document/statement/0/actions/0: "gateway:Get*" → "gateway:*"',
  ]);
  // Failures too, and those by Basic.
  await anybody('POST', '/api/login', { username: 'jane', password: 'wrong' }, headers);
  await anybody('GET', '/api/me', undefined, { ...headers, authorization: `Basic ${Buffer.from('jane:wrong').toString('base64')}` });
  for (const failure of await history.pageOfAudit(undefined, 2)) {
    assert.deepEqual([failure.action, failure.origin.userAgent], ['user.sign-in-failed', 'curl/8\\u00e9']);
    assert.match(failure.origin.requestId ?? '', /^[0-9a-f-]{36}$/);
  }
});

test('who governs users takes stolen tokens and sessions away, one or all, and from nobody who may do more', async (t) => {
  const { admin, makePerson, makeRole, signIn, withCookie, history } = await makePeopleFixture(t);
  const { roleId } = await makeRole('user admins', USER_ADMIN);
  const helper = await makePerson('helper', [roleId]);
  const jane = await makePerson('jane');
  const second = (await jane.send('POST', '/api/tokens', { name: 'second', expires_at: 0 })).body.value;
  const session = withCookie(await signIn('jane', jane.password));
  const withSecond = () => session('GET', '/api/me', undefined, { 'x-api-key': second.token });
  const listed = await helper.send('GET', `/api/users/${jane.id}/tokens`);
  assert.deepEqual([listed.body.total, listed.text.includes(second.token)], [2, false]);
  assert.equal((await jane.send('GET', `/api/users/${helper.id}/tokens`)).status, 403);
  assert.equal((await jane.send('DELETE', `/api/users/${helper.id}/tokens`)).status, 403);
  assert.equal((await helper.send('DELETE', `/api/users/${jane.id}/tokens?token_id=none`)).status, 404);
  assert.equal((await helper.send('DELETE', `/api/users/${jane.id}/tokens?token_id=${second.id}`)).status, 200);
  assert.deepEqual([(await withSecond()).status, (await jane.send('GET', '/api/me')).status], [401, 200]);
  assert.deepEqual((await history.pageOfAudit(undefined, 1))[0]?.detail, { tokens: [second.id] });
  assert.deepEqual((await helper.send('DELETE', `/api/users/${jane.id}/tokens`)).body, {});
  assert.equal((await jane.send('GET', '/api/me')).status, 401);
  assert.equal((await session('GET', '/api/me')).status, 200);
  assert.deepEqual((await helper.send('DELETE', `/api/users/${jane.id}/sessions`)).body, {});
  assert.equal((await session('GET', '/api/me')).status, 401);
  const root = (await admin('GET', '/api/me')).body.value.id;
  const other = (await admin('GET', `/api/users/${helper.id}/tokens`)).body.list[0].id;
  for (const path of [`${root}/tokens`, `${root}/sessions`])
    assert.equal((await helper.send('DELETE', `/api/users/${path}`)).status, 403, path);
  // A token is looked for among those of the user alone.
  assert.equal((await admin('DELETE', `/api/users/${jane.id}/tokens?token_id=${other}`)).status, 404);
  assert.equal((await helper.send('GET', '/api/me')).status, 200);
});

test('of two super admins who demote or remove each other at the same moment, one stays', async (t) => {
  for (const [method, path, body] of [
    ['PUT', '/assigned_roles', { roles: [] }],
    ['PUT', '/permission_boundary', { permission_policies: ['viewer_policy_id'] }],
    ['DELETE', '', undefined],
  ] as const) {
    const { admin, makePerson, store } = await makePeopleFixture(t);
    const root = (await admin('GET', '/api/me')).body.value.id;
    const second = await makePerson('second', ['super_admin_id']);
    const answers = await Promise.all([
      admin(method, `/api/users/${second.id}${path}`, body),
      second.send(method, `/api/users/${root}${path}`, body),
    ]);
    assert.equal(answers.filter(({ status }) => status === 200).length, 1, path);
    const left = (await store.listUsers()).filter(({ roles, boundary }) => roles.includes('super_admin_id') && boundary.length === 0);
    assert.equal(left.length, 1, path);
  }
});
