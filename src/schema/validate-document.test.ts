import assert from 'node:assert/strict';
import test from 'node:test';
import { formatIssues, type ResourceKindName, resourceKind, validateDocument } from './index.ts';

const SERVICE = { name: 'orders', upstream: { nodes: [{ host: 'httpbin.org', port: 80, weight: 100 }] } };
const ROUTE = { name: 'orders', paths: ['/orders/*'], service_id: 'orders' };
const CREDENTIAL = { name: 'laptop', plugins: { 'key-auth': { key: 'k' } } };

function errorOf(kind: ResourceKindName, body: unknown, id?: string): string {
  const validation = validateDocument(resourceKind(kind), body, id);
  assert.equal(validation.ok, false, 'the body must be refused');
  return validation.ok ? '' : formatIssues(validation.issues);
}

function stored(kind: ResourceKindName, body: unknown, id?: string): unknown {
  const validation = validateDocument(resourceKind(kind), body, id);
  assert.equal(validation.ok, true, validation.ok ? '' : formatIssues(validation.issues));
  return validation.ok ? validation.document : undefined;
}

test('what is stored is the body plus the scalar defaults of the objects in it', () => {
  const body = { ...SERVICE, service_id: 'orders', plugins: { 'key-auth': {} } };
  assert.deepEqual(stored('service', body, 'orders'), {
    name: 'orders',
    service_id: 'orders',
    strip_path_prefix: true,
    plugins: { 'key-auth': {} },
    upstream: {
      name: 'default',
      scheme: 'http',
      type: 'roundrobin',
      hash_on: 'vars',
      pass_host: 'pass',
      retry_timeout: 0,
      nodes: [{ host: 'httpbin.org', port: 80, weight: 100, priority: 0 }],
    },
  });
  assert.deepEqual(stored('route', ROUTE), { ...ROUTE, priority: 0 });
  assert.deepEqual(stored('consumer', { username: 'jack' }), { username: 'jack' });
  assert.deepEqual(stored('credential', CREDENTIAL), CREDENTIAL);
});

test('a default inside an object appears only when the object was written', () => {
  assert.deepEqual(stored('route', { ...ROUTE, timeout: { read: 5 } }), {
    ...ROUTE,
    priority: 0,
    timeout: { connect: 60, send: 60, read: 5 },
  });
  const pool = { ...SERVICE, upstream: { ...SERVICE.upstream, keepalive_pool: {} } };
  assert.deepEqual(Reflect.get(Object(Reflect.get(Object(stored('service', pool)), 'upstream')), 'keepalive_pool'), {
    size: 320,
    idle_timeout: 60,
    requests: 1000,
  });
});

test('the body that was examined is left as it was, whether it is accepted or refused', () => {
  const accepted = structuredClone(SERVICE);
  stored('service', accepted);
  assert.deepEqual(accepted, SERVICE);
  const refused = { ...structuredClone(SERVICE), path_prefix: 12345 };
  errorOf('service', refused);
  assert.deepEqual(refused, { ...SERVICE, path_prefix: 12345 });
});

test('fields that the schema does not know are kept', () => {
  const body = { ...SERVICE, colour: { deep: [1] }, upstream: { ...SERVICE.upstream, description: '', id2: 7 } };
  assert.partialDeepStrictEqual(stored('service', body), { colour: { deep: [1] }, upstream: { description: '', id2: 7 } });
});

