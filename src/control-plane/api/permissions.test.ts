import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makePeopleFixture, type PeopleFixture } from '../testing/people-fixture.ts';

const GROUP = 'arn:api7:gateway:gatewaygroup/default';
const QUERY = '?gateway_group_id=default';
const SERVICE = { upstream: { nodes: [{ host: '127.0.0.1', port: 80, weight: 1 }] } };
const allow = (actions: string, resources: string, conditions?: unknown) => ({
  effect: 'allow',
  actions: actions.split(' '),
  resources: resources.split(' '),
  ...(conditions === undefined ? {} : { conditions }),
});

async function fill({ admin }: PeopleFixture): Promise<void> {
  for (const [path, body] of [
    ['services/a', { name: 'a', labels: { team: 'red' }, ...SERVICE }],
    ['services/b', { name: 'b', labels: { team: 'blue' }, ...SERVICE }],
    ['routes/ra', { name: 'ra', paths: ['/a'], service_id: 'a' }],
    ['routes/rb', { name: 'rb', paths: ['/b'], service_id: 'b' }],
    ['consumers/jack', { username: 'jack', labels: { team: 'red' } }],
    ['consumers/jack/credentials/c', { plugins: { 'key-auth': { key: 'the-key-of-jack-0123456789' } } }],
    ['consumers/jill', { username: 'jill' }],
    ['consumers/jill/credentials/c', { plugins: { 'key-auth': { key: 'the-key-of-jill-0123456789' } } }],
  ] as const) {
    const answer = await admin('PUT', `/apisix/admin/${path}`, body);
    assert.equal(answer.status, 200, answer.text);
  }
}

async function personWith(t: Parameters<typeof makePeopleFixture>[0], ...statement: readonly unknown[]) {
  const fixture = await makePeopleFixture(t);
  await fill(fixture);
  const { roleId } = await fixture.makeRole('role', statement);
  return { ...fixture, ...(await fixture.makePerson('jane', [roleId])) };
}

const idsOf = (answer: { readonly body: { readonly list: readonly { readonly id?: string; readonly username?: string }[] } }) =>
  answer.body.list.map(({ id, username }) => id ?? username).sort();

test('a viewer reads everything but secrets, and changes nothing', async (t) => {
  const fixture = await makePeopleFixture(t);
  await fill(fixture);
  const { send } = await fixture.makePerson('viewer', ['viewer_id']);
  for (const path of [
    'services',
    'services/a',
    'routes',
    'routes/ra',
    'services/a/upstreams',
    'consumers',
    'consumers/jack',
    'global_rules',
    'plugin_metadata',
    'secret_providers',
    'ssls',
    'stream_routes',
  ]) {
    assert.equal((await send('GET', `/apisix/admin/${path}`)).status, 200, path);
  }
  const credential = await send('GET', '/apisix/admin/consumers/jack/credentials/c');
  assert.deepEqual(credential.body.value.plugins, { 'key-auth': {} });
  assert.ok(!(await send('GET', '/apisix/admin/consumers/jack/credentials')).text.includes('the-key'));
  assert.match((await fixture.admin('GET', '/apisix/admin/consumers/jack/credentials')).text, /the-key-of-jack/);
  for (const [method, path, body] of [
    ['PUT', 'services/c', { name: 'c', ...SERVICE }],
    ['PUT', 'services/a', { name: 'a', ...SERVICE }],
    ['DELETE', 'services/a', undefined],
    ['DELETE', 'routes/none', undefined],
    ['PUT', 'consumers/x', { username: 'x' }],
    ['DELETE', 'consumers/jack', undefined],
    ['PUT', 'consumers/jack/credentials/c', { plugins: { 'key-auth': { key: 'the-key-of-jill-0123456789' } } }],
    ['PUT', 'global_rules/prometheus', { plugins: { prometheus: {} } }],
    ['PUT', 'plugin_metadata/http-logger', {}],
    ['PUT', 'secret_providers/vault/1', {}],
  ] as const) {
    const answer = await send(method, `/apisix/admin/${path}`, body);
    assert.deepEqual([answer.status, /needs the permission gateway:/.test(answer.body.error_msg)], [403, true], `${method} ${path}`);
  }
});

