import assert from 'node:assert/strict';
import test from 'node:test';
import type { JsonObject } from '../../plugin-kit/index.ts';
import {
  configurationError,
  createPlugin,
  exampleOf,
  readExamples,
  runLog,
  TestRequest,
  type TestRequestOptions,
  testSetup,
} from '../../plugin-kit/testing/index.ts';
import { compileValidator } from '../../schema/index.ts';
import { prometheus } from './plugin.ts';
import { prometheusSchema } from './schema.ts';

const JACK = { username: 'jack', customId: undefined, credentialId: 'laptop' };
const LATENCY = 'apisix_http_latency';
const STATUS = 'apisix_http_status';
const BANDWIDTH = 'apisix_bandwidth';
/** request_type, request_llm_model, llm_model. */
const TYPES = ['traditional_http', '', ''];

function logged(request: TestRequestOptions, configuration: JsonObject = {}, metadata?: JsonObject) {
  const setup = testSetup(metadata === undefined ? {} : { metadata });
  runLog(createPlugin(prometheus, configuration, setup), new TestRequest(request));
  return setup.metrics;
}

test('a request is counted under what APISIX labels it with', () => {
  const metrics = logged({
    route: { pattern: '/orders/*', hostPattern: '*.example.com' },
    consumer: JACK,
    answer: { status: 201, upstreamAddress: '198.51.100.7:1980', bytesFromClient: 120, bytesToClient: 3400 },
  });
  const common = ['service-1', 'jack', '198.51.100.7', ...TYPES];
  assert.equal(metrics.value(STATUS, ['201', 'route-1', '/orders/*', '*.example.com', ...common, 'upstream']), 1);
  assert.equal(metrics.value(BANDWIDTH, ['ingress', 'route-1', ...common]), 120);
  assert.equal(metrics.value(BANDWIDTH, ['egress', 'route-1', ...common]), 3400);
});

test('names, labels and buckets are those of APISIX', () => {
  const { definitions } = logged({});
  const common = ['route', 'service', 'consumer', 'node', 'request_type', 'request_llm_model', 'llm_model'];
  assert.deepEqual([...definitions.keys()], [STATUS, LATENCY, BANDWIDTH, 'errors_total']);
  assert.deepEqual(definitions.get(STATUS)?.labels, [
    'code',
    'route',
    'matched_uri',
    'matched_host',
    ...common.slice(1),
    'response_source',
  ]);
  assert.deepEqual(definitions.get(LATENCY)?.labels, ['type', ...common]);
  assert.deepEqual(definitions.get(BANDWIDTH)?.labels, ['type', ...common]);
  const buckets = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000];
  assert.deepEqual(definitions.get(LATENCY)?.buckets, buckets);
});

test('the time of a request is divided between upstream and gateway', () => {
  const common = ['route-1', 'service-1', '', '198.51.100.7', ...TYPES];
  const metrics = logged({ answer: { headReadAtMs: 100, decidedAtMs: 103, firstByteAtMs: 150, finishedAtMs: 160 } });
  assert.deepEqual(metrics.observations(LATENCY, ['request', ...common]), [60]);
  assert.deepEqual(metrics.observations(LATENCY, ['upstream', ...common]), [57]);
  assert.deepEqual(metrics.observations(LATENCY, ['apisix', ...common]), [3]);
});

test('where no upstream was asked all time is the gateway’s, and there is no time of an upstream', () => {
  const common = ['route-1', 'service-1', '', '', ...TYPES];
  const answer = { status: 401, reason: 'key_missing', responseSource: 'apisix', upstreamAddress: undefined } as const;
  const metrics = logged({ answer: { ...answer, headReadAtMs: 100, decidedAtMs: 103, finishedAtMs: 104 } });
  assert.deepEqual(metrics.observations(LATENCY, ['request', ...common]), [4]);
  assert.deepEqual(metrics.observations(LATENCY, ['apisix', ...common]), [4]);
  assert.deepEqual(metrics.observations(LATENCY, ['upstream', ...common]), []);
  assert.equal(metrics.value(STATUS, ['401', 'route-1', '/*', '', 'service-1', '', '', ...TYPES, 'apisix']), 1);
});