test('each fault is told with its JSON pointer, in the words that clients look for', () => {
  const cases: readonly (readonly [ResourceKindName, unknown, string])[] = [
    ['service', { ...SERVICE, path_prefix: 12345 }, 'Error at "/path_prefix": value must be a string'],
    ['service', { ...SERVICE, path_prefix: 'x' }, 'Error at "/path_prefix": string doesn\'t match the regular expression "^/"'],
    ['service', {}, 'Error at "/name": property "name" is missing'],
    ['service', { name: '' }, 'Error at "/name": minimum string length is 1'],
    ['service', { name: 's', status: 2 }, 'Error at "/status": value is not one of the allowed values [0,1]'],
    ['service', { name: 's', strip_path_prefix: 'yes' }, 'Error at "/strip_path_prefix": value must be a boolean'],
    ['service', { name: 's', hosts: [] }, 'Error at "/hosts": minimum number of items is 1'],
    ['service', { name: 's', hosts: ['a', 'a'] }, 'Error at "/hosts": duplicate items found'],
    ['service', { name: 's', upstream: [] }, 'Error at "/upstream": value must be an object'],
    ['service', { name: 's', upstream: { nodes: { 'a:80': 1 } } }, 'Error at "/upstream/nodes": value must be an array'],
    ['service', { name: 's', upstream: {} }, 'Error at "/upstream/nodes": property "nodes" is missing'],
    ['service', { name: 's', labels: { a: 1 } }, 'Error at "/labels/a": value must be a string'],
    ['service', { name: 's', labels: { 'a/b~c': '' } }, 'Error at "/labels/a~1b~0c": minimum string length is 1'],
    ['service', { name: 's', labels: null }, 'Error at "/labels": value must be an object'],
    ['service', node({ port: 0 }), 'Error at "/upstream/nodes/0/port": number must be at least 1'],
    ['service', node({ port: 65_536 }), 'Error at "/upstream/nodes/0/port": number must be at most 65535'],
    ['service', node({ port: 1.5 }), 'Error at "/upstream/nodes/0/port": value must be an integer'],
    ['service', node({ host: '' }), 'Error at "/upstream/nodes/0/host": minimum string length is 1'],
    ['route', { ...ROUTE, timeout: { read: 0 } }, 'Error at "/timeout/read": number must be more than 0'],
    ['route', { ...ROUTE, methods: [] }, 'Error at "/methods": minimum number of items is 1'],
    ['route', { ...ROUTE, paths: ['orders'] }, 'Error at "/paths/0": string doesn\'t match the regular expression "^/"'],
    ['route', { ...ROUTE, paths: Array.from({ length: 65 }, () => '/') }, 'Error at "/paths": maximum number of items is 64'],
    [
      'service',
      { ...SERVICE, upstream: { nodes: Array(4097).fill(SERVICE.upstream.nodes[0]) } },
      'Error at "/upstream/nodes": maximum number of items is 4096',
    ],
    ['credential', { plugins: {} }, 'Error at "/plugins": there must be at least 1 properties'],
    ['credential', { plugins: { a: {}, b: {} } }, 'Error at "/plugins": there must be at most 1 properties'],
    ['credential', { name: 'c' }, 'Error at "/plugins": property "plugins" is missing'],
    ['consumer', { username: 'a b' }, 'Error at "/username": string doesn\'t match the regular expression "^[a-zA-Z0-9_\\-]+$"'],
  ];
  for (const [kind, body, expected] of cases) {
    const error = errorOf(kind, body);
    assert.ok(error.split('; ').includes(expected), `${error} should hold ${expected}`);
  }
});