test('whoever may use one service sees and changes that one and its routes, and nothing else', async (t) => {
  const { send } = await personWith(t, allow('gateway:*PublishedService', `${GROUP}/publishedservice/a`));
  assert.deepEqual(idsOf(await send('GET', '/apisix/admin/services')), ['a']);
  assert.deepEqual(idsOf(await send('GET', '/apisix/admin/routes')), ['ra']);
  assert.deepEqual(idsOf(await send('GET', `/apisix/admin/routes${QUERY}&service_id=b`)), []);
  const route = (id: string, service: string) =>
    send('PUT', `/apisix/admin/routes/${id}`, { name: id, paths: ['/x'], service_id: service });
  assert.equal((await send('GET', '/apisix/admin/services/a')).status, 200);
  assert.equal((await send('GET', '/apisix/admin/services/b')).status, 403);
  assert.equal((await send('GET', '/apisix/admin/services/b/upstreams')).status, 403);
  assert.equal((await send('GET', '/apisix/admin/routes/rb')).status, 403);
  assert.equal((await route('new', 'a')).status, 200);
  assert.equal((await route('new', 'b')).status, 403, 'into another service');
  assert.equal((await route('rb', 'a')).status, 403, 'out of another service');
  assert.equal((await send('DELETE', '/apisix/admin/routes/rb')).status, 403);
  assert.equal((await send('DELETE', '/apisix/admin/routes/ra')).status, 200);
  assert.equal((await send('PUT', '/apisix/admin/services/new', { name: 'n', ...SERVICE })).status, 403);
  assert.equal((await send('DELETE', '/apisix/admin/services/a')).status, 200);
  assert.equal((await send('GET', '/apisix/admin/consumers')).status, 403);
  assert.equal((await send('GET', `/apisix/admin/services?gateway_group_id=other`)).status, 404);
});

test('a deny of the group takes away all that lies in it, from lists and history too', async (t) => {
  const { send } = await personWith(t, allow('*', '*'), { ...allow('gateway:*PublishedService*', GROUP), effect: 'deny' });
  for (const path of ['services/a', 'routes/ra', 'services/a/upstreams', 'services/a/versions', 'routes/ra/versions']) {
    assert.equal((await send('GET', `/apisix/admin/${path}`)).status, 403, path);
  }
  assert.deepEqual(idsOf(await send('GET', '/apisix/admin/services')), []);
  assert.deepEqual(idsOf(await send('GET', '/apisix/admin/routes')), []);
  assert.deepEqual(idsOf(await send('GET', '/apisix/admin/consumers')), ['jack', 'jill']);
});

test('who is denied one consumer makes nobody who may look at it', async (t) => {
  const denied = { ...allow('gateway:*', `${GROUP}/consumer/jack`), effect: 'deny' };
  const { send } = await personWith(t, allow('gateway:* iam:*', `${GROUP} arn:api7:iam:*`), denied);
  assert.equal((await send('GET', '/apisix/admin/consumers/jack/credentials/c')).status, 403);
  assert.equal((await send('GET', '/apisix/admin/consumers/jill/credentials/c')).status, 200);
  const invite = async (name: string, ...statement: readonly unknown[]) => {
    const policy = await send('POST', '/api/permission_policies', { name, policy_document: { statement } });
    const role = await send('POST', '/api/roles', { name, policies: [policy.body.value.id] });
    return (await send('POST', '/api/invites', { username: name, roles: [role.body.value.id] })).status;
  };
  assert.equal(await invite('puppet', allow('gateway:*', GROUP)), 403);
  assert.equal(await invite('accomplice', allow('gateway:GetConsumerCredential', 'arn:*:gatewaygroup/d*t')), 403);
  assert.equal(await invite('lesser', allow('gateway:*', GROUP), denied), 200);
});

test('conditions look at the labels of the service: those that it has, and those that it would get', async (t) => {
  const red = { service_label: { type: 'MatchLabel', options: { key: 'team', operator: 'exact_match', value: 'red' } } };
  const { send } = await personWith(t, allow('gateway:*', `${GROUP}/publishedservice/*`, red));
  assert.deepEqual(idsOf(await send('GET', '/apisix/admin/services')), ['a']);
  assert.deepEqual(idsOf(await send('GET', '/apisix/admin/routes')), ['ra']);
  const put = (id: string, labels: unknown) => send('PUT', `/apisix/admin/services/${id}`, { name: id, labels, ...SERVICE });
  assert.equal((await put('new', { team: 'red' })).status, 200);
  assert.equal((await put('other', { team: 'blue' })).status, 403);
  assert.equal((await put('b', { team: 'red' })).status, 403, 'a foreign service is not made one’s own');
  assert.equal((await put('a', { team: 'blue' })).status, 403, 'nor is one’s own put into foreign hands');
  assert.equal((await send('GET', '/apisix/admin/services/b')).status, 403);
});