test('times that make no sense become none', () => {
  const common = ['route-1', 'service-1', '', '198.51.100.7', ...TYPES];
  const metrics = logged({ answer: { headReadAtMs: 0, decidedAtMs: 200, finishedAtMs: 160 } });
  for (const type of ['request', 'upstream', 'apisix']) assert.deepEqual(metrics.observations(LATENCY, [type, ...common]), [0]);
});

test('a request without a route, which only a global rule sees, has empty labels', () => {
  const answer = { status: 404, reason: 'route_not_found', responseSource: 'apisix', upstreamAddress: undefined } as const;
  const metrics = logged({ route: null, answer }, { prefer_name: true });
  assert.equal(metrics.value(STATUS, ['404', '', '', '', '', '', '', ...TYPES, 'apisix']), 1);
});

test('a client that went away before there was an answer is a 499', () => {
  const metrics = logged({ answer: { status: 0, reason: 'client_aborted', responseSource: 'apisix' } });
  assert.equal(metrics.value(STATUS, ['499', 'route-1', '/*', '', 'service-1', '', '198.51.100.7', ...TYPES, 'apisix']), 1);
});

test('prefer_name takes the names, and the ids of what has none', () => {
  const node = '198.51.100.7';
  const named = logged({}, { prefer_name: true });
  assert.equal(named.value(STATUS, ['200', 'orders', '/*', '', 'shop', '', node, ...TYPES, 'upstream']), 1);
  const nameless = logged({ route: { name: '', serviceName: '' } }, { prefer_name: true });
  assert.equal(nameless.value(STATUS, ['200', 'route-1', '/*', '', 'service-1', '', node, ...TYPES, 'upstream']), 1);
});

test('a node is an address without its port, of either family', () => {
  for (const [upstreamAddress, node] of [
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['10.0.0.1:80', '10.0.0.1'],
  ] as const) {
    const metrics = logged({ answer: { upstreamAddress } });
    assert.equal(metrics.value(BANDWIDTH, ['ingress', 'route-1', 'service-1', '', node, ...TYPES]), 100);
  }
});

test('every reason is counted with who is to blame, and a request that went well has none', () => {
  const setup = testSetup();
  const instance = createPlugin(prometheus, {}, setup);
  for (const reason of ['key_missing', 'key_missing', 'connect_refused', 'drain_timeout', undefined]) {
    runLog(instance, new TestRequest({ answer: { reason } }));
  }
  assert.equal(setup.metrics.value('errors_total', ['key_missing', 'client']), 2);
  assert.equal(setup.metrics.value('errors_total', ['connect_refused', 'upstream']), 1);
  assert.equal(setup.metrics.value('errors_total', ['drain_timeout', 'gateway']), 1);
  assert.deepEqual(setup.metrics.definitions.get('errors_total')?.labels, ['reason', 'source']);
});

test('labels that the metadata switches off are empty, in that metric only', () => {
  const metadata = { disabled_labels: { http_status: ['consumer', 'matched_uri', 'response_source'], bandwidth: ['node', 'route'] } };
  const metrics = logged({ consumer: JACK, route: { pattern: '/a', hostPattern: 'h' } }, {}, metadata);
  const node = '198.51.100.7';
  assert.equal(metrics.value(STATUS, ['200', 'route-1', '', 'h', 'service-1', '', node, ...TYPES, '']), 1);
  assert.equal(metrics.value(BANDWIDTH, ['ingress', '', 'service-1', 'jack', '', ...TYPES]), 100);
  assert.deepEqual(metrics.observations(LATENCY, ['request', 'route-1', 'service-1', 'jack', node, ...TYPES]), [9]);
});