test('a wrong method is told with the allowed ones', () => {
  assert.match(
    errorOf('route', { ...ROUTE, methods: ['get'] }),
    /^Error at "\/methods\/0": value is not one of the allowed values \["GET",/,
  );
});

test('all faults come at once', () => {
  const error = errorOf('route', { name: 5, paths: [1, '/a', 2] });
  assert.equal(
    error,
    'Error at "/service_id": property "service_id" is missing; Error at "/name": value must be a string; ' +
      'Error at "/paths/0": value must be a string; Error at "/paths/2": value must be a string',
  );
});

test('a body that is no object is refused as such', () => {
  for (const body of [null, [], 'text', 7, true, undefined]) {
    assert.match(errorOf('service', body), /^Error at "": value (?:must be an object|is not JSON)$/);
  }
});

test('the id in the body must be the one in the path', () => {
  assert.equal(errorOf('consumer', { username: 'jill' }, 'jack'), 'Error at "/username": wrong username');
  assert.equal(errorOf('service', { ...SERVICE, service_id: 'b' }, 'a'), 'Error at "/service_id": wrong service id');
  assert.equal(errorOf('route', { ...ROUTE, id: 1 }, '1'), 'Error at "/id": wrong route id');
  assert.equal(errorOf('credential', { ...CREDENTIAL, id: 'b' }, 'a'), 'Error at "/id": wrong credential id');
  stored('route', { ...ROUTE, id: 'r', route_id: 'r' }, 'r');
});

test('ids in paths keep to their pattern and length', () => {
  for (const id of ['a', 'A-1_b.c', 'x'.repeat(256)]) stored('service', SERVICE, id);
  for (const id of ['', 'a b', 'a/b', 'ä', 'x'.repeat(257), '__proto__', 'constructor', 'prototype']) {
    assert.match(errorOf('service', SERVICE, id), /^Error at "\/id": /, id);
  }
  assert.match(errorOf('consumer', { username: 'a.b' }, 'a.b'), /^Error at "\/username": string doesn't match/);
  stored('consumer', { username: 'u'.repeat(512) }, 'u'.repeat(512));
  errorOf('consumer', { username: 'u'.repeat(513) }, 'u'.repeat(513));
});

test('what this version could not enforce is refused, not ignored', () => {
  const cases: readonly (readonly [ResourceKindName, unknown, string])[] = [
    ['route', { ...ROUTE, paths: ['/', '/a*/b'] }, '/paths/1'],
    ['route', { ...ROUTE, paths: ['/:'] }, '/paths/0'],
    ['route', { ...ROUTE, remote_addr: 'nowhere' }, '/remote_addr'],
    ['route', { ...ROUTE, remote_addrs: ['::1', '10.0.0.0/33'] }, '/remote_addrs/1'],
    ['route', { ...ROUTE, remote_addr: '::1', remote_addrs: ['::1'] }, '/remote_addrs'],
    ['service', { ...SERVICE, path_prefix: '/:a/:a' }, '/path_prefix'],
    ['route', { ...ROUTE, service_id: '__proto__' }, '/service_id'],
    ['service', { ...SERVICE, path_prefix: '/a*' }, '/path_prefix'],
    ['service', { ...SERVICE, type: 'stream', upstream: { ...SERVICE.upstream, scheme: 'http' } }, '/upstream/scheme'],
    ['sni', { domain: 'a.example', plugins: { cors: {} } }, '/plugins/cors'],
    ['service', { ...SERVICE, upstream: { ...SERVICE.upstream, scheme: 'udp' } }, '/upstream/scheme'],
    ['service', { ...SERVICE, upstream: { ...SERVICE.upstream, tls: { client_cert: 'c' } } }, '/upstream/tls/client_key'],
    ['service', { ...SERVICE, upstream: { ...SERVICE.upstream, tls: { client_cert: 1 } } }, '/upstream/tls/client_cert'],
    [
      'service',
      { ...SERVICE, upstream: { ...SERVICE.upstream, tls: { client_cert_id: 'a', client_cert: 'c' } } },
      '/upstream/tls/client_cert',
    ],
    ['service', { ...SERVICE, upstream: { service_name: 'a', discovery_type: 'consul' } }, '/upstream/discovery_type'],
    ['service', { ...SERVICE, upstream: { service_name: 'a b', discovery_type: 'dns' } }, '/upstream/service_name'],
    ['service', { ...SERVICE, upstream: { service_name: 'a:0', discovery_type: 'dns' } }, '/upstream/service_name'],
    ['service', { ...SERVICE, upstream: { ...SERVICE.upstream, pass_host: 'rewrite' } }, '/upstream/upstream_host'],
    ['service', { ...SERVICE, upstream: { ...SERVICE.upstream, checks: { passive: {} } } }, '/upstream/checks/active'],
    ['service', { ...SERVICE, upstream: { ...SERVICE.upstream, type: 'chash' } }, '/upstream/key'],
    ['service', { ...SERVICE, upstream: { ...SERVICE.upstream, type: 'chash', key: '$uri' } }, '/upstream/key'],
    [
      'service',
      { ...SERVICE, upstream: { ...SERVICE.upstream, checks: { active: { http_path: 'up' } } } },
      '/upstream/checks/active/http_path',
    ],
    [
      'service',
      { ...SERVICE, upstream: { ...SERVICE.upstream, checks: { active: { http_path: '/a b' } } } },
      '/upstream/checks/active/http_path',
    ],
    ['service', { ...SERVICE, upstream: { ...SERVICE.upstream, checks: { active: { host: 'a/b' } } } }, '/upstream/checks/active/host'],
    [
      'service',
      { ...SERVICE, upstream: { ...SERVICE.upstream, checks: { active: { http_method: 'get' } } } },
      '/upstream/checks/active/http_method',
    ],
    [
      'service',
      { ...SERVICE, upstream: { ...SERVICE.upstream, checks: { active: { req_headers: ['A: b', 'C: d\r\nE: f'] } } } },
      '/upstream/checks/active/req_headers/1',
    ],
    ['consumer', { username: 'jack', labels: { custom_id: 'a\tb' } }, '/labels/custom_id'],
  ];
  for (const [kind, body, pointer] of cases) assert.ok(errorOf(kind, body).startsWith(`Error at "${pointer}": `), pointer);
  stored('route', { ...ROUTE, vars: [], remote_addr: '10.0.0.0/8', paths: ['/:a/*b', '/a/*/b', '/a:b'] });
  stored('service', { ...SERVICE, path_prefix: '/:tenant/v1' });
});

test('what is served in a simpler way is accepted with a warning', () => {
  const upstream = { ...SERVICE.upstream, keepalive_pool: { size: 1, idle_timeout: 61, requests: 1 } };
  const service = stored('service', { ...SERVICE, upstream });
  assert.deepEqual(resourceKind('service').warnings({ ...Object(service) }), [
    'keepalive_pool.idle_timeout is served as 60 seconds, the most there is',
  ]);
  assert.deepEqual(resourceKind('service').warnings(SERVICE), []);
  for (const path_prefix of ['/a?b', '/a//b', '/a/..', '/%61', '/a#/']) {
    assert.deepEqual(resourceKind('service').warnings({ ...SERVICE, path_prefix }), [
      '/path_prefix never matches: requests are matched by their normalised, decoded path',
    ]);
  }
  for (const path_prefix of ['/', '/a', '/a/', '/a//', '/a.b', '/..a']) {
    assert.deepEqual(resourceKind('service').warnings({ ...SERVICE, path_prefix }), []);
  }
  assert.deepEqual(resourceKind('route').warnings(ROUTE), []);
  assert.deepEqual(resourceKind('route').warnings({ ...ROUTE, enable_websocket: true }), []);
  for (const path of ['/a?b', '/a//b', '/a/../b', '/a/.', '/a%20b']) {
    assert.deepEqual(resourceKind('route').warnings({ ...ROUTE, paths: ['/', path] }), [
      '/paths/1 never matches: requests are matched by their normalised, decoded path',
    ]);
  }
  stored('route', { ...ROUTE, enable_websocket: null });
  assert.deepEqual(resourceKind('route').warnings({ ...ROUTE, hosts: ['a.example'], remote_addrs: ['::1'], filter_func: 'f' }), [
    '/hosts has no effect on a route: hosts belong to the service',
    '/filter_func has no effect on a route: it cannot run here',
  ]);
});

test('a keepalive pool that keeps connections longer than any gateway does is accepted with a warning', () => {
  const warnings = (keepalive_pool: object) =>
    resourceKind('service').warnings({ ...SERVICE, upstream: { ...SERVICE.upstream, keepalive_pool } } as never);
  for (const pool of [{}, { size: 1 }, { size: 320, idle_timeout: 60, requests: 1000 }, { requests: 1, idle_timeout: 0.5 }, { extra: 1 }])
    assert.deepEqual(warnings(pool), []);
  for (const pool of [{ idle_timeout: 0 }, { size: 320, idle_timeout: 60.5 }]) {
    assert.deepEqual(warnings(pool), ['keepalive_pool.idle_timeout is served as 60 seconds, the most there is']);
  }
});

test('node hosts are names or addresses, not old spellings of addresses', () => {
  for (const host of ['a', 'httpbin.org', 'my_service', '10.0.0.1', '::1', '[::1]', 'a.b.', 'xn--bcher-kva.example'])
    stored('service', node({ host }));
  for (const host of [
    'a b',
    '-a',
    'a..b',
    '256.1.1.1',
    '127.1',
    '0x7f.1',
    '2130706433',
    '[10.0.0.1]',
    'fe80::1%eth0',
    'a:80',
    'a/b',
    'ä.de',
    '.',
  ]) {
    assert.equal(errorOf('service', node({ host })), 'Error at "/upstream/nodes/0/host": value must be a host name or an IP address');
  }
});

function node(overrides: object): unknown {
  return { name: 's', upstream: { nodes: [{ host: 'a', port: 80, weight: 1, ...overrides }] } };
}

test('no kind takes more than 256 labels, also where its schema knows none', () => {
  const labels = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`l${index}`, 'x']));
  for (const [kind, body] of [
    ['consumer', { username: 'jack' }],
    ['route', ROUTE],
    ['credential', CREDENTIAL],
    ['gateway_group', { name: 'edge' }],
    ['plugin_metadata', {}],
  ] as const) {
    assert.partialDeepStrictEqual(stored(kind, { ...body, labels: labels(256) }), { labels: { l255: 'x' } });
    assert.equal(errorOf(kind, { ...body, labels: labels(257) }), 'Error at "/labels": there must be at most 256 properties');
    assert.equal(errorOf(kind, { ...body, labels: labels(30_000) }), 'Error at "/labels": there must be at most 256 properties');
  }
});

test('an id that no URL can name is refused', () => {
  for (const id of ['.', '..']) assert.match(errorOf('service', SERVICE, id), /^Error at "\/id": this name is not allowed/);
  stored('service', SERVICE, '...');
});
