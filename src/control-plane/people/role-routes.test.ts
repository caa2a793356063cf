import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makePeopleFixture } from '../testing/people-fixture.ts';

const READ = { effect: 'allow', actions: ['gateway:Get*'], resources: ['*'] };
const DOCUMENT = { statement: [READ] };

test('policies and roles are made, listed, searched, read, changed and removed', async (t) => {
  const { admin } = await makePeopleFixture(t);
  const policy = await admin('POST', '/api/permission_policies', {
    name: 'read',
    desc: 'd',
    labels: { a: 'b' },
    policy_document: DOCUMENT,
  });
  const { id } = policy.body.value;
  assert.deepEqual(
    { ...policy.body.value, id: '', created_at: 0, updated_at: 0 },
    { id: '', name: 'read', desc: 'd', labels: { a: 'b' }, type: 'custom', policy_document: DOCUMENT, created_at: 0, updated_at: 0 },
  );
  // The form of older clients.
  const put = await admin('PUT', `/api/permission_policies/${id}`, { name: 'reading', statement: [READ] });
  assert.deepEqual([put.body.value.name, put.body.value.desc, put.headers.etag], ['reading', undefined, '"2"']);
  const role = (await admin('POST', '/api/roles', { name: 'readers', policies: [id] })).body.value;
  assert.deepEqual((await admin('GET', `/api/roles/${role.id}`)).body.value.policies, [id]);
  assert.deepEqual(
    (await admin('GET', '/api/roles')).body.list.map(({ name }: { name: string }) => name),
    ['readers', 'Super Admin', 'Viewer'],
  );
  assert.equal((await admin('GET', '/api/permission_policies?search=READ')).body.total, 1);
  assert.equal((await admin('GET', `/api/roles/${role.id}/permission_policies`)).body.list[0].id, id);
  assert.deepEqual((await admin('PUT', `/api/roles/${role.id}`, { name: 'r' })).body.value.policies, [id]);
  assert.deepEqual((await admin('POST', `/api/roles/${role.id}/detach_permission_policies`, [id])).body.value.policies, []);
  assert.deepEqual((await admin('POST', `/api/roles/${role.id}/attach_permission_policies`, [id, id])).body.value.policies, [id]);
  assert.deepEqual((await admin('DELETE', `/api/roles/${role.id}`)).body, {});
  assert.deepEqual((await admin('DELETE', `/api/permission_policies/${id}`)).body, {});
  for (const path of [`/api/roles/${role.id}`, `/api/permission_policies/${id}`]) {
    assert.equal((await admin('GET', path)).status, 404);
    assert.equal((await admin('DELETE', path)).status, 404);
  }
});

test('what is built in is there from the start and nobody changes it', async (t) => {
  const { admin } = await makePeopleFixture(t);
  for (const [method, path, body] of [
    ['PUT', '/api/roles/super_admin_id', { name: 'x' }],
    ['DELETE', '/api/roles/viewer_id', undefined],
    ['POST', '/api/roles/viewer_id/attach_permission_policies', ['super_admin_policy_id']],
    ['POST', '/api/roles/super_admin_id/detach_permission_policies', ['super_admin_policy_id']],
    ['PUT', '/api/permission_policies/viewer_policy_id', { name: 'x', policy_document: DOCUMENT }],
    ['DELETE', '/api/permission_policies/super_admin_policy_id', undefined],
  ] as const) {
    const answer = await admin(method, path, body);
    assert.deepEqual([answer.status, /built in/.test(answer.body.error_msg)], [403, true], path);
  }
  assert.equal((await admin('POST', '/api/roles', { name: 'Super Admin' })).status, 409);
  assert.equal((await admin('POST', '/api/permission_policies', { name: 'Viewer', policy_document: DOCUMENT })).status, 409);
});

