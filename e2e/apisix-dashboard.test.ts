import assert from 'node:assert/strict';
import test from 'node:test';
import { statusFor } from '../test-support/ask-gateway.ts';
import { type ExposedSample, parseExposition } from '../test-support/parse-exposition.ts';
import { runningInstance, until } from '../test-support/running-instance.ts';
import { temporaryFolder } from '../test-support/temporary-folder.ts';

interface Query {
  readonly metric: string;
  /** The values of labels that the query asks for; each must be there. */
  readonly where?: Readonly<Record<string, readonly string[]>>;
  /** Labels by which it filters or sums: each sample must have them. */
  readonly labels?: readonly string[];
}

const REQUEST_VARIABLES = ['service', 'route'];

/** What the panels and variables of APISIX's dashboard (Grafana 11719) ask for and is to be had here. */
const QUERIES: readonly Query[] = [
  { metric: 'apisix_http_requests_total' },
  { metric: 'apisix_nginx_http_current_connections', where: { state: ['accepted', 'handled', 'active'] } },
  { metric: 'apisix_bandwidth', where: { type: ['ingress', 'egress'] }, labels: REQUEST_VARIABLES },
  { metric: 'apisix_http_status', where: { code: ['200', '401'] }, labels: REQUEST_VARIABLES },
  {
    metric: 'apisix_http_latency_bucket',
    where: { type: ['request', 'upstream', 'apisix'], le: ['1', '1000', '+Inf'] },
    labels: [...REQUEST_VARIABLES, 'consumer', 'node'],
  },
  { metric: 'apisix_etcd_modify_indexes', where: { key: ['max_modify_index'] } },
  { metric: 'apisix_etcd_reachable' },
  { metric: 'apisix_nginx_metric_errors_total' },
  { metric: 'apisix_shared_dict_free_space_bytes', labels: ['name'] },
  { metric: 'apisix_shared_dict_capacity_bytes', labels: ['name'] },
  // Of other dashboards and alerts that are made for APISIX.
  { metric: 'apisix_node_info', labels: ['hostname', 'version'] },
  { metric: 'apisix_upstream_status', labels: ['name', 'ip', 'port'] },
];

/** What the dashboard asks for and nothing here stands for, as `docs/operations.md` tells. */
const LEFT_OUT: readonly Query[] = [
  { metric: 'apisix_nginx_http_current_connections', where: { state: ['reading', 'writing', 'waiting'] } },
  { metric: 'apisix_etcd_modify_indexes', where: { key: ['consumers', 'routes', 'services', 'prev_index', 'x_etcd_index'] } },
];

function matching(samples: readonly ExposedSample[], metric: string, label: string, value: string): readonly ExposedSample[] {
  return samples.filter((sample) => sample.name === metric && sample.labels[label] === value);
}

test('every query of APISIX’s dashboard finds its metric with its labels, but for those that the docs leave out', async (t) => {
  const instance = await runningInstance(t, { dataFolder: await temporaryFolder(t) });
  const nodes = [{ host: '127.0.0.1', port: instance.ports.demo, weight: 1 }];
  const checks = { active: { type: 'http', http_path: '/', healthy: { interval: 1 }, unhealthy: { interval: 1 } } };
  const writes: readonly (readonly [string, unknown])[] = [
    ['global_rules/prometheus', { id: 'prometheus', plugins: { prometheus: {} } }],
    ['services/shop', { name: 'shop', upstream: { type: 'roundrobin', nodes, checks } }],
    ['routes/orders', { name: 'orders', paths: ['/anything'], service_id: 'shop', plugins: { 'key-auth': {} } }],
    ['consumers/jack', { username: 'jack' }],
    ['consumers/jack/credentials/one', { plugins: { 'key-auth': { key: 'a-key-of-jack-for-this-test' } } }],
  ];
  for (const [resource, body] of writes) {
    const answer = await instance.admin('PUT', `/apisix/admin/${resource}`, body);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
  }
  const port = instance.ports.http;
  assert.equal(await statusFor({ port, path: '/anything', key: 'a-key-of-jack-for-this-test' }), 200);
  assert.equal(await statusFor({ port, path: '/anything' }), 401);

  let samples: readonly ExposedSample[] = [];
  const scrape = async (): Promise<void> => {
    const answer = await fetch(`http://127.0.0.1:${instance.ports.metrics}/apisix/prometheus/metrics`);
    samples = parseExposition(await answer.text());
  };
  // A text is up to a second old, and a node is checked only after it was used.
  await until(async () => {
    await scrape();
    const isCounted = matching(samples, 'apisix_http_status', 'code', '401').length > 0;
    return isCounted && samples.some(({ name }) => name === 'apisix_upstream_status');
  }, 'the requests are counted');

  for (const { metric, where = {}, labels = [] } of QUERIES) {
    const found = samples.filter(({ name }) => name === metric);
    assert.ok(found.length > 0, metric);
    for (const [label, values] of Object.entries(where))
      for (const value of values) assert.ok(matching(found, metric, label, value).length > 0, `${metric}{${label}="${value}"}`);
    for (const label of labels) for (const sample of found) assert.ok(Object.hasOwn(sample.labels, label), `${metric} has ${label}`);
  }
  const [ok] = matching(samples, 'apisix_http_status', 'code', '200');
  const { route, service, consumer, node } = ok?.labels ?? {};
  assert.deepEqual({ route, service, consumer, node }, { route: 'orders', service: 'shop', consumer: 'jack', node: '127.0.0.1' });
  for (const { metric, where = {} } of LEFT_OUT)
    for (const [label, values] of Object.entries(where))
      for (const value of values) assert.deepEqual(matching(samples, metric, label, value), [], `${metric}{${label}="${value}"}`);
});
