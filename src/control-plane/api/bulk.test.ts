import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type TestContext, test } from 'node:test';
import { type AdminFixture, makeAdminFixture } from '../testing/admin-fixture.ts';
import { makeSampleResources } from '../testing/sample-resources.ts';

const BULK = '/api/gateway_groups/default/bulk';

interface Operation {
  readonly kind: string;
  readonly parent?: string;
  readonly id: string;
  readonly method?: string;
  readonly body?: unknown;
  readonly if_match?: string | number;
  readonly if_none_match?: string;
}

const SERVICE = { name: 's', upstream: { nodes: [{ host: '127.0.0.1', port: 80, weight: 1 }] } };
const consumer = (username: string): Operation => ({ kind: 'consumer', id: username, body: { username } });
const service = (id: string): Operation => ({ kind: 'service', id, body: { ...SERVICE, name: id } });
const route = (id: string, serviceId: string): Operation => ({
  kind: 'route',
  id,
  body: { name: id, service_id: serviceId, paths: [`/${id}`] },
});
const credential = (parent: string, id: string, key: string): Operation => ({
  kind: 'credential',
  parent,
  id,
  body: { plugins: { 'key-auth': { key } } },
});
const remove = (kind: string, id: string, parent?: string): Operation => ({
  kind,
  id,
  method: 'delete',
  ...(parent === undefined ? {} : { parent }),
});
/** Not easy to guess, which would be told. */
const longKey = (text: string) => `${text}-${hash('sha256', text)}`;

async function start(t: TestContext) {
  const admin = await makeAdminFixture(t);
  const bulk = (operations: readonly unknown[], query = '', headers: Record<string, string> = {}) =>
    admin.send('POST', `${BULK}${query}`, { body: operations, headers });
  return { admin, bulk };
}

async function revisionOf(admin: AdminFixture): Promise<number> {
  return (await admin.store.getGroup('default'))?.revision ?? -1;
}

async function statusOf(admin: AdminFixture, path: string): Promise<number> {
  return (await admin.send('GET', `/apisix/admin/${path}`)).status;
}

test('a bulk stores all of its operations as one revision, whatever their order, and tells the gateways once', async (t) => {
  const { admin, bulk } = await start(t);
  const answer = await bulk([route('r', 's'), credential('jack', 'c', longKey('a')), service('s'), consumer('jack')]);
  assert.deepEqual([answer.status, answer.body], [200, { value: { revision: 1, created: 4, updated: 0, deleted: 0 } }], answer.text);
  assert.equal(answer.headers['portcullis-revision'], '1');
  assert.equal(answer.headers['portcullis-applied'], '1/1');
  assert.deepEqual(admin.announcer.announced, [{ groupId: 'default', revision: 1 }]);
  for (const path of ['routes/r', 'services/s', 'consumers/jack', 'consumers/jack/credentials/c']) {
    assert.equal((await admin.send('GET', `/apisix/admin/${path}`)).headers.etag, '"1"', path);
  }
  const second = await bulk([service('s'), remove('route', 'r'), { kind: 'consumer', id: 'jack', method: 'patch', body: { desc: 'x' } }]);
  assert.deepEqual(second.body.value, { revision: 2, created: 0, updated: 2, deleted: 1 });
  assert.equal((await admin.send('GET', '/apisix/admin/consumers/jack')).body.value.desc, 'x');
});

test('every kind of resource is written by a bulk as by a PUT', async (t) => {
  const { admin, bulk } = await start(t);
  const samples = (await makeSampleResources()).map(({ list, id, body }) => {
    const [collection = '', parent, child] = list.replace('/apisix/admin/', '').split('/');
    return { path: `${list}/${id}`, id, body, parent, collection: child ?? collection };
  });
  const kinds = new Map([
    ['plugin_metadata', 'plugin_metadata'],
    ['services', 'service'],
  ]);
  const operations = samples.map(({ collection, id, body, parent }) => ({
    kind: kinds.get(collection) ?? collection.replace(/s$/, ''),
    id,
    body,
    ...(parent === undefined ? {} : { parent }),
  }));
  const answer = await bulk(operations);
  assert.equal(answer.status, 200, answer.text);
  const stored = await Promise.all(samples.map(({ path }) => admin.send('GET', path)));
  for (const { path, body } of samples) assert.equal((await admin.send('PUT', path, { body })).status, 200, path);
  const again = await Promise.all(samples.map(({ path }) => admin.send('GET', path)));
  assert.deepEqual(
    stored.map(({ body }) => body),
    again.map(({ body }) => body),
  );
});