test('what is in use is not removed, names are taken once, and a stale write is 412', async (t) => {
  const { admin, makeRole, makePerson } = await makePeopleFixture(t);
  const { roleId, policyId } = await makeRole('readers', [READ]);
  const jane = await makePerson('jane', [roleId]);
  assert.deepEqual((await admin('DELETE', `/api/roles/${roleId}`)).body, { error_msg: 'this role is still assigned to the user jane' });
  assert.match((await admin('DELETE', `/api/permission_policies/${policyId}`)).body.error_msg, /still attached to the role readers/);
  assert.equal((await admin('POST', '/api/roles', { name: 'readers' })).status, 409);
  assert.equal((await admin('POST', '/api/permission_policies', { name: 'readers', policy_document: DOCUMENT })).status, 409);
  const stale = { 'if-match': '"7"' };
  assert.equal((await admin('PUT', `/api/roles/${roleId}`, { name: 'r' }, stale)).status, 412);
  assert.equal((await admin('DELETE', `/api/permission_policies/${policyId}`, undefined, stale)).status, 412);
  const { etag } = (await admin('GET', `/api/roles/${roleId}`)).headers;
  assert.equal((await admin('PUT', `/api/roles/${roleId}`, { name: 'r' }, { 'if-match': String(etag) })).status, 200);
  await admin('PUT', `/api/users/${jane.id}/permission_boundary`, { permission_policies: [policyId] });
  await admin('PUT', `/api/users/${jane.id}/assigned_roles`, { roles: [] });
  await admin('DELETE', `/api/roles/${roleId}`);
  assert.match((await admin('DELETE', `/api/permission_policies/${policyId}`)).body.error_msg, /bounds the user jane/);
});

test('every operation on roles and policies needs its own permission', async (t) => {
  const { anybody, makePerson } = await makePeopleFixture(t);
  const viewer = await makePerson('viewer', ['viewer_id']);
  const nobody = await makePerson('nobody');
  const policy = { name: 'n', policy_document: DOCUMENT };
  for (const [method, path, body] of [
    ['GET', '/api/roles', undefined],
    ['GET', '/api/roles/viewer_id', undefined],
    ['GET', '/api/roles/viewer_id/permission_policies', undefined],
    ['GET', '/api/permission_policies', undefined],
    ['GET', '/api/permission_policies/viewer_policy_id', undefined],
    ['POST', '/api/roles', { name: 'n' }],
    ['PUT', '/api/roles/viewer_id', { name: 'n' }],
    ['DELETE', '/api/roles/viewer_id', undefined],
    ['POST', '/api/roles/viewer_id/attach_permission_policies', []],
    ['POST', '/api/roles/viewer_id/detach_permission_policies', []],
    ['POST', '/api/permission_policies', policy],
    ['PUT', '/api/permission_policies/viewer_policy_id', policy],
    ['DELETE', '/api/permission_policies/viewer_policy_id', undefined],
  ] as const) {
    assert.equal((await anybody(method, path, body)).status, 401, path);
    assert.equal((await nobody.send(method, path, body)).status, 403, path);
    assert.equal((await viewer.send(method, path, body)).status, method === 'GET' ? 200 : 403, path);
  }
});

test('a change of a policy is in force with its answer', async (t) => {
  const { admin, makeRole, makePerson } = await makePeopleFixture(t);
  const { roleId, policyId } = await makeRole('readers', [READ]);
  const { send } = await makePerson('jane', [roleId]);
  const status = async () => (await send('GET', '/apisix/admin/consumers')).status;
  assert.equal(await status(), 200);
  const other = { effect: 'allow', actions: ['iam:Get*'], resources: ['*'] };
  await admin('PUT', `/api/permission_policies/${policyId}`, { name: 'readers', policy_document: { statement: [other] } });
  assert.equal(await status(), 403);
  await admin('PUT', `/api/permission_policies/${policyId}`, { name: 'readers', policy_document: DOCUMENT });
  assert.equal(await status(), 200);
  await admin('POST', `/api/roles/${roleId}/detach_permission_policies`, [policyId]);
  assert.equal(await status(), 403);
});

