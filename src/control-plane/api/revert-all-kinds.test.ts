import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type AdminFixture, makeAdminFixture } from '../testing/admin-fixture.ts';
import { makeSampleResources } from '../testing/sample-resources.ts';

const GROUP = '/api/gateway_groups/default';
const ADMIN = '/apisix/admin';
const KEY_1 = 'first-key-hvFtJ6NDaLlM';
const KEY_2 = 'second-key-3UqWKpYpHCyT';

async function write(admin: AdminFixture, method: 'PUT' | 'PATCH' | 'POST', path: string, body: unknown): Promise<number> {
  const answer = await admin.send(method, path, { body });
  assert.equal(answer.status, 200, answer.text);
  return Number(answer.headers['portcullis-revision']);
}

async function currentRevision(admin: AdminFixture): Promise<number> {
  return (await admin.store.getGroup('default'))?.revision ?? 0;
}

/** The details of the audit log, the latest first, by their events. */
async function details(admin: AdminFixture, event: string) {
  const { body } = await admin.send('GET', `/api/audit_logs?event_type=${event}`);
  return body.list.map(({ detail }: { detail: unknown }) => detail);
}

async function withTwoCredentials(t: TestContext): Promise<AdminFixture> {
  const admin = await makeAdminFixture(t);
  await write(admin, 'PUT', `${ADMIN}/consumers/jack`, { username: 'jack' });
  await write(admin, 'PUT', `${ADMIN}/consumers/jack/credentials/c1`, { plugins: { 'key-auth': { key: KEY_1 } } });
  await write(admin, 'PUT', `${ADMIN}/consumers/jack/credentials/c2`, { plugins: { 'key-auth': { key: KEY_2 } } });
  return admin;
}

test('a resource of every kind has its history, comes back as it was, and takes its group along', async (t) => {
  const admin = await makeAdminFixture(t);
  const samples = await makeSampleResources();
  for (const { list, id, body } of samples) await write(admin, 'PUT', `${list}/${id}`, body);
  const then = await currentRevision(admin);
  const shown = async () =>
    Promise.all(
      samples.map(async ({ list, id }) => {
        const { value } = (await admin.send('GET', `${list}/${id}`)).body;
        return { ...value, updated_at: 0 };
      }),
    );
  const before = await shown();
  for (const { list, id } of samples) await write(admin, 'PATCH', `${list}/${id}`, { labels: { changed: 'yes' } });
  for (const { list, id } of samples) {
    const versions = await admin.send('GET', `${list}/${id}/versions`);
    assert.deepEqual([versions.status, versions.body.total], [200, 2], `${list} ${versions.text}`);
    const diff = await admin.send('GET', `${list}/${id}/diff?gateway_group_id=default&from=${then}`);
    assert.deepEqual(diff.body.value.text, ['+ /labels: {"changed":"yes"}'], diff.text);
  }
  const group = await admin.send('POST', `${GROUP}/revert`, { body: { revision: then } });
  assert.deepEqual([group.status, group.body.restored_count, group.body.left_out], [200, samples.length, []], group.text);
  assert.deepEqual(await shown(), before);
  for (const { list, id } of samples) {
    await write(admin, 'PATCH', `${list}/${id}`, { labels: { changed: 'again' } });
    const one = await admin.send('POST', `${list}/${id}/revert`, { body: { revision: then } });
    assert.equal(one.status, 200, `${list} ${one.text}`);
  }
  assert.deepEqual(await shown(), before);
});

