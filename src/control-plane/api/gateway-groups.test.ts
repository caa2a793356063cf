import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AdminFixture, makeAdminFixture } from '../testing/admin-fixture.ts';

const LIST = '/api/gateway_groups';

async function create(admin: AdminFixture, body: object): Promise<string> {
  const created = await admin.send('POST', LIST, { body });
  assert.equal(created.status, 200, created.text);
  return created.body.value.id;
}

async function adminKeyOf(admin: AdminFixture, id: string): Promise<string> {
  return (await admin.send('PUT', `${LIST}/${id}/admin_key`)).body.value.key;
}

test('a group is created, read, replaced, patched and deleted', async (t) => {
  const admin = await makeAdminFixture(t);
  const id = await create(admin, { name: 'edge', description: 'd', labels: { zone: 'a' }, type: 'api7_ingress_controller' });
  const read = await admin.send('GET', `${LIST}/${id}`);
  const { created_at, updated_at, ...value } = read.body.value;
  assert.deepEqual(value, {
    ...{ id, name: 'edge', description: 'd', labels: { zone: 'a' } },
    ...{ type: 'api7_ingress_controller', enforce_service_publishing: false },
  });
  assert.equal(created_at, updated_at);
  admin.clock.advance(5_000);
  const put = await admin.send('PUT', `${LIST}/${id}`, { body: { id, name: 'edge-2' } });
  assert.deepEqual([put.body.value.name, put.body.value.description, put.body.value.labels], ['edge-2', '', undefined]);
  assert.deepEqual([put.body.value.created_at, put.body.value.updated_at], [created_at, created_at + 5]);
  const patched = await admin.send('PATCH', `${LIST}/${id}`, { body: [{ op: 'add', path: '/description', value: 'new' }] });
  assert.deepEqual([patched.status, patched.body.value.description, patched.body.value.name], [200, 'new', 'edge-2'], patched.text);
  assert.deepEqual((await admin.send('GET', `${LIST}?name=edge-2`)).body, { list: [patched.body.value], total: 1 });
  assert.deepEqual((await admin.send('DELETE', `${LIST}/${id}`)).body, {});
  assert.equal((await admin.send('GET', `${LIST}/${id}`)).status, 404);
  assert.equal((await admin.send('GET', `/apisix/admin/services?gateway_group_id=${id}`)).status, 404);
});

test('the first group can be changed and is never deleted', async (t) => {
  const admin = await makeAdminFixture(t);
  const first = await admin.send('GET', `${LIST}/default`);
  const patched = await admin.send('PATCH', `${LIST}/default`, {
    body: { labels: { a: 'b' } },
    headers: { 'if-match': String(first.headers.etag) },
  });
  assert.deepEqual([patched.status, patched.body.value.name, patched.body.value.labels], [200, 'default', { a: 'b' }], patched.text);
  const stale = await admin.send('PUT', `${LIST}/default`, { body: { name: 'x' }, headers: { 'if-match': String(first.headers.etag) } });
  assert.deepEqual([stale.status, stale.headers.etag], [412, patched.headers.etag]);
  assert.equal((await admin.send('DELETE', `${LIST}/default`)).status, 409);
  const again = await admin.send('GET', `${LIST}/default`, { headers: { 'if-none-match': String(patched.headers.etag) } });
  assert.equal(again.status, 304);
});

test('groups keep their resources apart, and a group that is used is not deleted', async (t) => {
  const admin = await makeAdminFixture(t);
  const id = await create(admin, { name: 'edge' });
  await admin.send('PUT', `/apisix/admin/services/s?gateway_group_id=${id}`, { body: { name: 'in edge' } });
  await admin.send('PUT', '/apisix/admin/services/s', { body: { name: 'in default' } });
  const names = async (group: string) => (await admin.send('GET', `/apisix/admin/services/s?gateway_group_id=${group}`)).body.value.name;
  assert.deepEqual([await names(id), await names('default')], ['in edge', 'in default']);
  const refused = await admin.send('DELETE', `${LIST}/${id}`);
  assert.deepEqual([refused.status, refused.body.error_msg], [409, 'can not delete this gateway group, service [s] is still in it']);
  await admin.send('DELETE', `/apisix/admin/services/s?gateway_group_id=${id}`);
  admin.announcer.connected = [{ instanceId: 'i-1' } as never];
  assert.match((await admin.send('DELETE', `${LIST}/${id}`)).body.error_msg, /gateway instances are connected/);
  admin.announcer.connected = [];
  assert.equal((await admin.send('DELETE', `${LIST}/${id}`)).status, 200);
});