test('requests that differ in any label are counted apart, however many there are', () => {
  const setup = testSetup();
  const instance = createPlugin(prometheus, {}, setup);
  const all = [200, 404].flatMap((status) =>
    (['upstream', 'apisix', 'nginx'] as const).flatMap((source) =>
      ['/a', '/b'].flatMap((pattern) => ['', 'h'].map((hostPattern) => ({ status, source, pattern, hostPattern }))),
    ),
  );
  for (const { status, source, pattern, hostPattern } of [...all, ...all]) {
    runLog(instance, new TestRequest({ route: { pattern, hostPattern }, answer: { status, responseSource: source } }));
  }
  for (const { status, source, pattern, hostPattern } of all) {
    const labels = [`${status}`, 'route-1', pattern, hostPattern, 'service-1', '', '198.51.100.7', ...TYPES, source];
    assert.equal(setup.metrics.value(STATUS, labels), 2);
  }
  for (let node = 0; node < 5000; node++) {
    const upstreamAddress = `10.0.${node >> 8}.${node & 255}:80`;
    for (let round = 0; round < 2; round++) runLog(instance, new TestRequest({ answer: { upstreamAddress } }));
  }
  for (const node of ['10.0.0.0', '10.0.19.135']) {
    assert.equal(setup.metrics.value(BANDWIDTH, ['ingress', 'route-1', 'service-1', '', node, ...TYPES]), 200);
  }
});

test('the plugin is asked once where a global rule and a route have it, and the client’s head is not kept for it', () => {
  assert.equal(prometheus.runPolicy, 'prefer-route');
  assert.equal(prometheus.readsHeadLater, false);
  assert.deepEqual([prometheus.name, prometheus.priority, prometheus.version], ['prometheus', 500, '0.2']);
});

test('prefer_name is true or false, and what is unknown is let be', () => {
  for (const configuration of [{}, { prefer_name: true }, { test: 'test' }])
    assert.equal(configurationError(prometheusSchema, configuration), '');
  assert.match(configurationError(prometheusSchema, { prefer_name: 'yes' }), /^Error at "\/plugins\/prometheus\/prefer_name"/);
});

test('the metadata may switch off labels of three metrics, but none that a sum needs', () => {
  assert.ok(prometheusSchema.metadataSchema !== undefined);
  const validate = compileValidator(prometheusSchema.metadataSchema);
  const common = ['route', 'service', 'consumer', 'node', 'request_type', 'request_llm_model', 'llm_model'];
  const good = [
    {},
    { disabled_labels: {} },
    {
      disabled_labels: {
        http_status: [...common, 'matched_uri', 'matched_host', 'response_source'],
        http_latency: common,
        bandwidth: common,
      },
    },
  ];
  for (const metadata of good) assert.equal(validate(metadata).ok, true);
  const bad = [
    { http_status: ['code'] },
    { http_latency: ['type'] },
    { bandwidth: ['type'] },
    { bandwidth: ['matched_uri'] },
    { http_status: ['other'] },
    { http_status: 'node' },
    { http_status: ['node', 'node'] },
    { node_info: ['hostname'] },
    { errors_total: ['reason'] },
  ];
  for (const disabled of bad) assert.equal(validate({ disabled_labels: disabled }).ok, false);
  assert.equal(validate({ disabled_labels: [] }).ok, false);
});

test('the examples of the page work', async () => {
  const [route, metadata] = await readExamples(import.meta.dirname);
  assert.equal(configurationError(prometheusSchema, exampleOf(route, 'prometheus')), '');
  const metrics = logged({ consumer: JACK }, exampleOf(route, 'prometheus'), metadata);
  assert.equal(metrics.value(STATUS, ['200', 'orders', '/*', '', 'shop', '', '198.51.100.7', ...TYPES, 'upstream']), 1);
  assert.deepEqual(metrics.observations(LATENCY, ['request', 'orders', 'shop', 'jack', '', ...TYPES]), [9]);
});