test('every kind of write is told in the audit log with what it changed: POST, PATCH, gateway groups and their admin keys', async (t) => {
  const admin = await makeAdminFixture(t);
  await write(admin, 'POST', `${ADMIN}/services`, { id: 's', name: 's' });
  await write(admin, 'PATCH', `${ADMIN}/services/s`, { desc: 'patched' });
  const [patched, created] = await details(admin, 'service.put');
  assert.deepEqual([patched.created, patched.changes], [false, ['+ /desc: "patched"']]);
  assert.deepEqual([created.created, created.changes], [true, ['+ (the resource): {"name":"s","strip_path_prefix":true}']]);
  const { id } = (await admin.send('POST', '/api/gateway_groups', { body: { name: 'edge' } })).body.value;
  await write(admin, 'PATCH', `/api/gateway_groups/${id}`, { description: 'at the edge' });
  const { key } = (await admin.send('PUT', `/api/gateway_groups/${id}/admin_key`)).body.value;
  assert.equal((await admin.send('DELETE', `/api/gateway_groups/${id}`)).status, 200);
  assert.deepEqual((await details(admin, 'gateway_group.put'))[0].changes, ['+ /description: "at the edge"']);
  assert.deepEqual((await details(admin, 'gateway_group.admin_key.put'))[0].changes, []);
  assert.equal((await details(admin, 'gateway_group.delete'))[0].changes.length, 1);
  assert.ok(!(await admin.send('GET', '/api/audit_logs')).text.includes(key));
});

test('a revert of a group leaves what the group is called, and its admin key, as they are', async (t) => {
  const admin = await makeAdminFixture(t);
  const then = await currentRevision(admin);
  await write(admin, 'PUT', GROUP, { name: 'default', description: 'mine' });
  const token = (await admin.send('PUT', `${GROUP}/admin_key`)).body.value.key;
  await write(admin, 'PUT', `${ADMIN}/services/s`, { name: 's' });
  const answer = await admin.send('POST', `${GROUP}/revert`, { body: { revision: then } });
  assert.deepEqual([answer.status, answer.body.deleted, answer.body.left_out], [200, ['service/s'], []]);
  assert.equal((await admin.send('GET', GROUP)).body.value.description, 'mine');
  const versions = await admin.send('GET', `${ADMIN}/services/s/versions`, { token });
  assert.deepEqual([versions.status, versions.body.total], [200, 2], 'the key works, and reads the history of its group');
  assert.equal((await admin.send('POST', `${GROUP}/revert`, { token, body: { revision: then } })).status, 403);
  assert.equal((await admin.send('GET', '/api/audit_logs', { token })).status, 403);
});

test('newer certificates go with what names them, and when nothing names them any more', async (t) => {
  const admin = await makeAdminFixture(t);
  const certificate = (await makeSampleResources()).find(({ id }) => id === 'crt1')?.body;
  const then = await currentRevision(admin);
  await write(admin, 'PUT', `${ADMIN}/certificates/first`, certificate);
  await write(admin, 'PUT', `${ADMIN}/snis/a`, { name: 'a', domain: 'a.example', certificates: ['first'] });
  const named = await currentRevision(admin);
  await write(admin, 'PUT', `${ADMIN}/certificates/second`, certificate);
  await write(admin, 'PATCH', `${ADMIN}/snis/a`, { certificates: ['first', 'second'] });
  const tried = await admin.send('POST', `${GROUP}/revert?dry_run=true`, { body: { revision: named } });
  assert.deepEqual([tried.body.deleted, tried.body.left_out], [['certificate/second'], []]);
  const done = await admin.send('POST', `${GROUP}/revert`, { body: { revision: then } });
  assert.deepEqual([done.body.deleted_count, done.body.left_out], [3, []]);
});

test('what names a certificate that did not exist yet keeps it when the group goes back', async (t) => {
  const admin = await makeAdminFixture(t);
  const certificate = (await makeSampleResources()).find(({ id }) => id === 'crt1')?.body;
  await write(admin, 'PUT', `${ADMIN}/snis/early`, { name: 'early', domain: 'early.example', certificates: ['late'] });
  const then = await currentRevision(admin);
  await write(admin, 'PUT', `${ADMIN}/certificates/late`, certificate);
  const { body } = await admin.send('POST', `${GROUP}/revert`, { body: { revision: then } });
  const message = 'sni/early names it';
  assert.deepEqual(body.left_out, [{ resource: 'certificate/late', reason: 'in_use', pointers: [], message }]);
  assert.equal((await admin.send('GET', `${ADMIN}/certificates/late`)).status, 200);
});

