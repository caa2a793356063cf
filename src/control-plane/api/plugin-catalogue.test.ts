import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeAdminFixture } from '../testing/admin-fixture.ts';
import { TEST_PLUGIN_SCHEMAS } from '../testing/test-plugin-schemas.ts';

test('plugins are listed by name, those that run first before others, and those with metadata alone', async (t) => {
  const admin = await makeAdminFixture(t);
  const names: string[] = (await admin.send('GET', '/apisix/admin/plugins/list')).body;
  assert.ok(names.indexOf('cors') < names.indexOf('key-auth') && names.indexOf('key-auth') < names.indexOf('limit-count'));
  const withMetadata: string[] = (await admin.send('GET', '/apisix/admin/plugins/list?has_metadata=true')).body;
  assert.ok(withMetadata.includes('http-logger') && !withMetadata.includes('key-auth'));
  const { list, total } = (await admin.send('GET', '/api/plugins')).body;
  assert.deepEqual(
    [total, list.find(({ name }: { name: string }) => name === 'key-auth')],
    [names.length, { name: 'key-auth', type: 'auth' }],
  );
  assert.deepEqual(Object.keys((await admin.send('GET', '/apisix/admin/plugins')).body), names);
});

test('the schema of a plugin is told for each place where it can be configured', async (t) => {
  const admin = await makeAdminFixture(t);
  for (const base of ['/apisix/admin/plugins', '/apisix/admin/schema/plugins']) {
    const schema = (await admin.send('GET', `${base}/key-auth`)).body;
    assert.deepEqual([schema.type, schema.properties.header.default], ['object', 'apikey']);
    assert.equal(schema.properties._meta.properties.disable.type, 'boolean');
    assert.deepEqual((await admin.send('GET', `${base}/key-auth?schema_type=consumer`)).body.required, ['key']);
    assert.equal((await admin.send('GET', `${base}/http-logger?schema_type=metadata`)).body.type, 'object');
    const none = await admin.send('GET', `${base}/key-auth?schema_type=metadata`);
    assert.deepEqual([none.status, none.body], [404, { error_msg: 'plugin key-auth has no metadata schema' }]);
    assert.equal((await admin.send('GET', `${base}/key-auth?schema_type=other`)).status, 400);
    for (const name of ['no-such', '__proto__', 'constructor'])
      assert.deepEqual((await admin.send('GET', `${base}/${name}`)).body, { error_msg: 'plugin not found' });
  }
});

test('the defaults of the metadata of a plugin are told, of those that have metadata', async (t) => {
  const admin = await makeAdminFixture(t, { plugins: TEST_PLUGIN_SCHEMAS });
  const answer = await admin.send('GET', '/apisix/admin/plugin_metadata/a-logger/default');
  assert.deepEqual([answer.status, answer.body], [200, { value: { max_pending_entries: 8192 } }]);
  for (const name of ['user-auth', 'none'])
    assert.equal((await admin.send('GET', `/apisix/admin/plugin_metadata/${name}/default`)).status, 404);
});

test('variables are listed by name, open ones by how they begin', async (t) => {
  const admin = await makeAdminFixture(t);
  const { value } = (await admin.send('GET', '/apisix/admin/variables')).body;
  for (const name of ['remote_addr', 'consumer_name', 'http_*', 'arg_*']) assert.ok(value.includes(name), name);
});

test('none of this is told without a token', async (t) => {
  const admin = await makeAdminFixture(t);
  for (const path of [
    '/apisix/admin/plugins',
    '/apisix/admin/plugins/list',
    '/apisix/admin/plugins/cors',
    '/api/plugins',
    '/apisix/admin/variables',
  ])
    assert.equal((await admin.send('GET', path, { token: undefined })).status, 401, path);
});
