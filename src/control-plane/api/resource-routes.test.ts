import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AdminFixture, makeAdminFixture } from '../testing/admin-fixture.ts';
import { SAMPLE_KEY as KEY, makeSampleResources } from '../testing/sample-resources.ts';

const KINDS = await makeSampleResources();

/** What stands before the last segment of an id. */
const prefixOf = (name: string): string => (name === 'secret_provider' ? 'kubernetes/' : '');

async function writeAll(admin: AdminFixture): Promise<void> {
  for (const { list, id, body } of KINDS) {
    const answer = await admin.send('PUT', `${list}/${id}`, { body });
    assert.equal(answer.status, 200, answer.text);
  }
}

test('each kind is written, read, listed and deleted, always with status 200', async (t) => {
  const admin = await makeAdminFixture(t);
  await writeAll(admin);
  for (const { name, list, id, shown } of KINDS) {
    const one = await admin.send('GET', `${list}/${id}`);
    assert.equal(one.status, 200, name);
    assert.partialDeepStrictEqual(one.body.value, shown);
    for (const field of ['key', 'keys']) assert.ok(!Object.hasOwn(one.body.value, field), name);
    assert.equal(one.body.value.created_at, admin.clock.nowMs() / 1000);
    assert.equal(one.body.value.updated_at, admin.clock.nowMs() / 1000);
    assert.equal(one.body.value.id, name === 'consumer' ? undefined : id);
    assert.deepEqual((await admin.send('GET', list)).body, { list: [one.body.value], total: 1 });
  }
  for (const { list, id } of KINDS.toReversed()) {
    const gone = await admin.send('DELETE', `${list}/${id}`, { headers: { 'content-type': 'application/json' } });
    assert.deepEqual([gone.status, gone.body], [200, {}]);
    assert.deepEqual((await admin.send('GET', list)).body, { list: [], total: 0 });
  }
});

test('a PUT replaces the whole resource and keeps its time of creation', async (t) => {
  const admin = await makeAdminFixture(t);
  const path = '/apisix/admin/consumers/jack';
  const first = await admin.send('PUT', path, { body: { username: 'jack', desc: 'old', labels: { a: 'b' } } });
  admin.clock.advance(5_000);
  const second = await admin.send('PUT', path, { body: { username: 'jack', plugins: {} } });
  const { created_at, updated_at, ...rest } = second.body.value;
  assert.deepEqual(rest, { username: 'jack', plugins: {} });
  assert.equal(created_at, first.body.value.created_at);
  assert.equal(updated_at, first.body.value.updated_at + 5);
});

test('nothing answers without a valid token, be it absent, wrong, in the query or under another name', async (t) => {
  const admin = await makeAdminFixture(t);
  for (const { list, id } of KINDS) {
    for (const method of ['GET', 'PUT', 'DELETE', 'PATCH'] as const) {
      for (const request of [
        { token: undefined },
        { token: 'wrong-token-of-16-or-more' },
        {
          token: undefined,
          headers: { authorization: 'Bearer a-token-that-only-tests-know', cookie: 'X-API-KEY=a-token-that-only-tests-know' },
        },
      ]) {
        const answer = await admin.send(method, `${list}/${id}?gateway_group_id=default&api_key=a-token-that-only-tests-know`, request);
        assert.equal(answer.status, 401);
        assert.match(answer.body.error_msg, /^Unauthorized — Authentication is required\./);
      }
    }
  }
  assert.equal((await admin.send('GET', '/api/gateway_groups', { token: undefined })).status, 401);
});

test('an expired token is refused', async (t) => {
  const admin = await makeAdminFixture(t);
  const { createApiToken } = await import('../auth/index.ts');
  const { systemRandom } = await import('../../lib/random.ts');
  const author = { id: 'cli', name: 'cli' };
  const { store, clock } = admin;
  const { token } = await createApiToken({
    store,
    clock,
    random: systemRandom,
    name: 'short',
    username: undefined,
    expiresInDays: 1,
    author,
  });
  assert.equal((await admin.send('GET', '/api/gateway_groups', { token })).status, 200);
  clock.advance(86_400_000);
  assert.equal((await admin.send('GET', '/api/gateway_groups', { token })).status, 401);
});