test('when one operation is refused nothing is stored, and the faults of all are told with their places', async (t) => {
  const { admin, bulk } = await start(t);
  const answer = await bulk([
    consumer('jack'),
    { kind: 'service', id: 's', body: { name: 7 } },
    { kind: 'nonsense', id: 'x', body: {} },
    { ...consumer('jill'), 'if-match': '*' },
    { kind: 'route', id: 'a b', body: {}, parent: 'x' },
    { kind: 'credential', id: 'c', body: {} },
    'text',
    remove('consumer', 'nobody'),
    { kind: 'consumer', id: 'joe', method: 'post', body: {} },
    { kind: 'consumer', id: 'joe', method: 'delete', body: {} },
    { kind: 'consumer', id: 'joe' },
    { kind: 'upstream', parent: 's', id: 's', body: {} },
    credential('nobody-else', 'c', longKey('n')),
    { kind: 'consumer', id: '__proto__', body: {} },
    { kind: 'consumer', id: 'kim', method: 'patch', body: [7] },
    { kind: 'consumer', id: 'lee', body: { username: 'lee' }, if_match: {} },
  ]);
  assert.equal(answer.status, 400);
  const errors: readonly { index: number; status: number; error_msg: string; pointers: readonly string[] }[] = answer.body.errors;
  assert.equal(answer.body.error_count, 15);
  assert.deepEqual(
    errors.map(({ index, status, pointers }) => [index, status, pointers[0]]),
    [
      [1, 400, '/1/body/name'],
      [2, 400, '/2/kind'],
      [3, 400, '/3'],
      [4, 400, '/4/parent'],
      [5, 400, '/5/parent'],
      [6, 400, '/6'],
      [7, 404, '/7'],
      [8, 400, '/8/method'],
      [9, 400, '/9/body'],
      [10, 400, '/10/body'],
      [11, 400, '/11/id'],
      [12, 404, '/12'],
      [13, 400, '/13/id'],
      [14, 404, '/14'],
      [15, 400, '/15/if_match'],
    ],
  );
  assert.match(answer.body.error_msg, /^operation 1: Error at "\/1\/body\/name": .* \(and 14 more operations\)$/);
  assert.equal(await revisionOf(admin), 0);
  assert.equal(await statusOf(admin, 'consumers/jack'), 404);
  assert.deepEqual(admin.announcer.announced, []);
});

test('a key that stands twice in a bulk, or that another resource holds, is found', async (t) => {
  const { admin, bulk } = await start(t);
  await bulk([consumer('jack'), credential('jack', 'c1', longKey('a'))]);
  const answer = await bulk([
    credential('jack', 'c2', longKey('a')),
    credential('jack', 'c3', longKey('b')),
    credential('jack', 'c4', longKey('b')),
    credential('jack', 'c3', longKey('c')),
  ]);
  assert.equal(answer.status, 400);
  assert.deepEqual(
    answer.body.errors.map(({ index, error_msg }: { index: number; error_msg: string }) => [index, error_msg]),
    [
      [0, 'Error at "/0": duplicate key of plugin key-auth found with credential: c1 of consumer: jack'],
      [2, 'Error at "/2": duplicate key of plugin key-auth found with credential: c3 of consumer: jack'],
      [3, 'Error at "/3": operation 1 is about the same resource'],
    ],
  );
  assert.equal((await admin.send('GET', '/apisix/admin/consumers/jack/credentials')).body.total, 1);
});

test('two credentials exchange their keys, a key goes on to a new one, and all routes of a shared counter change it, each in one bulk', async (t) => {
  const { admin, bulk } = await start(t);
  await bulk([consumer('jack'), credential('jack', 'c1', longKey('a')), credential('jack', 'c2', longKey('b'))]);
  const swapped = await bulk([
    credential('jack', 'c1', longKey('b')),
    credential('jack', 'c2', longKey('c')),
    credential('jack', 'c3', longKey('a')),
  ]);
  assert.equal(swapped.status, 200, swapped.text);
  const exchanged = await bulk([credential('jack', 'c1', longKey('c')), credential('jack', 'c2', longKey('b'))]);
  assert.equal(exchanged.status, 200, exchanged.text);
  const keyOf = async (id: string) =>
    (await admin.send('GET', `/apisix/admin/consumers/jack/credentials/${id}`)).body.value.plugins['key-auth'].key;
  assert.deepEqual([await keyOf('c1'), await keyOf('c2'), await keyOf('c3')], [longKey('c'), longKey('b'), longKey('a')]);
  const inherited = await bulk([credential('jack', 'c4', longKey('a')), remove('credential', 'c3', 'jack')]);
  assert.equal(inherited.status, 200, inherited.text);
  const limited = (id: string, count: number) => ({
    kind: 'route',
    id,
    body: {
      name: id,
      service_id: 's',
      paths: [`/${id}`],
      plugins: { 'limit-count': { count, time_window: 60, group: 'g', key: 'remote_addr' } },
    },
  });
  assert.equal((await bulk([service('s'), limited('r1', 1), limited('r2', 1)])).status, 200);
  const alone = await bulk([limited('r1', 2)]);
  assert.deepEqual([alone.status, alone.body.errors[0].pointers[0].startsWith('/0/body/plugins/limit-count')], [400, true], alone.text);
  assert.equal((await bulk([limited('r1', 2), limited('r2', 2)])).status, 200);
});

