import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AdminFixture, makeAdminFixture } from '../testing/admin-fixture.ts';

/** What the client ADC writes, with the extras it adds. */
const SERVICE = {
  service_id: 's1',
  name: 'shop',
  desc: '',
  labels: { 'managed-by': 'adc', list: '["a","b"]' },
  type: 'http',
  path_prefix: '/shop',
  hosts: ['shop.example.com'],
  upstream: {
    name: 'default',
    description: 'not desc',
    scheme: 'http',
    type: 'roundrobin',
    pass_host: 'pass',
    nodes: [{ host: 'httpbin.org', port: 80, weight: 1 }],
    timeout: { connect: 5 },
  },
  plugins: { 'key-auth': { _meta: { disable: false }, header: 'x-key', unknown: 'kept' } },
};
const ROUTE = {
  route_id: 'r1',
  name: 'all',
  service_id: 's1',
  paths: ['/*'],
  methods: ['GET', 'POST'],
  timeout: { connect: 1, send: 2, read: 3 },
};
const CONSUMER = { username: 'jack', desc: 'x'.repeat(65_536), labels: { 'managed-by': 'adc' } };
const CREDENTIAL = { id: 'c1', name: 'first', plugins: { 'key-auth': { key: 'k7Qm2ZxV9tLrB4nWc8HsJd3FgPy6EaUo' } } };

const RESOURCES = [
  ['/apisix/admin/services/s1', SERVICE],
  ['/apisix/admin/routes/r1', ROUTE],
  ['/apisix/admin/consumers/jack', CONSUMER],
  ['/apisix/admin/consumers/jack/credentials/c1', CREDENTIAL],
] as const;

async function withoutTimes(admin: AdminFixture, path: string): Promise<unknown> {
  const { created_at, updated_at, ...value } = (await admin.send('GET', path)).body.value;
  return value;
}

test('what is read can be written back, and then reads the same', async (t) => {
  const admin = await makeAdminFixture(t);
  for (const [path, body] of RESOURCES) assert.equal((await admin.send('PUT', path, { body })).status, 200, path);
  for (const [path] of RESOURCES) {
    const before = await withoutTimes(admin, path);
    const dumped = (await admin.send('GET', path)).body.value;
    const again = await admin.send('PUT', path, { body: dumped });
    assert.equal(again.status, 200, again.text);
    assert.deepEqual(await withoutTimes(admin, path), before);
  }
});

test('nothing is added to what was written but scalar defaults of the objects in it', async (t) => {
  const admin = await makeAdminFixture(t);
  for (const [path, body] of RESOURCES) await admin.send('PUT', path, { body });
  const { service_id, ...service } = SERVICE;
  assert.deepEqual(await withoutTimes(admin, RESOURCES[0][0]), {
    ...service,
    id: 's1',
    strip_path_prefix: true,
    upstream: {
      ...SERVICE.upstream,
      hash_on: 'vars',
      retry_timeout: 0,
      nodes: [{ host: 'httpbin.org', port: 80, weight: 1, priority: 0 }],
      timeout: { connect: 5, send: 60, read: 60 },
    },
  });
  const { route_id, ...route } = ROUTE;
  assert.deepEqual(await withoutTimes(admin, RESOURCES[1][0]), { ...route, id: 'r1', priority: 0 });
  assert.deepEqual(await withoutTimes(admin, RESOURCES[2][0]), CONSUMER);
  assert.deepEqual(await withoutTimes(admin, RESOURCES[3][0]), CREDENTIAL);
});

test('a field that a later write leaves out is gone', async (t) => {
  const admin = await makeAdminFixture(t);
  const [path] = RESOURCES[0];
  await admin.send('PUT', path, { body: SERVICE });
  await admin.send('PUT', path, { body: { name: 'shop', plugins: {} } });
  assert.deepEqual(await withoutTimes(admin, path), { id: 's1', name: 'shop', type: 'http', plugins: {}, strip_path_prefix: true });
});

test('everything that ADC reads before it writes is answered', async (t) => {
  const admin = await makeAdminFixture(t);
  const version = await admin.send('GET', '/api/version');
  assert.deepEqual([version.body, version.headers['portcullis-version']], [{ value: '3.10.5' }, '0.0.0-test']);
  const schemas = (await admin.send('GET', '/api/schema/core')).body.value;
  for (const name of [
    ...['service', 'stream_service', 'route', 'stream_route', 'upstream', 'consumer'],
    ...['consumer_credential', 'ssl', 'global_rule', 'plugin_metadata'],
  ]) {
    assert.equal(schemas[name].type, 'object', name);
  }
  assert.equal(schemas.service.properties.upstream.properties.timeout.properties.connect.default, 60);
  for (const collection of ['services', 'consumers', 'ssls', 'global_rules']) {
    assert.deepEqual((await admin.send('GET', `/apisix/admin/${collection}`)).body, { list: [], total: 0 });
  }
  assert.deepEqual((await admin.send('GET', '/apisix/admin/stream_routes?gateway_group_id=default&service_id=x')).body.list, []);
  assert.deepEqual((await admin.send('GET', '/apisix/admin/plugin_metadata')).body, { value: {} });
  assert.equal((await admin.send('GET', '/apisix/admin/ssls?gateway_group_id=other')).status, 404);
  assert.equal((await admin.send('GET', '/apisix/admin/ssls?gateway_group_id=default', { token: undefined })).status, 401);
});

