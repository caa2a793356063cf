import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeAdminFixture } from '../testing/admin-fixture.ts';

test('x', async (t) => {
  const f = await makeAdminFixture(t);
  const show = (a: unknown) => console.log(JSON.stringify(a, null, 1));
  show(
    await f.send('PUT', '/apisix/admin/services/s1', { body: { name: 's1', upstream: { nodes: [{ host: 'h', port: 80, weight: 1 }] } } }),
  );
  show(
    await f.send('PUT', '/apisix/admin/routes/r1', { body: { name: 'r1', paths: ['/a'], service_id: 's2', plugins: { 'key-auth': {} } } }),
  );
  show(await f.send('PUT', '/apisix/admin/consumers/jack', { body: { username: 'jack' } }));
  show(
    await f.send('PUT', '/apisix/admin/consumers/jack/credentials/c1', { body: { plugins: { 'key-auth': { key: 'secret-api-key' } } } }),
  );
  show(
    await f.send('PUT', '/apisix/admin/consumers/jack/credentials/c2', { body: { plugins: { 'key-auth': { key: 'secret-api-key' } } } }),
  );
  show(await f.send('GET', '/apisix/admin/consumers/jack/credentials'));
  show(await f.send('HEAD', '/apisix/admin/consumers/jack/credentials'));
  show(await f.send('DELETE', '/apisix/admin/consumers/jack', { headers: { 'content-type': 'application/json' } }));
  show(await f.send('PATCH', '/apisix/admin/consumers/jack'));
  show(await f.send('GET', '/nope'));
  show(await f.send('GET', '/nope', { token: undefined }));
  show(await f.send('GET', '/api/version'));
  show(await f.send('GET', '/%zz'));
  show(f.log.lines);
  assert.ok(true);
});
