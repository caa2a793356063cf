import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AdminFixture, makeAdminFixture } from '../testing/admin-fixture.ts';

const NODES = [{ host: 'a.example', port: 80, weight: 1, priority: 0 }];
const SERVICE = '/apisix/admin/services/s1';
const LIST = `${SERVICE}/upstreams`;

async function idsOf(admin: AdminFixture): Promise<readonly string[]> {
  return (await admin.send('GET', LIST)).body.list.map(({ id }: { id: string }) => id);
}

async function innerUpstream(admin: AdminFixture): Promise<unknown> {
  return (await admin.send('GET', SERVICE)).body.value.upstream;
}

test('further upstreams stand beside the one inside the service, and go with the service', async (t) => {
  const admin = await makeAdminFixture(t);
  assert.equal((await admin.send('PUT', `${LIST}/u1`, { body: { name: 'u1', nodes: NODES } })).status, 404);
  await admin.send('PUT', SERVICE, { body: { name: 's', upstream: { nodes: NODES } } });
  for (const id of ['u1', 'u2']) {
    const put = await admin.send('PUT', `${LIST}/${id}`, { body: { name: id, nodes: NODES, retry_timeout: 3 } });
    assert.deepEqual([put.status, put.body.value.retry_timeout, put.body.value.pass_host], [200, 3, 'pass'], put.text);
  }
  assert.deepEqual(await idsOf(admin), ['s1', 'u2', 'u1']);
  assert.equal((await admin.send('DELETE', `${LIST}/u2`)).status, 200);
  assert.deepEqual(await idsOf(admin), ['s1', 'u1']);
  await admin.send('DELETE', SERVICE);
  assert.equal((await admin.send('GET', LIST)).status, 404);
  await admin.send('PUT', SERVICE, { body: { name: 's' } });
  assert.deepEqual(await idsOf(admin), []);
});

test('the same upstream id may stand in two services', async (t) => {
  const admin = await makeAdminFixture(t);
  for (const id of ['s1', 's2']) {
    await admin.send('PUT', `/apisix/admin/services/${id}`, { body: { name: id } });
    await admin.send('PUT', `/apisix/admin/services/${id}/upstreams/u`, { body: { name: id, nodes: NODES } });
  }
  assert.equal((await admin.send('GET', `${LIST}/u`)).body.value.name, 's1');
});

test('the upstream inside a service is read and written under the id of the service', async (t) => {
  const admin = await makeAdminFixture(t);
  const path = `${LIST}/s1`;
  await admin.send('PUT', SERVICE, { body: { name: 's' } });
  assert.equal((await admin.send('GET', path)).status, 404);
  const put = await admin.send('PUT', path, { body: { id: 's1', nodes: NODES } });
  assert.equal(put.status, 200, put.text);
  assert.deepEqual([put.body.value.id, put.body.value.nodes], ['s1', NODES]);
  const read = await admin.send('GET', path);
  assert.deepEqual([read.body.value, read.headers.etag], [put.body.value, put.headers.etag]);
  assert.equal((await admin.send('GET', path, { headers: { 'if-none-match': String(read.headers.etag) } })).status, 304);
  const patched = await admin.send('PATCH', path, { body: [{ op: 'replace', path: '/nodes/0/port', value: 81 }] });
  assert.equal(patched.body.value.nodes[0].port, 81, patched.text);
  const { id, created_at, updated_at, ...document } = patched.body.value;
  assert.deepEqual(await innerUpstream(admin), document);
  assert.deepEqual((await admin.send('DELETE', path)).body, {});
  assert.equal(await innerUpstream(admin), undefined);
  assert.equal((await admin.send('DELETE', path)).status, 404);
  assert.equal((await admin.send('POST', LIST, { body: { id: 's1', nodes: NODES } })).status, 409);
});

test('mistakes in it are told as its writer sees it, and a stale condition with the tag of the service', async (t) => {
  const admin = await makeAdminFixture(t);
  const path = `${LIST}/s1`;
  const service = await admin.send('PUT', SERVICE, { body: { name: 's', upstream: { nodes: NODES } } });
  for (const [body, message] of [
    [{ nodes: 7 }, 'Error at "/nodes": value must be an array'],
    [{ nodes: [{ host: 'a', port: 0, weight: 1 }] }, 'Error at "/nodes/0/port": number must be at least 1'],
    [{ id: 'u', nodes: [] }, 'Error at "/id": wrong upstream id'],
    [[], 'Error at "": value must be an object'],
  ] as const) {
    const answer = await admin.send('PUT', path, { body });
    assert.deepEqual([answer.status, answer.body.error_msg], [400, message]);
  }
  const stale = await admin.send('PUT', path, { body: { nodes: [] }, headers: { 'if-match': '"99"' } });
  assert.deepEqual([stale.status, stale.headers.etag], [412, service.headers.etag]);
  assert.equal((await admin.send('PUT', '/apisix/admin/services/none/upstreams/none', { body: { nodes: [] } })).status, 404);
});