test('what moves away from a service in the bulk that deletes it stays, and what it would take along is refused', async (t) => {
  const { admin, bulk } = await start(t);
  await bulk([service('old'), service('new'), route('moves', 'old'), route('goes', 'old')]);
  const answer = await bulk([remove('service', 'old'), route('moves', 'new')]);
  assert.equal(answer.status, 200, answer.text);
  assert.deepEqual([await statusOf(admin, 'routes/moves'), await statusOf(admin, 'routes/goes')], [200, 404]);
  const contradiction = await bulk([route('late', 'new'), remove('service', 'new')]);
  assert.deepEqual(
    [contradiction.status, contradiction.body.errors[0].error_msg],
    [409, 'Error at "/0": the service new is deleted by operation 1'],
  );
  await bulk([consumer('jack')]);
  assert.equal((await bulk([credential('jack', 'c', longKey('a')), remove('consumer', 'jack')])).status, 409);
  assert.equal((await bulk([remove('consumer', 'jack'), remove('service', 'new'), remove('route', 'moves')])).status, 200);
});

test('conditions hold for each operation and for the bulk as a whole, and refuse all of it with 412', async (t) => {
  const { admin, bulk } = await start(t);
  await bulk([consumer('jack'), consumer('jill')]);
  const stale = await bulk([
    { ...consumer('jack'), if_match: '"1"' },
    { ...consumer('jill'), if_match: 7 },
  ]);
  assert.deepEqual([stale.status, stale.body.error_count, stale.body.errors[0].index], [412, 1, 1]);
  assert.equal((await bulk([{ ...consumer('jack'), if_none_match: '*' }])).status, 412);
  assert.equal(await revisionOf(admin), 1);
  assert.equal(
    (
      await bulk([
        { ...consumer('jack'), if_match: 1 },
        { ...consumer('joe'), if_none_match: '*' },
      ])
    ).status,
    200,
  );
  const behind = await bulk([consumer('kim')], '', { 'if-match': '"1"' });
  assert.deepEqual([behind.status, behind.headers.etag], [412, '"2"']);
  assert.equal((await bulk([consumer('kim')], '', { 'if-match': '"2"' })).status, 200);
});

test('a dry run answers as the bulk would and stores nothing', async (t) => {
  const { admin, bulk } = await start(t);
  await bulk([consumer('jack')]);
  const announced = admin.announcer.announced.length;
  const good = await bulk([consumer('jack'), consumer('jill'), route('r', 'none')], '?dry_run=true');
  assert.deepEqual([good.status, good.body.value], [200, { revision: 1, created: 2, updated: 1, deleted: 0, dry_run: true }]);
  assert.match(good.body.warning_msg, /^operation 2: the service none does not exist yet/);
  const bad = await bulk([consumer('jill'), { kind: 'service', id: 's', body: {} }], '?dry_run=true');
  assert.equal(bad.status, 400);
  assert.equal((await bulk([], '?dry_run=maybe')).status, 400);
  assert.equal(await revisionOf(admin), 1);
  assert.equal(admin.announcer.announced.length, announced);
});

test('each operation has its audit entry and its version, as a single write has', async (t) => {
  const { admin, bulk } = await start(t);
  const before = (await admin.history.pageOfAudit(undefined, 1_000)).length;
  await bulk([consumer('jack'), service('s')]);
  await bulk([remove('service', 's'), consumer('jack')]);
  const entries = (await admin.history.pageOfAudit(undefined, 1_000)).slice(0, -before || undefined).toReversed();
  assert.deepEqual(
    entries.map(({ action, resource, detail }) => [action, resource, detail.revision]),
    [
      ['service.put', 'service/s', 1],
      ['consumer.put', 'consumer/jack', 1],
      ['consumer.put', 'consumer/jack', 2],
      ['service.delete', 'service/s', 2],
    ],
  );
  const versions = await admin.history.listVersions({ groupId: 'default', kind: 'consumer', parentId: '', id: 'jack' }, 10);
  assert.deepEqual(
    versions.map(({ revision, op, author }) => [revision, op, author.name]),
    [
      [2, 'put', 'bootstrap'],
      [1, 'put', 'bootstrap'],
    ],
  );
});

