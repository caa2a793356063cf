import assert from 'node:assert/strict';
import test from 'node:test';
import { PortcullisError } from '../errors/index.ts';
import { readConsumer, readRoute, readService } from './index.ts';

test('a service is read with every default in place, times in milliseconds', () => {
  assert.deepEqual(readService({ name: 's', upstream: { nodes: [{ host: '[::1]', port: 80, weight: 100 }] } }), {
    name: 's',
    enabled: true,
    hosts: [],
    pathPrefix: '',
    stripPathPrefix: true,
    enableWebsocket: false,
    plugins: new Map(),
    upstream: {
      scheme: 'http',
      nodes: [{ host: '::1', port: 80, weight: 100, priority: 0 }],
      discovery: undefined,
      balancing: { kind: 'roundrobin' },
      tls: undefined,
      isGrpc: false,
      checks: undefined,
      passHost: 'pass',
      upstreamHost: undefined,
      connectTimeoutMs: 60_000,
      sendTimeoutMs: 60_000,
      readTimeoutMs: 60_000,
      retries: undefined,
      retryTimeoutMs: 0,
      keepalivePoolSize: 2048,
      keepaliveIdleTimeoutMs: 60_000,
      keepaliveRequests: 1000,
    },
    stream: undefined,
  });
});

test('what a service says is what the gateway gets', () => {
  const service = readService({
    name: 's',
    status: 0,
    hosts: ['API.Example.com', '*.Example.org.'],
    path_prefix: '/v1',
    strip_path_prefix: false,
    plugins: { 'key-auth': { header: 'x' } },
    upstream: {
      nodes: [],
      pass_host: 'rewrite',
      upstream_host: 'inner:8080',
      timeout: { connect: 1, send: 2, read: 3 },
      retries: 0,
      retry_timeout: 0.5,
      keepalive_pool: { size: 1, idle_timeout: 2.5, requests: 3 },
    },
  });
  assert.equal(service.enabled, false);
  assert.deepEqual(service.hosts, ['api.example.com', '*.example.org']);
  assert.equal(service.pathPrefix, '/v1');
  assert.equal(service.stripPathPrefix, false);
  assert.deepEqual(service.plugins, new Map([['key-auth', { header: 'x' }]]));
  assert.deepEqual(service.upstream, {
    scheme: 'http',
    nodes: [],
    discovery: undefined,
    balancing: { kind: 'roundrobin' },
    tls: undefined,
    isGrpc: false,
    checks: undefined,
    passHost: 'rewrite',
    upstreamHost: 'inner:8080',
    connectTimeoutMs: 1000,
    sendTimeoutMs: 2000,
    readTimeoutMs: 3000,
    retries: 0,
    retryTimeoutMs: 500,
    keepalivePoolSize: 1,
    keepaliveIdleTimeoutMs: 2500,
    keepaliveRequests: 3,
  });
});

test('WebSocket is as the route says, or else its service, or else off', () => {
  const route = { name: 'r', service_id: 's', paths: ['/'] };
  assert.deepEqual(
    [true, false, null].map((enable_websocket) => readRoute({ ...route, enable_websocket }).enableWebsocket),
    [true, false, undefined],
  );
  assert.deepEqual(
    [true, false, null].map((enable_websocket) => readService({ name: 's', enable_websocket }).enableWebsocket),
    [true, false, false],
  );
});

test('a service may be without an upstream', () => {
  assert.equal(readService({ name: 's' }).upstream, undefined);
});

test('a time-out beyond what timers hold becomes the longest that they hold', () => {
  const route = readRoute({ name: 'r', service_id: 's', paths: ['/'], timeout: { read: 1e12 } });
  assert.deepEqual(route.timeouts, { connectTimeoutMs: 60_000, sendTimeoutMs: 60_000, readTimeoutMs: 2_147_483_647 });
});

test('a route is read with every default in place', () => {
  assert.deepEqual(readRoute({ name: 'r', service_id: 's', paths: ['/a', '/b*'] }), {
    name: 'r',
    enabled: true,
    serviceId: 's',
    paths: ['/a', '/b*'],
    methods: undefined,
    vars: [],
    remoteAddresses: [],
    priority: 0,
    timeouts: undefined,
    enableWebsocket: undefined,
    plugins: new Map(),
  });
  const route = readRoute({ name: 'r', service_id: 's', paths: ['/'], methods: ['GET'], priority: -3, status: 0 });
  assert.deepEqual([route.methods, route.priority, route.enabled], [['GET'], -3, false]);
  const narrowed = { name: 'r', service_id: 's', paths: ['/'], vars: [['arg_a', '1']] };
  assert.deepEqual(readRoute({ ...narrowed, remote_addr: '::1' }).remoteAddresses, ['::1']);
  assert.deepEqual(readRoute({ ...narrowed, remote_addrs: ['10.0.0.0/8', '::1'] }).remoteAddresses, ['10.0.0.0/8', '::1']);
  assert.deepEqual(readRoute(narrowed).vars, [['arg_a', '1']]);
});

test('a rule that this version cannot enforce is never read as if it were not there', () => {
  const unenforceable = [
    () => readRoute({ name: 'r', service_id: 's', paths: ['/'], remote_addr: 'nowhere' }),
    () => readRoute({ name: 'r', service_id: 's', paths: ['/'], methods: 'GET' }),
    () => readService({ name: 's', type: 'stream', upstream: { discovery_type: 'consul', service_name: 'x' } }),
    () => readService({ name: 's', upstream: { scheme: 'udp', nodes: [] } }),
  ];
  for (const read of unenforceable) {
    assert.throws(
      read,
      (error) => error instanceof PortcullisError && error.reason === 'internal' && error.message.includes('Error at "/'),
    );
  }
});

test('of a consumer the labels, the custom id among them, and the plugins are read, whatever else is there', () => {
  const none = { customId: undefined, labels: new Map(), plugins: new Map() };
  assert.deepEqual(readConsumer({}), none);
  assert.deepEqual(readConsumer({ labels: { custom_id: '42', team: 'a', n: 7 }, plugins: { x: {} } }), {
    customId: '42',
    labels: new Map([
      ['custom_id', '42'],
      ['team', 'a'],
    ]),
    plugins: new Map([['x', {}]]),
  });
  for (const labels of [{ custom_id: 42 }, [], 'x', null, JSON.parse('{"__proto__":{"custom_id":"x"}}')]) {
    assert.deepEqual(readConsumer({ labels, plugins: [] }), none);
  }
  assert.equal(readConsumer({ labels: { custom_id: '' } }).customId, undefined);
});

test('reading leaves the document as it was', () => {
  const document = { name: 's', upstream: { nodes: [{ host: 'a', port: 1, weight: 1 }] } };
  readService(document);
  assert.deepEqual(document, { name: 's', upstream: { nodes: [{ host: 'a', port: 1, weight: 1 }] } });
});