test('a body that breaks the schema is refused with the field, and nothing is stored', async (t) => {
  const admin = await makeAdminFixture(t);
  await writeAll(admin);
  for (const { name, list, body, missing } of KINDS) {
    const before = (await admin.send('GET', list)).text;
    const revision = (await admin.store.getGroup('default'))?.revision;
    const id = name === 'consumer' ? 'other' : `${prefixOf(name)}new`;
    const without = Object.fromEntries(Object.entries(body).filter(([field]) => `/${field}` !== missing));
    const refused = await admin.send('PUT', `${list}/${id}`, { body: without });
    assert.equal(refused.status, 400, name);
    assert.match(refused.body.error_msg, new RegExp(`^Error at "${missing}": `));
    for (const wrong of [[], null, 'text', 7, true]) {
      const answer = await admin.send('PUT', `${list}/${id}`, { body: JSON.stringify(wrong) });
      assert.deepEqual([answer.status, answer.body.error_msg.startsWith('Error at "')], [400, true]);
    }
    assert.equal((await admin.send('GET', list)).text, before);
    assert.equal((await admin.store.getGroup('default'))?.revision, revision);
  }
});

test('several faults are told at once, those of plugins among them', async (t) => {
  const admin = await makeAdminFixture(t);
  const body = { name: 1, paths: '/a', service_id: 's1', plugins: { 'key-auth': { header: 7 }, 'no-such-plugin': {} } };
  const { status, body: answer } = await admin.send('PUT', '/apisix/admin/routes/r1', { body });
  assert.equal(status, 400);
  for (const part of [
    'Error at "/name": value must be a string',
    'Error at "/paths": value must be an array',
    'Error at "/plugins/key-auth/header": value must be a string',
    'unknown plugin [no-such-plugin]',
  ]) {
    assert.ok(answer.error_msg.includes(part), `${part} in ${answer.error_msg}`);
  }
});

test('an id in the body must be the one in the path', async (t) => {
  const admin = await makeAdminFixture(t);
  await writeAll(admin);
  const put = (path: string, body: unknown) => admin.send('PUT', path, { body });
  assert.equal((await put('/apisix/admin/services/s1', { name: 'a', service_id: 's1' })).status, 200);
  assert.equal((await put('/apisix/admin/services/s1', { name: 'a', service_id: 's2' })).status, 400);
  assert.match((await put('/apisix/admin/consumers/jack', { username: 'jill' })).body.error_msg, /"\/username": wrong username/);
  assert.equal((await put('/apisix/admin/routes/r1', { name: 'r', paths: ['/a'], service_id: 's1', route_id: 'r2' })).status, 400);
});