test('lines of JSON are a bulk too, and a fault of one is told with its line', async (t) => {
  const { admin } = await start(t);
  const send = (text: string) => admin.send('POST', BULK, { body: text });
  const lines = [JSON.stringify(consumer('jack')), '', `${JSON.stringify(consumer('jill'))}\r`, ''].join('\n');
  assert.deepEqual((await send(lines)).body.value, { revision: 1, created: 2, updated: 0, deleted: 0 });
  const broken = await send(`${JSON.stringify(consumer('a'))}\n\n{"kind":}\n`);
  assert.deepEqual([broken.status, /^invalid request body: line 3 of the bulk: .*position 8/.test(broken.body.error_msg)], [400, true]);
  const wrong = await send(`${JSON.stringify(consumer('a'))}\n{"kind":"service","id":"s","body":{}}`);
  assert.match(wrong.body.error_msg, /^operation 1: Error at "\/1\/body\/name"/);
  for (const text of ['', ' \n ', '[', '[{}', '[{},]', '[] []', '[1]x', '{"a":1,"a":2}', '"text"']) {
    const answer = await send(text);
    assert.equal(answer.status, 400, `${text} ${answer.text}`);
  }
  assert.deepEqual((await send('[]')).body.value, { revision: 1, created: 0, updated: 0, deleted: 0 });
});

test('operations, bytes and depth of a bulk are bounded', async (t) => {
  const { admin, bulk } = await start(t);
  const many = await bulk(Array.from({ length: 10_001 }, (_, number) => consumer(`c${number}`)));
  assert.deepEqual([many.status, many.body.error_msg], [413, 'a bulk has at most 10000 operations']);
  const large = await admin.send('POST', BULK, { body: `[${' '.repeat(8_388_608)}]` });
  assert.deepEqual([large.status, large.body.error_msg], [413, 'request body too large: the limit is 8388608 bytes']);
  const deep = await admin.send('POST', BULK, { body: `[{"kind":"consumer","id":"x","body":${'['.repeat(99)}${']'.repeat(99)}}]` });
  assert.deepEqual([deep.status, /nesting is deeper/.test(deep.body.error_msg)], [400, true], deep.text);
  const whole = { kind: 'consumer', id: 'big', body: { username: 'big', more: 'x'.repeat(1_600_000) } };
  const one = await bulk([consumer('a'), whole]);
  assert.deepEqual([one.status, one.body.errors[0].index], [413, 1]);
  const faults = await bulk(Array.from({ length: 10_000 }, () => ({ kind: 'x'.repeat(700) })));
  assert.deepEqual([faults.status, faults.body.error_count], [400, 10_000]);
  assert.ok(faults.text.length < 3_000_000);
  assert.equal(await revisionOf(admin), 0);
});

test('a bulk wants a token, a group that exists, and of a group no other admin key than its own', async (t) => {
  const { admin } = await start(t);
  const body = [consumer('jack')];
  assert.equal((await admin.send('POST', BULK, { body, token: undefined })).status, 401);
  const unknown = await admin.send('POST', '/api/gateway_groups/none/bulk', { body });
  assert.deepEqual([unknown.status, unknown.body.error_msg], [404, 'gateway group not found']);
  const { id } = (await admin.send('POST', '/api/gateway_groups', { body: { name: 'edge' } })).body.value;
  const token = (await admin.send('PUT', `/api/gateway_groups/${id}/admin_key`)).body.value.key;
  assert.equal((await admin.send('POST', BULK, { body, token })).status, 403);
  assert.equal((await admin.send('POST', `/api/gateway_groups/${id}/bulk`, { body, token })).status, 200);
  assert.equal((await admin.send('GET', BULK)).status, 405);
});

test('no secret of a bulk is in what is answered or logged', async (t) => {
  const { admin, bulk } = await start(t);
  const secret = longKey('secret');
  const answers = [
    await bulk([consumer('jack'), credential('jack', 'c', secret)]),
    await bulk([credential('jack', 'd', secret), { ...credential('jack', 'e', secret), method: secret }, { [secret]: 1 }]),
    await admin.send('POST', BULK, { body: `[{"kind":"${secret}` }),
  ];
  for (const { text } of answers) assert.ok(!text.includes(secret), text);
  assert.ok(!JSON.stringify(admin.log.lines).includes(secret));
});

test('the example of the documentation does what it says', async (t) => {
  const { admin } = await start(t);
  const page = await readFile(new URL('../../../docs/bulk-writes.md', import.meta.url), 'utf8');
  const lines = /<<'END'\n(.*?)END\n/s.exec(page)?.[1];
  const answer = await admin.send('POST', BULK, { body: lines });
  assert.deepEqual([answer.status, answer.body], [200, { value: { revision: 1, created: 4, updated: 0, deleted: 0 } }], answer.text);
  for (const { method, path } of admin.routes) {
    if (method === 'POST' && path.endsWith('/bulk')) assert.ok(page.includes(path.replace(':id', '{id}')));
  }
});