test('a name belongs to one group', async (t) => {
  const admin = await makeAdminFixture(t);
  const id = await create(admin, { name: 'edge' });
  for (const answer of [
    await admin.send('POST', LIST, { body: { name: 'default' } }),
    await admin.send('PUT', `${LIST}/${id}`, { body: { name: 'default' } }),
    await admin.send('PATCH', `${LIST}/${id}`, { body: { name: 'default' } }),
  ]) {
    assert.deepEqual([answer.status, answer.body.error_msg], [409, 'gateway group default has this name already']);
  }
  const many = await Promise.all(Array.from({ length: 10 }, () => admin.send('POST', LIST, { body: { name: 'same' } })));
  assert.equal(many.filter(({ status }) => status === 200).length, 1);
});

test('mistakes are told with their place, unknown groups with 404', async (t) => {
  const admin = await makeAdminFixture(t);
  for (const [body, message] of [
    [{}, 'Error at "/name": property "name" is missing'],
    [{ name: 'x'.repeat(101) }, 'Error at "/name": maximum string length is 100'],
    [{ name: 'a', type: 'other' }, 'Error at "/type": value is not one of the allowed values ["api7_gateway","api7_ingress_controller"]'],
    [{ name: 'a', labels: { constructor: 'x' } }, 'Error at "/labels/constructor": this name is not allowed'],
    [[], 'Error at "": value must be an object'],
  ] as const) {
    const answer = await admin.send('POST', LIST, { body });
    assert.deepEqual([answer.status, answer.body.error_msg], [400, message]);
  }
  for (const [method, path] of [
    ['PUT', `${LIST}/none`],
    ['PATCH', `${LIST}/none`],
    ['DELETE', `${LIST}/none`],
    ['PUT', `${LIST}/none/admin_key`],
    ['DELETE', `${LIST}/none/admin_key`],
  ] as const) {
    const answer = await admin.send(method, path, { body: { name: 'a' } });
    assert.deepEqual([answer.status, answer.body], [404, { error_msg: 'gateway group not found' }], `${method} ${path}`);
  }
  assert.equal((await admin.send('GET', LIST)).body.total, 1);
});

test('the admin key of a group does everything there, needs no group in the query, and nothing elsewhere', async (t) => {
  const admin = await makeAdminFixture(t);
  const id = await create(admin, { name: 'edge' });
  const token = await adminKeyOf(admin, id);
  assert.match(token, /^a7adm-[0-9A-Za-z]{43}\./);
  const path = '/apisix/admin/consumers/jack';
  const put = await admin.send('PUT', `${path}?`, { token, body: { username: 'jack' } });
  assert.equal(put.status, 200, put.text);
  assert.equal((await admin.send('GET', `${path}?gateway_group_id=${id}`, { token })).status, 200);
  for (const version of ['/api/version', '/api/schema/core', `${LIST}/${id}`])
    assert.equal((await admin.send('GET', version, { token })).status, 200);
  assert.deepEqual(
    (await admin.send('GET', LIST, { token })).body.list.map((group: { id: string }) => group.id),
    [id],
  );
  for (const [method, elsewhere] of [
    ['GET', `${path}?gateway_group_id=default`],
    ['PUT', `${path}?gateway_group_id=default`],
    ['GET', `${LIST}/default`],
    ['PUT', `${LIST}/${id}`],
    ['DELETE', `${LIST}/${id}`],
    ['POST', LIST],
    ['PUT', `${LIST}/${id}/admin_key`],
  ] as const) {
    const answer = await admin.send(method, elsewhere, { token, body: { username: 'jack', name: 'x' } });
    assert.equal(answer.status, 403, `${method} ${elsewhere} ${answer.text}`);
  }
  const [entry] = await admin.history.pageOfAudit(undefined, 1);
  assert.deepEqual([entry?.author.id, entry?.groupId], [`gateway_group/${id}`, id]);
});