test('only a super admin loosens a deny, whoever it is for', async (t) => {
  const { makeRole, makePerson } = await makePeopleFixture(t);
  const all = { effect: 'allow', actions: ['*'], resources: ['*'] };
  const lesser = await makeRole('lesser', [READ, { effect: 'deny', actions: ['gateway:GetSecretProvider'], resources: ['*'] }]);
  const mighty = await makeRole('mighty', [all]);
  const { send } = await makePerson('jane', [mighty.roleId]);
  for (const [method, path, body] of [
    ['PUT', `/api/permission_policies/${lesser.policyId}`, { name: 'lesser', policy_document: DOCUMENT }],
    ['POST', `/api/roles/${lesser.roleId}/detach_permission_policies`, [lesser.policyId]],
    ['PUT', `/api/roles/${lesser.roleId}`, { name: 'lesser', policies: [] }],
  ] as const) {
    const answer = await send(method, path, body);
    assert.deepEqual([answer.status, /only a super admin/.test(answer.body.error_msg)], [403, true], path);
  }
});

test('what is wrong with a body is told by its place', async (t) => {
  const { admin } = await makePeopleFixture(t);
  for (const [path, body, pointer] of [
    ['/api/roles', {}, '/name'],
    ['/api/roles', { name: 'n', policies: ['none'] }, '/policies/0'],
    ['/api/roles', { name: 'n', labels: { constructor: 'x' } }, '/labels'],
    ['/api/permission_policies', { name: 'n' }, '/policy_document'],
    ['/api/permission_policies', { name: 'n', policy_document: {} }, '/policy_document/statement'],
    ['/api/permission_policies', { name: 'n', statement: [{ ...READ, effect: 'maybe' }] }, '/statement/0/effect'],
    [
      '/api/permission_policies',
      { name: 'n', policy_document: { statement: [{ ...READ, resources: ['x'] }] } },
      '/policy_document/statement/0/resources/0',
    ],
    ['/api/roles/viewer_id/attach_permission_policies', { policies: 5 }, '/policies'],
  ] as const) {
    const answer = await admin('POST', path, body);
    assert.deepEqual([answer.status, answer.body.error_msg.includes(`Error at "${pointer}`)], [400, true], answer.text);
  }
});

test('there is an end to roles, policies and login options, whose lists are read as a whole', async (t) => {
  const { admin, store } = await makePeopleFixture(t);
  const author = { id: 'system', name: 'system' };
  const fill = (kind: string, count: number) =>
    store.transaction(author, async (transaction) => {
      for (let index = 0; index < count; index += 1) {
        const id = `${kind}-${index}`;
        await transaction.putRecord({ kind, id, name: id, ownerId: undefined, document: {}, expiresAt: 0, secretPointers: [] });
      }
    });
  await fill('role', 999);
  await fill('permission_policy', 999);
  await fill('login_option', 100);
  const policy = { name: 'p', statement: [{ effect: 'allow', actions: ['*'], resources: ['*'] }] };
  const option = { name: 'o', provider: 'oidc', issuer: 'https://id.example.com', client_id: 'c', public_url: 'https://gw.example.com' };
  assert.equal((await admin('POST', '/api/roles', { name: 'last' })).status, 200);
  assert.equal((await admin('POST', '/api/permission_policies', policy)).status, 200);
  for (const [path, body, noun] of [
    ['/api/roles', { name: 'r' }, '1000 roles'],
    ['/api/permission_policies', { ...policy, name: 'q' }, '1000 permission policies'],
    ['/api/login_options', option, '100 login options'],
  ] as const) {
    const answer = await admin('POST', path, body);
    assert.deepEqual([answer.status, answer.body], [409, { error_msg: `there are ${noun} already: remove one first` }]);
  }
});