test('ids are decoded once and then checked; reserved names are refused', async (t) => {
  const admin = await makeAdminFixture(t);
  const bodyOf = (name: string) => (name === 'consumer' ? { username: 'x' } : KINDS.find((kind) => kind.name === name)?.body);
  for (const { name, list } of KINDS) {
    for (const id of ['__proto__', 'constructor', 'prototype', 'a%2Fb', '%00', 'a%20b', '%C3%A4', '%2525', 'x'.repeat(513)]) {
      for (const method of ['GET', 'PUT', 'DELETE'] as const) {
        const answer = await admin.send(method, `${list}/${prefixOf(name)}${id}`, method === 'PUT' ? { body: bodyOf(name) } : {});
        assert.equal(answer.status, 400, `${method} ${name} ${id} ${answer.text}`);
        assert.match(answer.body.error_msg, /^Error at "/);
      }
    }
  }
  assert.equal((await admin.send('GET', '/apisix/admin/consumers/__proto__/credentials/c1')).status, 400);
  const decoded = await admin.send('PUT', '/apisix/admin/services/%73%31', { body: { name: 'decoded' } });
  assert.equal(decoded.body.value.id, 's1');
});

test('what does not exist is 404, whoever it belongs to', async (t) => {
  const admin = await makeAdminFixture(t);
  for (const { name, list } of KINDS) {
    for (const method of ['GET', 'DELETE'] as const) {
      const answer = await admin.send(method, `${list}/${prefixOf(name)}nothing`);
      assert.deepEqual([answer.status, answer.body], [404, { error_msg: `${name} not found` }]);
    }
  }
  assert.deepEqual((await admin.send('GET', '/apisix/admin/consumers/jack/credentials')).body, { error_msg: 'consumer not found' });
});

test('a group must be named, once, and exist', async (t) => {
  const admin = await makeAdminFixture(t);
  for (const { list, id, body } of KINDS) {
    for (const [method, path] of [
      ['GET', list],
      ['GET', `${list}/${id}`],
      ['PUT', `${list}/${id}`],
      ['DELETE', `${list}/${id}`],
    ] as const) {
      const request = method === 'PUT' ? { body } : {};
      for (const query of ['?', '?gateway_group_id=', '?gateway_group_id=default&gateway_group_id=default']) {
        const answer = await admin.send(method, `${path}${query}`, request);
        assert.equal(answer.status, 400);
        assert.match(answer.body.error_msg, /gateway_group_id/);
      }
      const unknown = await admin.send(method, `${path}?gateway_group_id=__proto__`, request);
      assert.deepEqual([unknown.status, unknown.body], [404, { error_msg: 'gateway group not found' }]);
    }
  }
});

test('a method that a path does not have is 405 and names those it has; an unknown path is 404', async (t) => {
  const admin = await makeAdminFixture(t);
  for (const { list, id, isCreatable } of KINDS) {
    for (const method of ['OPTIONS', 'TRACE', 'PROPFIND', 'PURGE', 'QUERY', 'POST'] as const) {
      const odd = await admin.send(method, `${list}/${id}`);
      assert.deepEqual([odd.status, odd.headers.allow], [405, 'GET, HEAD, PUT, PATCH, DELETE'], method);
      assert.deepEqual(odd.body, { error_msg: 'method not allowed' });
    }
    const all = await admin.send('DELETE', list);
    const isNamedByBody = !id.includes('/');
    const allowed = ['GET', 'HEAD', ...(isNamedByBody ? ['PUT'] : []), ...(isCreatable ? ['POST'] : [])];
    assert.deepEqual([all.status, all.headers.allow], [405, allowed.join(', ')]);
  }
  for (const [method, path] of [
    ['GET', '/'],
    ['GET', '/apisix/admin/upstreams'],
    ['GET', '/apisix/admin/plugin_configs'],
    ['GET', '/apisix/admin/consumer_groups'],
    ['GET', '/apisix/admin/secret_providers/vault'],
    ['GET', '//apisix/admin/services'],
  ] as const) {
    const answer = await admin.send(method, path);
    assert.deepEqual([answer.status, answer.body], [404, { error_msg: 'resource not found' }], path);
  }
});

test('HEAD answers as GET does, without the body', async (t) => {
  const admin = await makeAdminFixture(t);
  await writeAll(admin);
  const get = await admin.send('GET', '/apisix/admin/services/s1');
  const head = await admin.send('HEAD', '/apisix/admin/services/s1');
  assert.deepEqual([head.status, head.text, head.headers.etag], [200, '', get.headers.etag]);
  assert.equal(head.headers['content-length'], get.headers['content-length']);
  assert.equal((await admin.send('HEAD', '/apisix/admin/services/s1', { token: undefined })).status, 401);
});

test('a deleted service takes its routes along, a deleted consumer its credentials, and nothing comes back with them', async (t) => {
  const admin = await makeAdminFixture(t);
  await writeAll(admin);
  await admin.send('PUT', '/apisix/admin/routes/other', { body: { name: 'o', paths: ['/o'], service_id: 's2' } });
  await admin.send('DELETE', '/apisix/admin/services/s1');
  await admin.send('DELETE', '/apisix/admin/consumers/jack');
  assert.deepEqual(
    (await admin.send('GET', '/apisix/admin/routes')).body.list.map((route: { id: string }) => route.id),
    ['other'],
  );
  await writeAll({
    ...admin,
    send: (method, path, request) =>
      path.includes('c1') || path.includes('r1') ? admin.send('GET', '/api/version') : admin.send(method, path, request),
  });
  assert.deepEqual((await admin.send('GET', '/apisix/admin/consumers/jack/credentials')).body, { list: [], total: 0 });
  assert.deepEqual((await admin.send('GET', '/apisix/admin/routes?gateway_group_id=default&service_id=s1')).body, { list: [], total: 0 });
});

test('lists hold everything, the latest update first, unless a page is asked for', async (t) => {
  const admin = await makeAdminFixture(t);
  for (let number = 1; number <= 25; number += 1) {
    await admin.send('PUT', `/apisix/admin/consumers/u${number}`, { body: { username: `u${number}` } });
  }
  await admin.send('PUT', '/apisix/admin/consumers/u3', { body: { username: 'u3' } });
  const names = async (query: string) => {
    const { status, body } = await admin.send('GET', `/apisix/admin/consumers?gateway_group_id=default${query}`);
    return status === 200 ? { total: body.total, names: body.list.map((consumer: { username: string }) => consumer.username) } : status;
  };
  const all = await names('');
  assert.ok(typeof all === 'object');
  assert.deepEqual([all.total, all.names.length, all.names[0], all.names[1], all.names[24]], [25, 25, 'u3', 'u25', 'u1']);
  assert.deepEqual(await names('&page=2&page_size=3'), { total: 25, names: ['u23', 'u22', 'u21'] });
  assert.deepEqual(await names('&page_size=1'), { total: 25, names: ['u3'] });
  assert.deepEqual(await names('&page=3'), { total: 25, names: ['u6', 'u5', 'u4', 'u2', 'u1'] });
  assert.deepEqual(await names('&page=999999999&page_size=999999999'), { total: 25, names: [] });
  for (const query of ['&page=0', '&page=-1', '&page_size=x', '&page_size=1e3', '&page=']) assert.equal(await names(query), 400);
});

test('labels and the service narrow a list', async (t) => {
  const admin = await makeAdminFixture(t);
  const put = (username: string, labels: Record<string, string>) =>
    admin.send('PUT', `/apisix/admin/consumers/${username}`, { body: { username, labels } });
  await put('a', { team: 'x', stage: 'test' });
  await put('b', { team: 'x' });
  await put('c', { 'odd[key]': '[1,2]' });
  const names = async (query: string) => {
    const { body } = await admin.send('GET', `/apisix/admin/consumers?gateway_group_id=default${query}`);
    return body.list.map((consumer: { username: string }) => consumer.username);
  };
  assert.deepEqual(await names('&labels%5Bteam%5D=x'), ['b', 'a']);
  assert.deepEqual(await names('&labels[team]=x&labels[stage]=test'), ['a']);
  assert.deepEqual(await names('&labels[team]=x&labels[team]=y'), []);
  assert.deepEqual(await names('&labels[odd[key]]=%5B1%2C2%5D'), ['c']);
  assert.deepEqual(await names('&labels[__proto__]=x'), []);
  for (const [id, serviceId] of [
    ['r1', 's1'],
    ['r2', 's2'],
  ] as const) {
    await admin.send('PUT', `/apisix/admin/routes/${id}`, { body: { name: id, paths: ['/'], service_id: serviceId } });
  }
  const routes = await admin.send('GET', '/apisix/admin/routes?gateway_group_id=default&service_id=s2');
  assert.deepEqual(
    routes.body.list.map((route: { id: string }) => route.id),
    ['r2'],
  );
});

test('a route whose service does not exist yet is stored with a warning, and without one once it does', async (t) => {
  const admin = await makeAdminFixture(t);
  const route = { name: 'r', paths: ['/a'], service_id: 'later' };
  const early = await admin.send('PUT', '/apisix/admin/routes/r1', { body: route });
  assert.equal(early.status, 200);
  assert.match(early.body.warning_msg, /service later does not exist yet/);
  await admin.send('PUT', '/apisix/admin/services/later', { body: { name: 'later' } });
  assert.equal((await admin.send('PUT', '/apisix/admin/routes/r1', { body: route })).body.warning_msg, undefined);
});

test('every write and delete is in the audit log with who, from where and what, and without its content', async (t) => {
  const admin = await makeAdminFixture(t);
  await writeAll(admin);
  await admin.send('DELETE', '/apisix/admin/consumers/jack/credentials/c1');
  await admin.send('PUT', '/apisix/admin/services/s1', { body: { name: 7 } });
  const entries = await admin.history.pageOfAudit(undefined, KINDS.length + 1);
  const resources = KINDS.map(({ name, list, id }) => {
    const [parent] = /(?<=consumers|services)\/[^/]+(?=\/)/.exec(list) ?? [];
    const owner = name === 'credential' ? `consumer${parent}/` : name === 'upstream' ? `service${parent}/` : '';
    return [`${name}.put`, `${owner}${name}/${id}`];
  });
  assert.deepEqual(
    entries.map(({ action, resource }) => [action, resource]),
    [['credential.delete', 'consumer/jack/credential/c1'], ...resources.toReversed()],
  );
  for (const { groupId, address, author } of entries)
    assert.deepEqual([groupId, address, author.name], ['default', '127.0.0.1', 'bootstrap']);
  assert.ok(!JSON.stringify(entries).includes(KEY) && !JSON.stringify(entries).includes('the token itself'));
  assert.ok(!JSON.stringify(entries).includes('PRIVATE KEY'));
});