test('a deny with a condition takes away exactly what it names', async (t) => {
  const red = { service_label: { type: 'MatchLabel', options: { key: 'team', operator: 'exact_match', value: 'red' } } };
  const { send } = await personWith(t, allow('*', '*'), { ...allow('gateway:GetPublishedService', '*', red), effect: 'deny' });
  assert.deepEqual(idsOf(await send('GET', '/apisix/admin/services')), ['b']);
  assert.equal((await send('GET', '/apisix/admin/routes/ra')).status, 403);
  assert.equal((await send('GET', '/apisix/admin/routes/rb')).status, 200);
});

test('one consumer, and the credentials of it, in the spelling of today and of before', async (t) => {
  const { send } = await personWith(t, allow('gateway:*Consumer gateway:*ConsumerCredential', `${GROUP}/consumer/jack`));
  assert.deepEqual(idsOf(await send('GET', '/apisix/admin/consumers')), ['jack']);
  assert.match((await send('GET', '/apisix/admin/consumers/jack/credentials')).text, /the-key-of-jack/);
  assert.deepEqual((await send('GET', '/apisix/admin/consumers/jill/credentials')).body.list, []);
  assert.equal((await send('GET', '/apisix/admin/consumers/jill/credentials/c')).status, 403);
  // Whoever may write a credential here is not told by a duplicate who else has the key: that is found only after the permission.
  const stolen = { plugins: { 'key-auth': { key: 'the-key-of-jill-0123456789' } } };
  assert.equal((await send('PUT', '/apisix/admin/consumers/jill/credentials/mine', stolen)).status, 403);
});

test('a policy that names the group alone reaches its consumers, as policies of before do, and not its services', async (t) => {
  const { send } = await personWith(t, allow('gateway:*', GROUP));
  assert.deepEqual(idsOf(await send('GET', '/apisix/admin/consumers')), ['jack', 'jill']);
  assert.equal((await send('GET', '/apisix/admin/global_rules')).status, 200);
  assert.equal((await send('GET', '/apisix/admin/services')).status, 403);
});

test('gateway groups are listed as far as they may be seen, and validation is for who works there', async (t) => {
  const { send, admin, makePerson } = await personWith(t, allow('gateway:GetGatewayGroup', 'arn:api7:gateway:gatewaygroup/other'));
  assert.deepEqual((await send('GET', '/api/gateway_groups')).body, { list: [], total: 0 });
  assert.equal((await send('GET', '/api/gateway_groups/default')).status, 403);
  assert.equal((await send('POST', '/apisix/admin/configs/validate', {})).status, 403);
  assert.equal((await admin('POST', '/apisix/admin/configs/validate', {})).status, 200);
  const nobody = await makePerson('nobody');
  assert.equal((await nobody.send('GET', '/api/gateway_groups')).status, 403);
  assert.equal((await nobody.send('GET', '/api/version')).status, 200);
  assert.equal((await nobody.send('GET', '/api/schema/core')).status, 200);
});

test('changes are written down in the name of the token that made them, or of the user', async (t) => {
  const { send, history, withCookie, signIn, username, password } = await personWith(t, allow('*', '*'));
  await send('PUT', '/apisix/admin/consumers/x', { username: 'x' });
  const session = withCookie(await signIn(username, password));
  await session('PUT', '/apisix/admin/consumers/y', { username: 'y' });
  const [byUser, , byToken] = await history.pageOfAudit(undefined, 3);
  assert.deepEqual([byToken?.author.name, byUser?.author.name], ['test', 'jane']);
});

