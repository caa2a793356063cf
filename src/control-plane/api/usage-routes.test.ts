import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UsageRow } from '../../store/index.ts';
import { makePeopleFixture } from '../testing/people-fixture.ts';

const SERVICE = { name: 's', upstream: { nodes: [{ host: '10.0.0.1', port: 80, weight: 1 }] } };
const NOW = 1_800_000_000;
const HOUR = NOW - (NOW % 3600);
const IN_GROUP = '?gateway_group_id=default';

async function makeUsed(test: Parameters<typeof makePeopleFixture>[0]) {
  const people = await makePeopleFixture(test);
  const { admin } = people;
  await admin('PUT', `/apisix/admin/services/s${IN_GROUP}`, SERVICE);
  await admin('PUT', `/apisix/admin/routes/r${IN_GROUP}`, { name: 'r', service_id: 's', paths: ['/r'] });
  for (const [name, ids] of [
    ['jack', ['c1', 'c2']],
    ['ann', ['c1']],
  ] as const) {
    await admin('PUT', `/apisix/admin/consumers/${name}${IN_GROUP}`, { username: name });
    for (const id of ids) {
      const body = { name: id, plugins: { 'key-auth': { key: `a-long-key-of-${name}-${id}` } } };
      const { status } = await admin('PUT', `/apisix/admin/consumers/${name}/credentials/${id}${IN_GROUP}`, body);
      assert.equal(status, 200);
    }
  }
  const row: UsageRow = {
    ...{ groupId: 'default', consumer: 'jack', credential: 'c1', route: 'r', status: 200 },
    ...{ at: NOW, requests: 3, lastUsedAt: NOW, instanceId: 'gw-1' },
  };
  const rows = [
    row,
    { ...row, at: NOW - 7200, requests: 2 },
    { ...row, status: 429, requests: 1 },
    { ...row, consumer: 'ann', requests: 10, lastUsedAt: NOW - 50 },
    { ...row, consumer: '', credential: '', status: 401, requests: 100 },
  ];
  await people.usage.record(rows);
  return people;
}

test('the usage of a credential, consumer, route, service and group is told by hour or day, apart as asked', async (t) => {
  const { admin } = await makeUsed(t);
  const value = async (path: string) => (await admin('GET', path)).body.value;
  assert.deepEqual(await value(`/apisix/admin/consumers/jack/credentials/c1/usage${IN_GROUP}`), {
    ...{ by: 'hour', from: HOUR - 86_400, until: NOW + 1, requests: 6, last_used_at: NOW, last_used_instance: 'gw-1' },
    list: [
      { starts_at: HOUR - 7200, requests: 2 },
      { starts_at: HOUR, requests: 4 },
    ],
    truncated: false,
  });
  const day = await value(`/apisix/admin/consumers/jack/usage${IN_GROUP}&by=day&split=status,credential`);
  assert.deepEqual(
    day.list.map(({ credential, status, requests }: Record<string, unknown>) => [credential, status, requests]),
    [
      ['c1', 200, 5],
      ['c1', 429, 1],
    ],
  );
  assert.equal((await value(`/apisix/admin/routes/r/usage${IN_GROUP}`)).requests, 116);
  assert.equal((await value(`/apisix/admin/services/s/usage${IN_GROUP}&from=${HOUR}`)).requests, 114);
  assert.equal((await value(`/apisix/admin/services/s/usage${IN_GROUP}&until=${HOUR}`)).requests, 2);
  const names = await value(`/apisix/admin/routes/r/usage${IN_GROUP}&split=consumer&from=${HOUR}`);
  assert.deepEqual(names.list, [
    { starts_at: HOUR, consumer: '', requests: 100 },
    { starts_at: HOUR, consumer: 'ann', requests: 10 },
    { starts_at: HOUR, consumer: 'jack', requests: 4 },
  ]);
  assert.equal((await value('/api/gateway_groups/default/usage?split=service')).requests, 116);
  assert.deepEqual((await value(`/apisix/admin/consumers/jack/credentials/c2/usage${IN_GROUP}`)).list, []);
});

test('resources themselves say nothing of their use', async (t) => {
  const { admin } = await makeUsed(t);
  for (const path of ['consumers/jack', 'consumers/jack/credentials/c1', 'routes/r', 'services/s']) {
    const { text } = await admin('GET', `/apisix/admin/${path}${IN_GROUP}`);
    assert.doesNotMatch(text, /last_used|requests/);
  }
});