test('a new admin key ends the former one, a change of the group does not, and no one else gets in', async (t) => {
  const admin = await makeAdminFixture(t);
  const id = await create(admin, { name: 'edge' });
  const status = async (token: string) => (await admin.send('GET', '/api/version', { token })).status;
  const first = await adminKeyOf(admin, id);
  await admin.send('PUT', `${LIST}/${id}`, { body: { name: 'other' } });
  assert.equal(await status(first), 200);
  const second = await adminKeyOf(admin, id);
  assert.deepEqual([await status(first), await status(second)], [401, 200]);
  for (const wrong of [
    'a7adm-',
    `a7adm-x.${id}`,
    second.replace(id, 'default'),
    `${second}x`,
    `${second}.`,
    second.slice(0, -1),
    'a7adm-x.__proto__',
  ])
    assert.equal(await status(wrong), 401, wrong);
  await admin.send('DELETE', `${LIST}/${id}/admin_key`);
  assert.equal(await status(second), 401);
  const stored = JSON.stringify([await admin.history.pageOfAudit(undefined, 50), await admin.send('GET', LIST)]);
  assert.ok(!stored.includes(second));
});

test('what was written of a group itself has versions, differences and a way back, without its admin key', async (t) => {
  const admin = await makeAdminFixture(t);
  const path = '/api/gateway_groups/default';
  await admin.send('PUT', path, { body: { name: 'default', labels: { stage: 'one' } } });
  const first = Number(String((await admin.send('GET', path)).headers.etag).replaceAll('"', ''));
  const { key } = (await admin.send('PUT', `${path}/admin_key`)).body.value;
  const headers = { 'x-change-reason': 'a new name' };
  const second = Number((await admin.send('PUT', path, { body: { name: 'edge' }, headers })).headers['portcullis-revision']);
  const { list, total } = (await admin.send('GET', `${path}/versions`)).body;
  assert.deepEqual([list[0].revision, list[0].reason, total, list.at(-1).revision], [second, 'a new name', 3, first]);
  assert.deepEqual((await admin.send('GET', `${path}/versions/${first}`)).body.value.value.labels, { stage: 'one' });
  const diff = (await admin.send('GET', `${path}/diff?from=${first}&to=${second}`)).body.value;
  assert.deepEqual(diff.text, ['- /labels: {"stage":"one"}', '~ /name: "default" → "edge"']);

  const tried = await admin.send('POST', `${path}/versions/${first}/revert?dry_run=true`);
  assert.deepEqual([tried.status, tried.body.value.name, tried.body.dry_run], [200, 'default', true], tried.text);
  assert.equal((await admin.send('GET', path)).body.value.name, 'edge');
  const stale = await admin.send('POST', `${path}/versions/${first}/revert`, { headers: { 'if-match': `"${first}"` } });
  assert.equal(stale.status, 412);
  const reverted = await admin.send('POST', `${path}/versions/${first}/revert`);
  assert.deepEqual([reverted.body.value.name, reverted.body.value.labels], ['default', { stage: 'one' }]);
  assert.equal((await admin.send('GET', '/apisix/admin/services?', { token: key })).status, 200);
  const [entry] = (await admin.send('GET', '/api/audit_logs?event_type=gateway_group.revert')).body.list;
  assert.equal(entry.gateway_group_id, 'default');

  await admin.send('PUT', path, { body: { name: 'free' } });
  await admin.send('POST', '/api/gateway_groups', { body: { name: 'default' } });
  assert.equal((await admin.send('POST', `${path}/versions/${first}/revert`)).status, 409);
  for (const [url, status] of [
    [`${path}/versions/99`, 404],
    [`${path}/versions/x`, 400],
    [`${path}/diff`, 400],
    [`${path}/diff?from=99`, 404],
    ['/api/gateway_groups/none/versions', 404],
    ['/api/gateway_groups/none/diff?from=1', 404],
  ] as const) {
    assert.equal((await admin.send('GET', url)).status, status, url);
  }
  assert.equal((await admin.send('POST', `${path}/versions/99/revert`)).status, 404);
  assert.equal((await admin.send('GET', `${path}/versions`, { token: key })).status, 403);
});
