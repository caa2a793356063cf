import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTestCertificate } from '../../../test-support/test-certificate.ts';
import { makeAdminFixture } from '../testing/admin-fixture.ts';

const GROUP = 'gateway_group_id=default';
const AUTHOR = { id: 'test', name: 'test' };

/** One for each name of the first test. */
const NAMES = ['x', 'zB', 'ya'];
const CERTIFICATES = new Map(await Promise.all(NAMES.map(async (name) => [name, await createTestCertificate()] as const)));
const TIMES = ['created_at', 'updated_at'];

/** The list of each kind, with the documents of three of it, and what orders it has. */
const LISTS = [
  { path: '/apisix/admin/services', idField: 'id', orders: ['created_at', 'updated_at', 'name'], body: (name: string) => ({ name }) },
  {
    path: '/apisix/admin/routes',
    idField: 'id',
    orders: ['created_at', 'updated_at'],
    body: (name: string) => ({ name, paths: ['/'], service_id: 'x' }),
  },
  {
    path: '/apisix/admin/consumers',
    idField: 'username',
    orders: ['created_at', 'updated_at', 'name'],
    body: (username: string) => ({ username }),
  },
  {
    path: '/apisix/admin/consumers/x/credentials',
    idField: 'id',
    orders: ['created_at', 'updated_at'],
    body: (name: string) => ({ name, plugins: { 'key-auth': { key: `${name}-k7Qm2ZxV9tLrB4nWc8HsJd3FgPy6EaUo` } } }),
  },
  {
    path: '/apisix/admin/secret_providers',
    prefix: 'kubernetes/',
    idField: 'id',
    orders: ['created_at', 'updated_at'],
    body: () => ({ apiserver_addr: 'https://kubernetes.example', token: 't' }),
  },
  {
    path: '/apisix/admin/stream_routes',
    idField: 'id',
    orders: TIMES,
    body: (name: string) => ({ name, service_id: 'x', server_port: 9100 }),
  },
  {
    path: '/apisix/admin/ssls',
    idField: 'id',
    orders: TIMES,
    body: (name: string) => ({ snis: [`${name}.example`], ...CERTIFICATES.get(name) }),
  },
  {
    path: '/apisix/admin/certificates',
    idField: 'id',
    orders: TIMES,
    body: (name: string) => ({ name, ...CERTIFICATES.get(name) }),
  },
  {
    path: '/apisix/admin/ca_certificates',
    idField: 'id',
    orders: TIMES,
    body: (name: string) => ({ name, cert: CERTIFICATES.get(name)?.cert }),
  },
  {
    path: '/apisix/admin/snis',
    idField: 'id',
    orders: TIMES,
    body: (name: string) => ({ name, domain: `${name}.example`, certificates: ['x'] }),
  },
  { path: '/apisix/admin/protos', idField: 'id', orders: TIMES, body: (name: string) => ({ name, content: 'syntax = "proto3";' }) },
] as const;

test('each list takes every parameter', async (t) => {
  const admin = await makeAdminFixture(t);
  for (const list of LISTS) {
    const { path, idField } = list;
    const prefix = 'prefix' in list ? list.prefix : '';
    for (const name of NAMES) {
      const labels = name === 'ya' ? { team: 'b' } : { team: 'a', stage: name };
      const put = await admin.send('PUT', `${path}/${prefix}${name}`, { body: { ...list.body(name), desc: `of ${name}`, labels } });
      assert.equal(put.status, 200, put.text);
    }
    await admin.send('PUT', `${path}/${prefix}zB`, { body: { ...list.body('zB'), desc: 'of ZB', labels: { team: 'a', stage: 'zB' } } });
    const ask = async (query: string) => {
      const { status, body, text } = await admin.send('GET', `${path}?${GROUP}${query}`);
      assert.equal(status, 200, text);
      const ids = body.list.map((each: Record<string, string>) => each[idField]?.slice(prefix.length));
      return { ids, total: body.total, next: body.next };
    };
    const whole = { next: undefined, total: 3 };
    assert.deepEqual(await ask(''), { ids: ['zB', 'ya', 'x'], ...whole }, path);
    assert.deepEqual(await ask('&order_by=created_at'), { ids: ['ya', 'zB', 'x'], ...whole });
    assert.deepEqual(await ask('&order_by=updated_at&direction=asc'), { ids: ['x', 'ya', 'zB'], ...whole });
    assert.deepEqual(await ask('&search=OF%20Z'), { ids: ['zB'], next: undefined, total: 1 });
    assert.deepEqual((await ask('&search=')).total, 3);
    assert.deepEqual(await ask('&labels[team]=a'), { ids: ['zB', 'x'], next: undefined, total: 2 });
    assert.deepEqual(await ask('&labels%5Bteam%5D=a&labels%5Bstage%5D=x'), { ids: ['x'], next: undefined, total: 1 });
    assert.deepEqual(await ask('&labels[team]=a&labels[team]=b'), { ids: [], next: undefined, total: 0 });
    assert.deepEqual(await ask('&label=stage&search=of'), { ids: ['zB', 'x'], next: undefined, total: 2 });
    const first = await ask('&page=1&page_size=2');
    assert.deepEqual([first.ids, first.total, typeof first.next], [['zB', 'ya'], 3, 'string']);
    assert.deepEqual(await ask(`&page_size=2&after=${first.next}`), { ids: ['x'], ...whole });
    assert.deepEqual(await ask('&page=2&page_size=2'), { ids: ['x'], ...whole });
    assert.deepEqual(await ask('&page=3&page_size=2'), { ids: [], ...whole });
    const byName = await admin.send('GET', `${path}?${GROUP}&order_by=name&direction=asc`);
    if (list.orders.length === 3) assert.deepEqual((await ask('&order_by=name&direction=asc')).ids, ['x', 'ya', 'zB']);
    else {
      assert.equal(byName.status, 400);
      assert.match(byName.body.error_msg, /^Error at "\/order_by": value is not one of the allowed values \["created_at","updated_at"\]$/);
    }
  }
});