test('what was deleted is told of; what never was is not found', async (t) => {
  const { admin } = await makeUsed(t);
  await admin('DELETE', `/apisix/admin/consumers/jack/credentials/c1${IN_GROUP}`);
  const { status, body } = await admin('GET', `/apisix/admin/consumers/jack/credentials/c1/usage${IN_GROUP}`);
  assert.deepEqual([status, body.value.requests], [200, 6]);
  for (const path of ['consumers/eve', 'consumers/jack/credentials/c9', 'routes/r9', 'services/s9']) {
    assert.equal((await admin('GET', `/apisix/admin/${path}/usage${IN_GROUP}`)).status, 404, path);
  }
  assert.equal((await admin('GET', '/api/gateway_groups/none/usage')).status, 404);
});

test('a query that cannot be is refused by name', async (t) => {
  const { admin } = await makeUsed(t);
  for (const [query, message] of [
    ['by=week', /by must be hour or day/],
    ['split=key', /split may name consumer/],
    ['from=-1', /from must be a whole number/],
    ['until=x', /until must be a whole number/],
  ] as const) {
    const { status, body } = await admin('GET', `/apisix/admin/routes/r/usage${IN_GROUP}&${query}`);
    assert.equal(status, 400);
    assert.match(body.error_msg, message);
  }
  assert.equal((await admin('GET', '/api/gateway_groups/default/unused_credentials')).status, 400);
  assert.equal((await admin('GET', '/api/gateway_groups/default/unused_credentials?unused_since=1&after=x')).status, 400);
});

test('keys that nobody has used since some time are found', async (t) => {
  const { admin, clock } = await makeUsed(t);
  clock.advance(100_000);
  const unused = async (since: number) => (await admin('GET', `/api/gateway_groups/default/unused_credentials?unused_since=${since}`)).body;
  assert.deepEqual(await unused(NOW + 1), {
    list: [
      { username: 'ann', credential_id: 'c1', created_at: NOW },
      { username: 'jack', credential_id: 'c1', created_at: NOW, last_used_at: NOW },
      { username: 'jack', credential_id: 'c2', created_at: NOW },
    ],
  });
  assert.deepEqual(await unused(NOW), { list: [] });
  const path = `/api/gateway_groups/default/unused_credentials?unused_since=${NOW + 1}&after=jack/c1`;
  assert.deepEqual((await admin('GET', path)).body.list.length, 1);
});

test('nobody is told of what he may not see, not even by its name', async (t) => {
  const people = await makeUsed(t);
  const policy = (actions: readonly string[], resource: string) => ({
    ...{ effect: 'allow', actions },
    resources: [`arn:api7:gateway:gatewaygroup/default/${resource}`],
  });
  const statements = [
    policy(['gateway:GetPublishedService'], 'publishedservice/s'),
    policy(['gateway:GetConsumer', 'gateway:GetConsumerCredential'], 'consumer/jack'),
  ];
  const { roleId } = await people.makeRole('narrow', statements);
  const { send } = await people.makePerson('narrow', [roleId]);
  const status = async (path: string): Promise<number> => (await send('GET', path)).status;
  assert.equal(await status(`/apisix/admin/routes/r/usage${IN_GROUP}`), 200);
  assert.equal(await status(`/apisix/admin/routes/r/usage${IN_GROUP}&split=status`), 200);
  for (const split of ['consumer', 'credential', 'service']) {
    assert.equal(await status(`/apisix/admin/routes/r/usage${IN_GROUP}&split=${split}`), 403, split);
  }
  assert.equal(await status(`/apisix/admin/consumers/jack/usage${IN_GROUP}&split=credential`), 200);
  assert.equal(await status(`/apisix/admin/consumers/jack/usage${IN_GROUP}&split=route`), 403);
  assert.equal(await status(`/apisix/admin/consumers/ann/usage${IN_GROUP}`), 403);
  assert.equal(await status(`/apisix/admin/consumers/ann/credentials/c1/usage${IN_GROUP}`), 403);
  assert.equal(await status('/api/gateway_groups/default/usage'), 403);
  people.clock.advance(100_000);
  const { body } = await send('GET', `/api/gateway_groups/default/unused_credentials?unused_since=${NOW + 1}`);
  assert.deepEqual(new Set(body.list.map(({ username }: { readonly username: string }) => username)), new Set(['jack']));
  // Not even that it was there, once it is gone.
  await people.admin('DELETE', `/apisix/admin/consumers/jack/credentials/c1${IN_GROUP}`);
  assert.equal(await status(`/apisix/admin/consumers/jack/credentials/c1/usage${IN_GROUP}`), 404);
});