test('upstreams and stream routes belong to their service, the inner upstream too', async (t) => {
  const { send, admin } = await personWith(t, allow('gateway:*PublishedService', `${GROUP}/publishedservice/a`));
  const node = { nodes: [{ host: '127.0.0.1', port: 81, weight: 1 }] };
  for (const service of ['a', 'b']) {
    assert.equal((await admin('PUT', `/apisix/admin/services/${service}/upstreams/u`, { name: 'u', ...node })).status, 200);
  }
  for (const [method, path, body] of [
    ['GET', 'upstreams', undefined],
    ['GET', 'upstreams/u', undefined],
    ['POST', 'upstreams', { name: 'v', ...node }],
    ['PUT', 'upstreams/u', { name: 'u', ...node }],
    ['PATCH', 'upstreams/u', { desc: 'x' }],
    ['DELETE', 'upstreams/u', undefined],
    ['GET', 'upstreams/$', undefined],
    ['PUT', 'upstreams/$', node],
    ['PATCH', 'upstreams/$', { desc: 'x' }],
    ['DELETE', 'upstreams/$', undefined],
  ] as const) {
    const to = (service: string) => send(method, `/apisix/admin/services/${service}/${path.replace('$', service)}`, body);
    assert.equal((await to('b')).status, 403, `${method} ${path}`);
    const own = await to('a');
    assert.equal(own.status, 200, `${method} ${path} ${own.text}`);
  }
  for (const service of ['tcp', 'own']) {
    assert.equal((await admin('PUT', `/apisix/admin/services/${service}`, { name: service, type: 'stream' })).status, 200);
    const body = { name: service, service_id: service, server_port: service === 'tcp' ? 9101 : 9102 };
    assert.equal((await admin('PUT', `/apisix/admin/stream_routes/${service}`, body)).status, 200);
  }
  assert.deepEqual(idsOf(await send('GET', '/apisix/admin/stream_routes')), []);
  assert.equal((await send('PATCH', '/apisix/admin/stream_routes/tcp', { desc: 'x' })).status, 403);
  assert.equal((await send('PATCH', '/apisix/admin/stream_routes/own', [{ op: 'replace', path: '/service_id', value: 'a' }])).status, 403);
});

test('POST creates what the caller may create, and PATCH changes nothing into what he may not write', async (t) => {
  const red = { service_label: { type: 'MatchLabel', options: { key: 'team', operator: 'exact_match', value: 'red' } } };
  const { send } = await personWith(t, allow('gateway:*', `${GROUP}/publishedservice/*`, red));
  const post = (body: object) => send('POST', '/apisix/admin/services', { name: 'n', ...SERVICE, ...body });
  assert.equal((await post({ labels: { team: 'red' } })).status, 200);
  assert.equal((await post({ labels: { team: 'blue' } })).status, 403);
  assert.equal((await post({ id: 'b', labels: { team: 'red' } })).status, 403, 'what is there is not his');
  assert.equal((await post({ id: 'a', labels: { team: 'red' } })).status, 409);
  assert.equal((await send('POST', '/apisix/admin/routes', { name: 'r', paths: ['/r'], service_id: 'b' })).status, 403);
  assert.equal((await send('POST', '/apisix/admin/routes', { name: 'r', paths: ['/r'], service_id: 'a' })).status, 200);
  const patch = (path: string, body: unknown) => send('PATCH', `/apisix/admin/${path}`, body);
  assert.equal((await patch('services/a', { desc: 'x' })).status, 200);
  assert.equal((await patch('services/a', { labels: { team: 'blue' } })).status, 403);
  assert.equal((await patch('services/b', { labels: { team: 'red' } })).status, 403);
  assert.equal((await patch('routes/ra', { service_id: 'b' })).status, 403);
  // A test of a patch would tell what stands in a resource: it is not even run.
  for (const value of ['b', 'wrong']) assert.equal((await patch('services/b', [{ op: 'test', path: '/name', value }])).status, 403);
});

test('labels are told of what the caller may see', async (t) => {
  const { send, admin } = await personWith(t, allow('gateway:GetPublishedService', `${GROUP}/publishedservice/a`));
  const labels = async (as: typeof send, kind: string) => (await as('GET', `/api/labels/${kind}${QUERY}`)).body.value;
  assert.deepEqual(await labels(admin, 'service'), { team: ['blue', 'red'] });
  assert.deepEqual(await labels(send, 'service'), { team: ['red'] });
  for (const kind of ['consumer', 'ssl', 'gateway_group'])
    assert.equal((await send('GET', `/api/labels/${kind}${QUERY}`)).status, 403, kind);
});

