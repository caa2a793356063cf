import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeAdminFixture } from '../testing/admin-fixture.ts';
import { makeSampleResources } from '../testing/sample-resources.ts';

const SAMPLES = await makeSampleResources();
/** A provider's id is told by the path: its first half says what the body means. */
const NAMED = SAMPLES.filter(({ name }) => name !== 'secret_provider');
const CREDENTIALS = '/apisix/admin/consumers/jack/credentials';

test('PUT on a list writes the resource that the body names, and what a path would have written', async (t) => {
  const admin = await makeAdminFixture(t);
  for (const { list, id, body } of NAMED) {
    const named = 'username' in body ? body : { ...body, id };
    const created = await admin.send('PUT', list, { body: named });
    assert.equal(created.status, 200, created.text);
    const read = await admin.send('GET', `${list}/${id}`);
    assert.deepEqual([read.body.value, read.headers.etag], [created.body.value, created.headers.etag]);
    const replaced = await admin.send('PUT', list, { body: named, headers: { 'if-match': String(read.headers.etag) } });
    assert.equal(replaced.status, 200, replaced.text);
    const stale = await admin.send('PUT', list, { body: named, headers: { 'if-match': String(read.headers.etag) } });
    assert.equal(stale.status, 412, stale.text);
  }
});

test('the upstream that a body calls by the id of its service is the one inside the service', async (t) => {
  const admin = await makeAdminFixture(t);
  await admin.send('PUT', '/apisix/admin/services/s', { body: { name: 's' } });
  const nodes = [{ host: 'a.example', port: 80, weight: 1 }];
  assert.equal((await admin.send('PUT', '/apisix/admin/services/s/upstreams', { body: { id: 's', nodes } })).status, 200);
  const { value } = (await admin.send('GET', '/apisix/admin/services/s')).body;
  assert.equal(value.upstream.nodes[0].host, 'a.example');
  assert.equal((await admin.send('GET', '/apisix/admin/services/s/upstreams')).body.total, 1);
});

test('a body that names nothing, or badly, is refused and nothing is stored', async (t) => {
  const admin = await makeAdminFixture(t);
  await admin.send('PUT', '/apisix/admin/consumers', { body: { username: 'jack' } });
  for (const [list, body, message] of [
    ['/apisix/admin/routes', { name: 'r', paths: ['/'], service_id: 's' }, 'missing route id'],
    [CREDENTIALS, { plugins: { 'key-auth': { key: 'x'.repeat(32) } } }, 'missing credential id'],
    ['/apisix/admin/routes', { id: 7, name: 'r' }, 'Error at "/id": value must be a string'],
    ['/apisix/admin/routes', { id: '..', name: 'r', paths: ['/'], service_id: 's' }, 'Error at "/id": this name is not allowed'],
    ['/apisix/admin/routes', { id: 'a', route_id: 'b', name: 'r', paths: ['/'] }, 'Error at "/route_id": wrong route id'],
    ['/apisix/admin/consumers', {}, 'Error at "/username": property "username" is missing'],
    ['/apisix/admin/consumers', { username: 7 }, 'Error at "/username": value must be a string'],
    ['/apisix/admin/consumers', [], 'Error at "": value must be an object'],
    ['/apisix/admin/global_rules', { id: 'other', plugins: { cors: {} } }, 'Error at "/id": a global rule must have the name'],
  ] as const) {
    const answer = await admin.send('PUT', list, { body });
    assert.equal(answer.status, 400, answer.text);
    assert.ok(answer.body.error_msg.startsWith(message), answer.text);
  }
  assert.equal((await admin.store.getGroup('default'))?.revision, 1);
  const orphan = { id: 'c', plugins: { 'key-auth': { key: 'x'.repeat(32) } } };
  assert.equal((await admin.send('PUT', '/apisix/admin/consumers/nobody/credentials', { body: orphan })).status, 404);
  const kinds = await Promise.all(['secret_providers', 'secrets'].map((kind) => admin.send('PUT', `/apisix/admin/${kind}`, { body: {} })));
  assert.deepEqual(
    kinds.map(({ status, headers }) => [status, headers.allow]),
    [
      [405, 'GET, HEAD'],
      [405, 'GET, HEAD'],
    ],
  );
});
