import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { sampleValue } from '../../test-support/parse-exposition.ts';
import type { JsonObject } from '../lib/json.ts';
import type { SnapshotItem } from '../schema/index.ts';
import { routeItem, serviceItem } from './testing/guide-items.ts';
import { type RequestText, sendRequest } from './testing/send-request.ts';
import { keyDigestOf, startTestGateway } from './testing/test-gateway.ts';
import { startTestUpstream } from './testing/test-upstream.ts';

const worker = { httpDescriptors: [], httpsDescriptors: [] };
const gateway = await startTestGateway({ after }, { workers: [worker, worker] });
const [own, other] = [await startTestUpstream({ after }), await startTestUpstream({ after })];

const inlineUpstream = { type: 'roundrobin', nodes: { [`127.0.0.1:${other.port}`]: 1 } };
const secondHalf = { match: [{ vars: [['arg_v', '==', '2']] }], weighted_upstreams: [{ upstream: inlineUpstream }] };
await gateway.load([
  routeItem('counted', { paths: ['/counted/*'], plugins: { prometheus: { prefer_name: true } } }),
  routeItem('split', { paths: ['/split'], plugins: { 'traffic-split': { rules: [secondHalf] } } }),
  routeItem('named', { paths: ['/named'], plugins: { 'request-id': { header_name: 'X-Trace', algorithm: 'uuidv7' } } }),
  routeItem('fronted', { paths: ['/fronted'], plugins: { 'real-ip': { source: 'http_x_client', trusted_addresses: ['127.0.0.1'] } } }),
  routeItem('broken', {
    paths: ['/broken'],
    plugins: { prometheus: {}, 'fault-injection': { delay: { duration: 0.01 }, abort: { http_status: 503, body: 'at $uri' } } },
  }),
  routeItem('mocked', { paths: ['/mocked'], plugins: { mocking: { delay: 0, response_example: '{"who":"$remote_addr"}' } } }),
  serviceItem(own.port),
]);
await gateway.agent.whenReady();

const ask = (target: string, headers: readonly string[] = []) => sendRequest(gateway.httpPort, { target, headers } satisfies RequestText);

test('requests of both workers are counted under APISIX’s names, and errors under their reason', async () => {
  const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => ask(`/counted/${index}`)));
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
  assert.deepEqual([(await ask('/broken')).status, (await ask('/broken')).body], [503, 'at /broken']);
  const models = { request_type: 'traditional_http', request_llm_model: '', llm_model: '' };
  const common = { route: 'counted', service: 'service', consumer: '', node: '127.0.0.1', ...models };
  const status = { code: '200', matched_uri: '/counted/*', matched_host: '', response_source: 'upstream', ...common };
  const read = async (): Promise<string> => (await sendRequest(gateway.metricsPort, { target: '/apisix/prometheus/metrics' })).body;
  const isComplete = (text: string): boolean =>
    sampleValue(text, 'portcullis_errors_total', { reason: 'fault_injected', source: 'gateway' }) === 2 &&
    sampleValue(text, 'apisix_http_status', status) === 20;
  // A text is up to a second old.
  let text = await read();
  while (!isComplete(text)) text = await read();
  for (const type of ['request', 'upstream', 'apisix'])
    assert.equal(sampleValue(text, 'apisix_http_latency_count', { type, ...common }), 20);
  assert.ok((sampleValue(text, 'apisix_bandwidth', { type: 'egress', ...common }) ?? 0) > 20 * 100);
  const broken = { code: '503', matched_uri: '/broken', matched_host: '', response_source: 'apisix', ...common, route: 'broken', node: '' };
  assert.equal(sampleValue(text, 'apisix_http_status', broken), 2);
});

test('a rule of traffic-split sends its requests to an upstream of its own', async () => {
  const before = [own.requests.length, other.requests.length];
  await ask('/split?v=1');
  await ask('/split?v=2');
  assert.deepEqual([own.requests.length, other.requests.length], [(before[0] ?? 0) + 1, (before[1] ?? 0) + 1]);
  assert.equal(other.requests.at(-1)?.target, '/split?v=2');
});

test('an id reaches the upstream and the client, one of the client’s own unchanged', async () => {
  const answer = await ask('/named');
  const id = own.requests.at(-1)?.headers['x-trace'];
  assert.match(String(id), /^[0-9a-f]{8}-[0-9a-f]{4}-7/);
  assert.ok(answer.head.includes(`X-Trace: ${id}\r\n`));
  assert.match((await ask('/named', ['X-Trace: mine'])).head, /^X-Trace: mine\r$/m);
  assert.equal(own.requests.at(-1)?.headers['x-trace'], 'mine');
});

test('the address that real-ip takes is the one that the upstream gets', async () => {
  await ask('/fronted', ['X-Client: 203.0.113.9']);
  assert.equal(own.requests.at(-1)?.headers['x-real-ip'], '203.0.113.9');
});

test('a mocked route asks no upstream', async () => {
  const before = own.requests.length;
  const answer = await ask('/mocked');
  assert.deepEqual([answer.status, answer.body], [200, '{"who":"127.0.0.1"}']);
  assert.match(answer.head, /^x-mock-by: APISIX\/\S+\r$/m);
  assert.match(answer.head, /^Content-Type: application\/json;charset=utf8\r$/m);
  assert.equal(own.requests.length, before);
});

test('names in the upstreams of a consumer’s and of a global rule’s plugins are resolved before a request needs them', async (t) => {
  const named = await startTestGateway(t);
  const splitTo = (port: number): JsonObject => ({
    'traffic-split': { rules: [{ weighted_upstreams: [{ upstream: { type: 'roundrobin', nodes: { [`localhost:${port}`]: 1 } } }] }] },
  });
  const jack: SnapshotItem = { kind: 'consumer', id: 'jack', value: { plugins: splitTo(other.port) }, keys: [keyDigestOf('the-key')] };
  const rule: SnapshotItem = { kind: 'global_rule', id: 'traffic-split', value: { plugins: splitTo(own.port) } };
  const routes = [
    routeItem('guarded', { paths: ['/of-consumer'], plugins: { 'key-auth': {} } }),
    routeItem('open', { paths: ['/of-rule'] }),
  ];
  // Nobody listens at the service's own node.
  await named.load([serviceItem(1), ...routes, jack, rule]);
  await named.agent.whenReady();
  const askNamed = (target: string) => sendRequest(named.httpPort, { target, headers: ['apikey: the-key'] });
  assert.deepEqual([(await askNamed('/of-consumer')).status, other.requests.at(-1)?.target], [200, '/of-consumer']);
  assert.deepEqual([(await askNamed('/of-rule')).status, own.requests.at(-1)?.target], [200, '/of-rule']);
});