test('conditions on the labels of a gateway group count for the group and for what lies in it', async (t) => {
  const test = { gateway_group_label: { type: 'MatchLabel', options: { key: 'stage', operator: 'exact_match', value: 'test' } } };
  const { send, admin } = await personWith(t, allow('gateway:*', '*', test));
  const create = (labels: object) => send('POST', '/api/gateway_groups', { name: 'own', labels });
  assert.equal((await create({ stage: 'live' })).status, 403);
  const { id } = (await create({ stage: 'test' })).body.value;
  assert.deepEqual(idsOf(await send('GET', '/api/gateway_groups')), [id]);
  assert.deepEqual((await send('GET', '/api/labels/gateway_group')).body.value, { stage: ['test'] });
  const service = (group: string) => send('PUT', `/apisix/admin/services/s?gateway_group_id=${group}`, { name: 's', ...SERVICE });
  assert.deepEqual([(await service(id)).status, (await service('default')).status], [200, 403]);
  assert.equal((await send('GET', '/api/gateway_groups/default')).status, 403);
  assert.equal((await send('PATCH', '/api/gateway_groups/default', { labels: { stage: 'test' } })).status, 403);
  assert.equal((await send('PATCH', `/api/gateway_groups/${id}`, { labels: { stage: 'live' } })).status, 403);
  assert.equal((await send('DELETE', '/api/gateway_groups/default')).status, 403);
  await admin('PATCH', '/api/gateway_groups/default', { labels: { stage: 'test' } });
  assert.equal((await service('default')).status, 200);
});

test('an admin key of a group is made by who may do everything in the group, because the key does', async (t) => {
  const groupOnly = allow('gateway:UpdateGatewayGroup gateway:GetGatewayGroup', GROUP);
  const { send, makeRole, makePerson } = await personWith(t, groupOnly);
  assert.equal((await send('PATCH', '/api/gateway_groups/default', { desc: undefined, description: 'x' })).status, 200);
  const refused = await send('PUT', '/api/gateway_groups/default/admin_key');
  assert.deepEqual([refused.status, /more permissions than you have/.test(refused.body.error_msg)], [403, true]);
  const { roleId } = await makeRole('owner', [allow('gateway:*', `${GROUP} ${GROUP}/*`)]);
  const owner = await makePerson('owner', [roleId]);
  assert.equal((await owner.send('PUT', '/api/gateway_groups/default/admin_key')).status, 200);
  assert.equal((await owner.send('PUT', '/api/gateway_groups/other/admin_key')).status, 403);
});

test('an admin key does everything in its group, is nobody among people, and ends while a body arrives', async (t) => {
  const fixture = await makePeopleFixture(t);
  await fill(fixture);
  const key = async () => (await fixture.admin('PUT', '/api/gateway_groups/default/admin_key')).body.value.key;
  const token = await key();
  const send = (method: 'GET' | 'PUT' | 'POST' | 'DELETE', path: string, body?: unknown) => fixture.send(method, path, { body, token });
  assert.match((await send('GET', '/apisix/admin/consumers/jack/credentials?')).text, /the-key-of-jack/);
  assert.equal((await send('POST', '/apisix/admin/configs/validate?', {})).status, 200);
  assert.deepEqual((await send('GET', '/api/labels/service?')).body.value, { team: ['blue', 'red'] });
  for (const path of ['/api/me', '/api/users', '/api/tokens', '/api/roles', '/api/permission_policies', '/api/login_options']) {
    assert.equal((await send('GET', path)).status, 403, path);
  }
  const caller = await fixture.people.authenticator.authenticate({
    token,
    authorization: undefined,
    cookie: undefined,
    address: '127.0.0.1',
  });
  assert.ok(caller);
  assert.equal((await fixture.people.authenticator.renew(caller))?.by, 'admin_key');
  await key();
  assert.equal(await fixture.people.authenticator.renew(caller), undefined);
});

test('plugins and variables are told to whoever sees a gateway group', async (t) => {
  const { send, makePerson } = await personWith(t, allow('gateway:GetGatewayGroup', GROUP));
  const nobody = await makePerson('nobody');
  for (const path of [
    'plugins',
    'plugins/list',
    'plugins/key-auth',
    'schema/plugins/key-auth',
    'variables',
    'plugin_metadata/http-logger/default',
  ]) {
    assert.equal((await send('GET', `/apisix/admin/${path}`)).status, 200, path);
    assert.equal((await nobody.send('GET', `/apisix/admin/${path}`)).status, 403, path);
  }
});