test('a parameter that is no good is 400 and named, in every list, together with the others', async (t) => {
  const admin = await makeAdminFixture(t);
  await admin.send('PUT', '/apisix/admin/consumers/x', { body: { username: 'x' } });
  await admin.send('PUT', '/apisix/admin/services/x', { body: { name: 'x' } });
  const paths = [...LISTS.map(({ path }) => path), '/apisix/admin/global_rules'];
  const cases = [
    ['page=0', 'Error at "/page": number must be at least 1'],
    ['page=-3', 'Error at "/page": number must be at least 1'],
    ['page=', 'Error at "/page": value must be an integer'],
    ['page=1.5', 'Error at "/page": value must be an integer'],
    ['page=1&page=2', 'Error at "/page": the query parameter is repeated'],
    ['page_size=99999999999999999999', 'Error at "/page_size": number must be at most 999999999'],
    ['direction=up', 'Error at "/direction": value is not one of the allowed values ["asc","desc"]'],
    ['page=x&direction=', /^Error at "\/page": value must be an integer; Error at "\/direction": /],
    ['order_by=__proto__', /^Error at "\/order_by": value is not one of the allowed values /],
    ['page=1&after=MDA', 'Error at "/after": value and page exclude each other'],
    ['search=a&search=b', 'Error at "/search": the query parameter is repeated'],
  ] as const;
  for (const path of [...paths, '/api/gateway_groups', '/apisix/admin/services/x/upstreams']) {
    for (const [query, message] of cases) {
      const { status, body } = await admin.send('GET', `${path}?${GROUP}&${query}`);
      assert.equal(status, 400, `${path} ${query}`);
      if (typeof message === 'string') assert.equal(body.error_msg, message);
      else assert.match(body.error_msg, message);
    }
  }
  const consumers = (query: string) => admin.send('GET', `/apisix/admin/consumers?${GROUP}&${query}`);
  for (const [query, message] of [
    ['after=', 'Error at "/after": value is not what an answer gave as next'],
    ['after=%00', 'Error at "/after": value is not what an answer gave as next'],
    ['after=MTAw', 'Error at "/after": value belongs to a list in another order'],
    ['labels=a', 'Error at "/labels": write a label as labels[key]=value'],
    ['labels[]=a', 'Error at "/labels": write a label as labels[key]=value'],
    ['label=', 'Error at "/label": minimum string length is 1'],
    [Array.from({ length: 33 }, (_, n) => `labels[${n}]=1`).join('&'), 'Error at "/labels": there must be at most 32 labels'],
  ] as const) {
    const { status, body } = await consumers(query);
    assert.deepEqual([status, body.error_msg], [400, message]);
  }
});

test('a list is 401 without a token, 404 in an unknown group or of an unknown consumer, 400 without a group', async (t) => {
  const admin = await makeAdminFixture(t);
  for (const { path } of LISTS) {
    assert.equal((await admin.send('GET', `${path}?${GROUP}`, { token: undefined })).status, 401);
    assert.equal((await admin.send('GET', `${path}?${GROUP}`, { token: 'wrong' })).status, 401);
    assert.equal((await admin.send('GET', `${path}?gateway_group_id=none`)).status, 404);
    assert.equal((await admin.send('GET', `${path}?page=1`)).status, 400);
  }
  assert.equal((await admin.send('GET', `/apisix/admin/consumers/none/credentials?${GROUP}&page=1`)).status, 404);
});