test('resources that share a configuration go back to another one together', async (t) => {
  const admin = await makeAdminFixture(t);
  const limit = { count: 2, time_window: 60, group: 'shared' };
  const putRoute = (id: string, plugins: object) =>
    write(admin, 'PUT', `${ADMIN}/routes/${id}`, { name: id, service_id: 's', paths: [`/${id}`], plugins });
  await write(admin, 'PUT', `${ADMIN}/services/s`, { name: 's' });
  for (const id of ['a', 'b', 'c']) await putRoute(id, { 'limit-count': limit });
  const then = await currentRevision(admin);
  for (const id of ['a', 'b', 'c']) await putRoute(id, {});
  for (const id of ['a', 'b', 'c']) await putRoute(id, { 'limit-count': { ...limit, count: 9 } });
  const one = await admin.send('POST', `${ADMIN}/routes/a/revert`, { body: { revision: then } });
  assert.equal(one.status, 400);
  assert.match(one.body.error_msg, /group conf mismatched: it differs from that of route: b/);
  const all = await admin.send('POST', `${GROUP}/revert`, { body: { revision: then } });
  assert.deepEqual([all.body.restored, all.body.left_out], [['route/a', 'route/b', 'route/c'], []], all.text);
  const refused = await admin.send('PUT', `${ADMIN}/routes/d`, {
    body: { name: 'd', service_id: 's', paths: ['/d'], plugins: { 'limit-count': { ...limit, count: 9 } } },
  });
  assert.equal(refused.status, 400, 'what came back is shared again');
});

test('credentials that exchanged their keys come back together or not at all', async (t) => {
  const admin = await withTwoCredentials(t);
  const then = await currentRevision(admin);
  const credential = (id: string) => `${ADMIN}/consumers/jack/credentials/${id}`;
  await write(admin, 'PUT', credential('c1'), { plugins: { 'key-auth': { key: 'in-between-k2QpVb7Rr0Lw' } } });
  await write(admin, 'PUT', credential('c2'), { plugins: { 'key-auth': { key: KEY_1 } } });
  await write(admin, 'PUT', credential('c1'), { plugins: { 'key-auth': { key: KEY_2 } } });
  const now = await currentRevision(admin);
  const name = (id: string) => `consumer/jack/credential/${id}`;
  const secrets = { [name('c1')]: { '/plugins/key-auth/key': KEY_1 }, [name('c2')]: { '/plugins/key-auth/key': KEY_2 } };
  const revive = (ids: readonly string[]) =>
    admin.send('POST', `${GROUP}/revert_and_revive`, { body: { revision: then, credentials: ids.map(name), secrets } });
  const half = await revive(['c1']);
  assert.equal(half.status, 409, half.text);
  assert.match(half.body.error_msg, /^consumer\/jack\/credential\/c2 cannot come back.*nothing was reverted$/);
  assert.equal(await currentRevision(admin), now);
  assert.equal((await admin.send('GET', credential('c2'))).body.value.plugins['key-auth'].key, KEY_1);
  const both = await revive(['c1', 'c2']);
  assert.deepEqual([both.status, both.body.left_out], [200, []], both.text);
  const again = await admin.send('PUT', credential('c3'), { body: { plugins: { 'key-auth': { key: KEY_2 } } } });
  assert.match(again.body.error_msg, /duplicate key of plugin key-auth found with credential: c2/);
});

test('the upstream inside a service has the history of the service, and says so', async (t) => {
  const admin = await makeAdminFixture(t);
  const revision = await write(admin, 'PUT', `${ADMIN}/services/s`, {
    name: 's',
    upstream: { nodes: [{ host: 'a.example', port: 80, weight: 1 }] },
  });
  for (const [method, path] of [
    ['GET', 'versions'],
    ['GET', `versions/${revision}`],
    ['POST', 'revert'],
  ] as const) {
    const answer = await admin.send(method, `${ADMIN}/services/s/upstreams/s/${path}`, { body: { revision } });
    assert.deepEqual([answer.status, /in that of the service$/.test(answer.body.error_msg)], [404, true], path);
  }
});
