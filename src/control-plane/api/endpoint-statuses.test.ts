import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { type AdminFixture, makeAdminFixture } from '../testing/admin-fixture.ts';
import { makePeopleFixture, type PeopleFixture } from '../testing/people-fixture.ts';
import { makeSampleResources, type SampleResource } from '../testing/sample-resources.ts';

/** What the admin key of any group may read, because it is the same for all. */
const FOR_ALL_GROUPS: ReadonlySet<string> = new Set([
  ...['/api/version', '/api/schema/core', '/api/gateway_groups', '/api/labels/gateway_group', '/api/plugins'],
  ...['/apisix/admin/plugins', '/apisix/admin/plugins/list', '/apisix/admin/plugins/:name', '/apisix/admin/schema/plugins/:name'],
  ...['/apisix/admin/variables', '/apisix/admin/plugin_metadata/:name/default'],
]);

const SAMPLES = await makeSampleResources();
let admin: AdminFixture;

before(async (context) => {
  admin = await makeAdminFixture(context as never);
  for (const { list, id, body } of SAMPLES) await admin.send('PUT', `${list}/${id}`, { body });
});

function pathOf(route: string): string {
  return route.replaceAll(/:[a-z]+/g, 'default');
}

test('every operation that is not public refuses a request without a token, and with one of nobody', async () => {
  for (const { method, path } of admin.routes.filter(({ permission }) => permission !== 'public')) {
    for (const token of [undefined, 'a-token-of-nobody-at-all', `a7adm-${'x'.repeat(43)}.default`]) {
      const answer = await admin.send(method, pathOf(path), { token });
      assert.equal(answer.status, 401, `${method} ${path}`);
      assert.match(answer.body.error_msg, /^Unauthorized/);
    }
  }
});

test('every operation refuses the admin key of another group, but for what is the same for all', async () => {
  const { id } = (await admin.send('POST', '/api/gateway_groups', { body: { name: 'edge' } })).body.value;
  const token = (await admin.send('PUT', `/api/gateway_groups/${id}/admin_key`)).body.value.key;
  for (const { method, path } of admin.routes.filter(({ permission }) => permission !== 'public')) {
    const answer = await admin.send(method, `${pathOf(path)}?gateway_group_id=default`, { token, body: {} });
    if (FOR_ALL_GROUPS.has(path) && method === 'GET') assert.notEqual(answer.status, 403, path);
    else assert.equal(answer.status, 403, `${method} ${path} ${answer.text}`);
  }
});

test('every operation of a group wants one that exists', async () => {
  const ofGroup = admin.routes.filter(({ path, groupScoped }) => groupScoped === true && !FOR_ALL_GROUPS.has(path));
  for (const { method, path } of ofGroup.filter((route) => !route.path.startsWith('/api/gateway_groups'))) {
    const missing = await admin.send(method, `${pathOf(path)}?`, { body: {} });
    assert.deepEqual([missing.status, /gateway_group_id is required/.test(missing.body.error_msg)], [400, true], `${method} ${path}`);
    const unknown = await admin.send(method, `${pathOf(path)}?gateway_group_id=none`, { body: {} });
    assert.deepEqual([unknown.status, unknown.body.error_msg], [404, 'gateway group not found'], `${method} ${path}`);
  }
});

interface Case {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly on: 'list' | 'one' | 'none' | 'bad id';
  readonly body?: (sample: SampleResource) => unknown;
  readonly ifMatch?: string;
  readonly status: number;
}

/** What each operation answers for each kind. Whatever is refused leaves the resource as it is. */
const CASES: readonly Case[] = [
  { method: 'GET', on: 'list', status: 200 },
  { method: 'GET', on: 'one', status: 200 },
  { method: 'GET', on: 'none', status: 404 },
  { method: 'GET', on: 'bad id', status: 400 },
  { method: 'POST', on: 'list', body: () => [], status: 400 },
  { method: 'POST', on: 'list', body: () => undefined, status: 400 },
  { method: 'POST', on: 'list', body: ({ id, body }) => ({ ...body, ...('username' in body ? {} : { id }) }), status: 409 },
  { method: 'POST', on: 'list', body: ({ id, body }) => ({ ...body, ...('username' in body ? {} : { id }) }), ifMatch: '*', status: 409 },
  { method: 'PUT', on: 'list', body: () => [], status: 400 },
  { method: 'PUT', on: 'list', body: () => undefined, status: 400 },
  { method: 'PUT', on: 'list', body: ({ id, body }) => ({ ...body, ...('username' in body ? {} : { id }) }), status: 200 },
  { method: 'PUT', on: 'list', body: ({ id, body }) => ({ ...body, ...('username' in body ? {} : { id }) }), ifMatch: '"0"', status: 412 },
  { method: 'PUT', on: 'one', body: ({ body }) => body, status: 200 },
  { method: 'PUT', on: 'one', body: () => [], status: 400 },
  { method: 'PUT', on: 'one', body: () => undefined, status: 400 },
  { method: 'PUT', on: 'one', body: () => '{"a":', status: 400 },
  { method: 'PUT', on: 'bad id', body: ({ body }) => body, status: 400 },
  { method: 'PUT', on: 'one', body: ({ body }) => body, ifMatch: '"0"', status: 412 },
  { method: 'PATCH', on: 'one', body: () => ({ desc: 'x' }), status: 200 },
  { method: 'PATCH', on: 'one', body: () => [], status: 200 },
  { method: 'PATCH', on: 'one', body: () => [7], status: 400 },
  { method: 'PATCH', on: 'one', body: ({ body }) => ('username' in body ? { username: 7 } : { id: 7 }), status: 400 },
  { method: 'PATCH', on: 'one', body: () => [{ op: 'test', path: '/desc', value: 'y' }], status: 409 },
  { method: 'PATCH', on: 'one', body: () => ({ desc: 'y' }), ifMatch: '"0"', status: 412 },
  { method: 'PATCH', on: 'none', body: () => ({}), status: 404 },
  { method: 'PATCH', on: 'bad id', body: () => ({}), status: 400 },
  { method: 'DELETE', on: 'none', status: 404 },
  { method: 'DELETE', on: 'bad id', status: 400 },
  { method: 'DELETE', on: 'one', ifMatch: '"0"', status: 412 },
];