test('hostile text in search and labels finds what holds it, and nothing else', async (t) => {
  const admin = await makeAdminFixture(t);
  const texts = ['100%', "it's", 'a_b', '[x]', '"}', '\\', '\u0000', '日本語', 'ß', '\u{1F600}'];
  for (const [number, text] of texts.entries()) {
    const body = { username: `u${number}`, desc: `<${text}>`, labels: { [text]: text } };
    assert.equal((await admin.send('PUT', `/apisix/admin/consumers/u${number}`, { body })).status, 200);
  }
  for (const [number, text] of texts.entries()) {
    const encoded = encodeURIComponent(text);
    for (const query of [`search=${encoded}`, `labels[${encoded}]=${encoded}`, `label=${encoded}`]) {
      const { body } = await admin.send('GET', `/apisix/admin/consumers?${GROUP}&${query}`);
      assert.deepEqual(
        body.list.map((each: { username: string }) => each.username),
        [`u${number}`],
        query,
      );
    }
  }
});

test('secrets are found by no search', async (t) => {
  const admin = await makeAdminFixture(t);
  await admin.send('PUT', '/apisix/admin/consumers/x', {
    body: { username: 'x', plugins: { 'key-auth': { key: 'secret-of-x-k7Qm2ZxV9tLrB4n' } } },
  });
  const credential = { name: 'c', plugins: { 'key-auth': { key: 'secret-of-c-k7Qm2ZxV9tLrB4n' } } };
  await admin.send('PUT', '/apisix/admin/consumers/x/credentials/c', { body: credential });
  for (const path of ['consumers', 'consumers/x/credentials']) {
    assert.equal((await admin.send('GET', `/apisix/admin/${path}?${GROUP}&search=secret`)).body.total, 0);
  }
});

test('the upstreams of a service are searched, ordered, filtered and paged like other lists, the one inside it by the times of the service', async (t) => {
  const admin = await makeAdminFixture(t);
  const service = '/apisix/admin/services/x';
  const upstream = (desc: string, labels: object) => ({ desc, labels, nodes: [{ host: 'a.example', port: 80, weight: 1 }] });
  await admin.send('PUT', service, { body: { name: 'x', upstream: upstream('within', { team: 'a' }) } });
  for (const id of ['u1', 'u2', 'u1']) {
    admin.clock.advance(1_000);
    const put = await admin.send('PUT', `${service}/upstreams/${id}`, { body: upstream(`of ${id}`, { team: 'a', stage: id }) });
    assert.equal(put.status, 200, put.text);
  }
  const ids = async (query: string) => {
    const { body } = await admin.send('GET', `${service}/upstreams?${GROUP}${query}`);
    return [body.total, ...body.list.map(({ id }: { id: string }) => id)];
  };
  assert.deepEqual(await ids(''), [3, 'u1', 'u2', 'x']);
  assert.deepEqual(await ids('&order_by=created_at&page=1&page_size=2'), [3, 'u2', 'u1']);
  assert.deepEqual(await ids('&direction=asc&page=2&page_size=2'), [3, 'u1']);
  assert.deepEqual(await ids('&search=WITH'), [1, 'x']);
  assert.deepEqual(await ids('&labels[team]=a&label=stage'), [2, 'u1', 'u2']);
  assert.deepEqual(await ids('&labels[stage]=u2&labels[stage]=u1'), [0]);
});

test('stream routes are narrowed to those of a service', async (t) => {
  const admin = await makeAdminFixture(t);
  for (const [id, service] of [
    ['a', 's'],
    ['b', 't'],
    ['c', 's'],
  ]) {
    await admin.send('PUT', `/apisix/admin/services/${service}`, { body: { name: service, type: 'stream' } });
    await admin.send('PUT', `/apisix/admin/stream_routes/${id}`, { body: { name: id, service_id: service, server_port: 9100 } });
  }
  const { body } = await admin.send('GET', `/apisix/admin/stream_routes?${GROUP}&service_id=s&page_size=1`);
  assert.deepEqual([body.total, body.list[0].id], [2, 'c']);
});

test('gateway groups are searched, ordered, filtered and paged like other lists', async (t) => {
  const admin = await makeAdminFixture(t);
  for (const id of ['g1', 'g2']) {
    admin.clock.advance(1_000);
    await admin.store.transaction(AUTHOR, (transaction) =>
      transaction.putGroup({ id, name: id.toUpperCase(), description: `about ${id}` }),
    );
  }
  const ids = async (query: string) => {
    const { body } = await admin.send('GET', `/api/gateway_groups?${query}`);
    return [body.total, ...body.list.map((group: { id: string }) => group.id)];
  };
  assert.deepEqual(await ids(''), [3, 'g2', 'g1', 'default']);
  assert.deepEqual(await ids('order_by=created_at&direction=asc&page=2&page_size=2'), [3, 'g2']);
  assert.deepEqual(await ids('search=ABOUT'), [2, 'g2', 'g1']);
  assert.deepEqual(await ids('search=nothing&name=G1'), [1, 'g1']);
  await admin.send('PATCH', '/api/gateway_groups/g1', { body: { labels: { zone: 'a' } } });
  assert.deepEqual(await ids('labels[zone]=a'), [1, 'g1']);
  assert.deepEqual(await ids('label=zone&labels[zone]=b'), [0]);
});