test('a bulk does nothing unless its caller may do every operation of it', async (t) => {
  const { send, admin } = await personWith(
    t,
    { effect: 'allow', actions: ['gateway:GetGatewayGroup'], resources: ['arn:api7:gateway:gatewaygroup/default'] },
    { effect: 'allow', actions: ['gateway:*Consumer'], resources: ['arn:api7:gateway:gatewaygroup/default*'] },
  );
  const bulk = (...operations: readonly unknown[]) => send('POST', '/api/gateway_groups/default/bulk', operations);
  const consumer = { kind: 'consumer', id: 'new', body: { username: 'new' } };
  const forbidden = await bulk(
    consumer,
    { kind: 'route', id: 'ra', method: 'patch', body: [{ op: 'test', path: '/name', value: 'guess' }] },
    { kind: 'service', id: 'a', method: 'delete' },
  );
  assert.deepEqual(
    [forbidden.status, forbidden.body.errors.map(({ index, status }: { index: number; status: number }) => [index, status])],
    [403, [1, 2].map((index) => [index, 403])],
  );
  assert.match(forbidden.body.error_msg, /operation 1: .*gateway:UpdatePublishedService/);
  assert.equal((await admin('GET', '/apisix/admin/consumers/new')).status, 404);
  assert.equal((await bulk(consumer)).status, 200);
  assert.equal((await admin('GET', '/apisix/admin/consumers/new')).status, 200);
});

test('pages, cursors and totals of a list tell nothing of what its caller may not see', async (t) => {
  const red = { service_label: { type: 'MatchLabel', options: { key: 'team', operator: 'exact_match', value: 'red' } } };
  const { send, admin } = await personWith(t, allow('gateway:*', `${GROUP}/publishedservice/*`, red));
  const names = Array.from({ length: 250 }, (_, index) => `s${String(index).padStart(3, '0')}`);
  for (const [index, name] of names.entries()) {
    const answer = await admin('PUT', `/apisix/admin/services/${name}`, {
      name,
      labels: { team: index % 3 === 0 ? 'red' : 'blue' },
      ...SERVICE,
    });
    assert.equal(answer.status, 200, answer.text);
  }
  const seen = ['a', ...names.filter((_, index) => index % 3 === 0)];
  const list = (query: string) => send('GET', `/apisix/admin/services${QUERY}&order_by=name&direction=asc${query}`);
  const whole = await list('');
  assert.deepEqual([whole.body.list.map(({ id }: { id: string }) => id), whole.body.total], [seen, seen.length]);
  const page = await list('&page=2&page_size=50');
  assert.deepEqual([page.body.list.map(({ id }: { id: string }) => id), page.body.total], [seen.slice(50), seen.length]);
  const first = await admin('GET', `/apisix/admin/services${QUERY}&order_by=name&direction=asc&page=1&page_size=40`);
  const collect = async (from: string | undefined, query: string): Promise<readonly string[]> => {
    const collected: string[] = [];
    for (let after = from; after !== undefined; ) {
      const { body } = await list(`&page_size=20&after=${encodeURIComponent(after)}${query}`);
      assert.equal(body.list.length, body.next === undefined ? body.list.length : 20);
      collected.push(...body.list.map(({ id }: { id: string }) => id));
      after = body.next;
    }
    return collected;
  };
  // The administrator's first page, from whose end the cursor leads on, held 40 of all.
  assert.deepEqual(
    await collect(first.body.next, ''),
    seen.filter((id) => !['a', 'b', ...names.slice(0, 38)].includes(id)),
  );
  for (const query of ['', '&direction=desc', '&order_by=created_at', '&search=s1', '&labels[team]=red&search=s0']) {
    const own = (more: string) => send('GET', `/apisix/admin/services${QUERY}${more}${query}`);
    const all = (await own('')).body.list.map(({ id }: { id: string }) => id);
    const begin = await own('&page_size=20');
    const rest: string[] = [];
    for (let after = begin.body.next; after !== undefined; ) {
      const { body } = await own(`&page_size=20&after=${after}`);
      rest.push(...body.list.map(({ id }: { id: string }) => id));
      after = body.next;
    }
    assert.deepEqual([...begin.body.list.map(({ id }: { id: string }) => id), ...rest], all, query);
  }
  assert.equal((await list('&after=x&page_size=1')).status, 400);
});