test('each kind answers each operation with the status of its table', async () => {
  for (const sample of SAMPLES) {
    for (const { method, on, body, ifMatch, status } of CASES) {
      if (method === 'POST' && !sample.isCreatable) continue;
      if (method === 'PUT' && on === 'list' && sample.name === 'secret_provider') continue;
      const before = await admin.send('GET', `${sample.list}/${sample.id}`);
      const prefix = sample.id.includes('/') ? `${sample.id.split('/')[0]}/` : '';
      const path = {
        list: sample.list,
        one: `${sample.list}/${sample.id}`,
        none: `${sample.list}/${prefix}none`,
        'bad id': `${sample.list}/${prefix}a%20b`,
      }[on];
      const answer = await admin.send(method, path, {
        ...(body === undefined ? {} : { body: body(sample) }),
        ...(ifMatch === undefined ? {} : { headers: { 'if-match': ifMatch } }),
      });
      assert.equal(answer.status, status, `${method} ${path} ${String(ifMatch)} ${answer.text}`);
      if (status >= 400) {
        assert.equal(typeof answer.body.error_msg, 'string');
        assert.deepEqual((await admin.send('GET', `${sample.list}/${sample.id}`)).body, before.body);
      }
      if (status === 412) assert.equal(answer.headers.etag, before.headers.etag);
    }
  }
});

/** What may be done to each kind by whom: whoever has one of these permissions and no other is refused everything else. */
const PERMISSIONS: Readonly<Record<string, readonly [read: string, create: string, write: string, remove: string]>> = {
  service: ['GetPublishedService', 'CreatePublishedService', 'UpdatePublishedService', 'DeletePublishedService'],
  upstream: ['GetPublishedService', 'UpdatePublishedService', 'UpdatePublishedService', 'UpdatePublishedService'],
  route: ['GetPublishedService', 'UpdatePublishedService', 'UpdatePublishedService', 'UpdatePublishedService'],
  stream_route: ['GetPublishedService', 'UpdatePublishedService', 'UpdatePublishedService', 'UpdatePublishedService'],
  consumer: ['GetConsumer', 'CreateConsumer', 'UpdateConsumer', 'DeleteConsumer'],
  credential: ['GetConsumerCredential', 'CreateConsumerCredential', 'UpdateConsumerCredential', 'DeleteConsumerCredential'],
  ssl: ['GetCertificate', 'CreateCertificate', 'UpdateCertificate', 'DeleteCertificate'],
  certificate: ['GetCertificate', 'CreateCertificate', 'UpdateCertificate', 'DeleteCertificate'],
  ca_certificate: ['GetCertificate', 'CreateCertificate', 'UpdateCertificate', 'DeleteCertificate'],
  sni: ['GetSNI', 'CreateSNI', 'UpdateSNI', 'DeleteSNI'],
  global_rule: ['GetGlobalPluginRule', 'CreateGlobalPluginRule', 'UpdateGlobalPluginRule', 'DeleteGlobalPluginRule'],
  proto: ['GetProto', 'CreateProto', 'UpdateProto', 'DeleteProto'],
  secret_provider: ['GetSecretProvider', 'PutSecretProvider', 'PutSecretProvider', 'DeleteSecretProvider'],
};

async function fill({ admin: send }: PeopleFixture): Promise<void> {
  for (const { list, id, body } of SAMPLES) {
    const answer = await send('PUT', `${list}/${id}`, body);
    assert.equal(answer.status, 200, answer.text);
  }
}

test('each operation on each kind is for whoever has its permission, by name, and for nobody without', async (t) => {
  const people = await makePeopleFixture(t);
  await fill(people);
  const all = { effect: 'allow', actions: ['*'], resources: ['*'] };
  const without = new Map<string, Awaited<ReturnType<PeopleFixture['makePerson']>>>();
  for (const action of new Set(Object.values(PERMISSIONS).flat())) {
    const denied = { effect: 'deny', actions: [`gateway:${action}`], resources: ['*'] };
    const { roleId } = await people.makeRole(`all but ${action}`, [all, denied]);
    without.set(action, await people.makePerson(action, [roleId]));
  }
  for (const { name, list, id, body, isCreatable } of SAMPLES) {
    const [read, create, write, remove] = PERMISSIONS[name] ?? [];
    const one = `${list}/${id}`;
    for (const [method, path, action, sent] of [
      ['GET', list, read, undefined],
      ['GET', one, read, undefined],
      ...(isCreatable ? [['POST', list, create, body] as const] : []),
      ['PUT', one, write, body],
      ...(name === 'secret_provider' ? [] : [['PUT', list, write, { ...body, ...('username' in body ? {} : { id }) }] as const]),
      ['PATCH', one, write, [{ op: 'test', path: '/desc', value: 'guessed' }]],
      ['DELETE', one, remove, undefined],
    ] as const) {
      const before = await people.admin('GET', one);
      const answer = await without.get(action ?? '')?.send(method, path, sent);
      const message = `Forbidden: this needs the permission gateway:${action}`;
      assert.deepEqual([answer?.status, answer?.body.error_msg], [403, message], `${method} ${path}`);
      assert.deepEqual((await people.admin('GET', one)).body, before.body);
    }
  }
});