test('a service has its own upstream alone, under its own id', async (t) => {
  const admin = await makeAdminFixture(t);
  await admin.send('PUT', '/apisix/admin/services/s1', { body: SERVICE });
  await admin.send('PUT', '/apisix/admin/services/s2', { body: { name: 'none' } });
  const { body } = await admin.send('GET', '/apisix/admin/services/s1/upstreams');
  assert.deepEqual([body.total, body.list[0].id, body.list[0].nodes.length], [1, 's1', 1]);
  assert.deepEqual((await admin.send('GET', '/apisix/admin/services/s2/upstreams')).body, { list: [], total: 0 });
  assert.equal((await admin.send('GET', '/apisix/admin/services/s3/upstreams')).status, 404);
});

test('a gateway group is found by its exact name, and its state needs no token', async (t) => {
  const admin = await makeAdminFixture(t);
  await admin.store.transaction({ id: 'system', name: 'system' }, async (transaction) => {
    await transaction.putGroup({ id: 'g2', name: 'default-2', description: 'second' });
  });
  const ids = async (query: string) =>
    (await admin.send('GET', `/api/gateway_groups${query}`)).body.list.map((group: { id: string }) => group.id);
  assert.deepEqual(new Set(await ids('')), new Set(['default', 'g2']));
  assert.deepEqual(await ids('?search=default&name=default'), ['default']);
  assert.deepEqual(await ids('?name=default-2'), ['g2']);
  assert.deepEqual(await ids('?search=DEFAULT-'), ['g2']);
  assert.deepEqual(await ids('?name=nothing'), []);
  assert.equal((await ids('?page_size=1')).length, 1);
  const one = await admin.send('GET', '/api/gateway_groups/default');
  assert.deepEqual([one.body.value.id, one.body.value.name], ['default', 'default']);
  const none = await admin.send('GET', '/api/gateway_groups/nothing');
  assert.deepEqual([none.status, none.body], [404, { error_msg: 'gateway group not found' }]);
  for (const path of ['/api/status', '/healthz']) {
    const answer = await admin.send('GET', path, { token: undefined });
    assert.deepEqual([answer.status, answer.body], [200, { status: 'ok' }]);
    assert.equal((await admin.send('POST', path, { token: undefined })).status, 405);
  }
});

test('a mistake in a field is told as ADC expects it', async (t) => {
  const admin = await makeAdminFixture(t);
  const answer = await admin.send('PUT', '/apisix/admin/services/s1', { body: { ...SERVICE, path_prefix: 12_345 } });
  assert.equal(answer.status, 400);
  assert.ok(answer.body.error_msg.includes('Error at "/path_prefix": value must be a string'));
});

test('validation examines every element, names each faulty one by its place, and stores nothing', async (t) => {
  const admin = await makeAdminFixture(t);
  const validate = (body: unknown) => admin.send('POST', '/apisix/admin/configs/validate', { body });
  const empty = { routes: [], services: [], consumers: [], ssls: [], global_rules: [], stream_routes: [], plugin_metadata: [] };
  assert.equal((await validate(empty)).status, 200);
  const inline = { username: 'jack', plugins: { 'key-auth': { key: 'k' } } };
  assert.equal((await validate({ ...empty, services: [SERVICE], routes: [ROUTE], consumers: [CONSUMER, inline] })).status, 200);
  const bad = await validate({
    routes: [
      { ...ROUTE, paths: [123] },
      ROUTE,
      { ...ROUTE, route_id: 'r3', plugins: { 'key-auth': { header: 1 } } },
      7,
      { name: 'n', service_id: 's1' },
    ],
    services: [{ ...SERVICE, name: undefined }],
    ssls: [{ id: 'x' }],
    stream_routes: [{ stream_route_id: 'x1', service_id: 's1' }],
  });
  assert.equal(bad.status, 400);
  assert.deepEqual(
    bad.body.errors.map((error: Record<string, unknown>) => [error.resource_type, error.resource_id, error.index]),
    [
      ['services', 's1', 0],
      ['routes', 'r1', 0],
      ['routes', 'r3', 2],
      ['routes', '', 3],
      ['routes', 'n', 4],
      ['stream_routes', 'x1', 0],
      ['ssls', 'x', 0],
    ],
  );
  assert.match(bad.body.errors[1].error, /Error at "\/paths\/0": value must be a string/);
  assert.match(bad.body.error_msg, /^services\[0\]: .* \(and 6 more\)$/);
  assert.equal((await validate({ routes: {} })).status, 400);
  assert.equal((await validate([])).status, 400);
  assert.equal((await admin.store.getGroup('default'))?.revision, 0);
});

test('of very many faulty elements all are counted, and as many are told as an answer may hold', async (t) => {
  const admin = await makeAdminFixture(t);
  const path = '/apisix/admin/configs/validate';
  const name = 'n'.repeat(65_536);
  const routes = [{ name, paths: 7 }, ...Array.from({ length: 40_000 }, () => ({}))];
  const { status, body, text } = await admin.send('POST', path, { body: { routes } });
  assert.deepEqual([status, body.error_count], [400, 40_001]);
  assert.ok(text.length < 4_000_000 && body.errors.length > 10_000);
  assert.equal(body.errors[0].resource_id.length, 256);
  assert.match(body.error_msg, /^routes\[0\]: .*\(and 40000 more\)$/);
});
