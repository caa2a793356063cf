import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import test from 'node:test';
import { parseExposition, sampleValue } from '../../../test-support/parse-exposition.ts';
import { registerInstanceGauges } from './instance-gauges.ts';
import { InstanceMetrics } from './instance-metrics.ts';
import { METRICS_LIMITS } from './metrics-handles.ts';

function startInstance(facts: { revision: number | undefined; reachable: boolean }) {
  const metrics = new InstanceMetrics(1);
  registerInstanceGauges(metrics, {
    load: () => ({
      limits: { clientConnections: 90, upstreamConnections: 80, connectionsPerAddress: 7, requestsPerService: 40, requestsPerNode: 0 },
      clientConnections: 12,
      upstreamConnections: 5,
      pausedWorkers: 1,
      pauses: 2,
      refused: {
        too_many_connections: 3,
        too_many_connections_of_client: 4,
        service_overloaded: 1,
        nodes_overloaded: 0,
        too_many_upstream_connections: 0,
        out_of_descriptors: 0,
      },
    }),
    admittedClients: () => 100,
    counterUsage: () => ({ bytes: 1000, capacity: 10, fill: 0.25, exhausted: 0.125, evictions: 3, recordEvictions: 4, unavailable: 5 }),
    revision: () => facts.revision,
    controlPlaneIsReachable: () => facts.reachable,
    nodeStates: () => [{ upstream: '/apisix/services/s', address: '::1', port: 80, isUp: false }],
    loopLagsMs: () => [['agent', 1], ['worker 0', 250]], // biome-ignore format: one thought
    descriptorLimit: 1024,
    hostName: 'gateway "1"',
    version: '1.2.3',
    startedAtMs: 1_800_000_000_500,
  });
  return () => [...metrics.pieces()].join('');
}

test('what APISIX tells of an instance has its names, labels and types', () => {
  const read = startInstance({ revision: 17, reachable: true });
  const text = read();
  const connections = ['active', 'accepted', 'handled'].map((state) =>
    sampleValue(text, 'apisix_nginx_http_current_connections', { state }),
  );
  assert.deepEqual(connections, [12, 107, 100]);
  assert.equal(sampleValue(text, 'apisix_etcd_reachable'), 1);
  assert.equal(sampleValue(text, 'apisix_etcd_modify_indexes', { key: 'max_modify_index' }), 17);
  assert.equal(sampleValue(text, 'apisix_node_info', { hostname: 'gateway "1"', version: '1.2.3' }), 1);
  assert.match(text, /^# TYPE apisix_nginx_http_current_connections gauge$/m);
});

test('loads, limits, refusals and delays of the instance are there', () => {
  const text = startInstance({ revision: 17, reachable: true })();
  assert.equal(sampleValue(text, 'portcullis_client_connections'), 12);
  assert.equal(sampleValue(text, 'portcullis_client_connections_limit'), 90);
  assert.equal(sampleValue(text, 'portcullis_upstream_connections'), 5);
  assert.equal(sampleValue(text, 'portcullis_upstream_connections_limit'), 80);
  assert.equal(sampleValue(text, 'portcullis_refused_total', { reason: 'service_overloaded' }), 1);
  assert.equal(sampleValue(text, 'portcullis_accepting_paused_workers'), 1);
  assert.equal(sampleValue(text, 'portcullis_accepting_pauses_total'), 2);
  assert.equal(sampleValue(text, 'portcullis_event_loop_lag_seconds', { thread: 'worker 0' }), 0.25);
  assert.equal(sampleValue(text, 'portcullis_configuration_revision'), 17);
  assert.equal(sampleValue(text, 'process_start_time_seconds'), 1_800_000_000.5);
  assert.equal(sampleValue(text, 'process_max_fds'), 1024);
  assert.ok((sampleValue(text, 'process_resident_memory_bytes') ?? 0) > 1e6);
  assert.ok((sampleValue(text, 'process_cpu_seconds_total') ?? 0) > 0);
});

test('a node with health checks is 1 as long as it is used', () => {
  const text = startInstance({ revision: 17, reachable: true })();
  assert.equal(sampleValue(text, 'apisix_upstream_status', { name: '/apisix/services/s', ip: '::1', port: '80' }), 0);
});

test('how full the memory of counters is has the names of APISIX’s dictionaries, and its evictions are told', () => {
  const text = startInstance({ revision: 17, reachable: true })();
  assert.equal(sampleValue(text, 'apisix_shared_dict_capacity_bytes', { name: 'counters' }), 1000);
  assert.equal(sampleValue(text, 'apisix_shared_dict_free_space_bytes', { name: 'counters' }), 750);
  assert.equal(sampleValue(text, 'portcullis_counters_exhausted_ratio'), 0.125);
  assert.equal(sampleValue(text, 'portcullis_counter_evictions_total'), 7);
  assert.equal(sampleValue(text, 'portcullis_counter_unavailable_total'), 5);
});

test('without a configuration and a control plane the metrics say so, and are there all the same', () => {
  const text = startInstance({ revision: undefined, reachable: false })();
  assert.equal(sampleValue(text, 'apisix_etcd_reachable'), 0);
  assert.equal(sampleValue(text, 'apisix_etcd_modify_indexes', { key: 'max_modify_index' }), 0);
  assert.equal(sampleValue(text, 'portcullis_configuration_revision'), undefined);
});

test('open descriptors are counted where the system tells', { skip: process.platform !== 'linux' }, async () => {
  const read = startInstance({ revision: 1, reachable: true });
  // An older Linux counts while nobody waits for it.
  while (sampleValue(read(), 'process_open_fds') === undefined) await new Promise((resolve) => setImmediate(resolve));
  const before = sampleValue(read(), 'process_open_fds') ?? 0;
  const opened = Array.from({ length: 20 }, () => openSync(devNull, 'r'));
  try {
    while ((sampleValue(read(), 'process_open_fds') ?? 0) < before + 20) await new Promise((resolve) => setImmediate(resolve));
  } finally {
    for (const descriptor of opened) closeSync(descriptor);
  }
});

test('a metric that cannot be read is left out and counted, and a name can be taken once', () => {
  const metrics = new InstanceMetrics(1);
  metrics.registerGauge({ name: 'good', help: 'Good', labels: ['x'] }, () => [{ labels: ['1'], value: 5 }]);
  metrics.registerGauge({ name: 'bad', help: 'Bad', labels: [] }, () => {
    throw new Error('no');
  });
  const text = [...metrics.pieces()].join('');
  assert.equal(sampleValue(text, 'portcullis_good', { x: '1' }), 5);
  assert.ok(!parseExposition(text).some(({ name }) => name === 'portcullis_bad'));
  assert.equal(sampleValue([...metrics.pieces()].join(''), 'apisix_nginx_metric_errors_total'), 1);
  assert.throws(() => metrics.registerCounter({ name: 'good', help: '', labels: [] }, () => []), TypeError);
});

test('a metric that is read has as many series as there may be, and what is left out is counted', () => {
  const metrics = new InstanceMetrics(1);
  metrics.registerGauge({ name: 'apisix_upstream_status', help: 'Nodes', labels: ['port'] }, () =>
    Array.from({ length: METRICS_LIMITS.series + 5 }, (_, port) => ({ labels: [String(port)], value: 1 })),
  );
  const read = (): string => [...metrics.pieces()].join('');
  const told = parseExposition(read()).filter(({ name }) => name === 'apisix_upstream_status');
  assert.equal(told.length, 20_000);
  const text = read();
  assert.equal(sampleValue(text, 'portcullis_metric_updates_beyond_limit_total', { metric: 'apisix_upstream_status' }), 5);
  assert.equal(sampleValue(text, 'apisix_nginx_metric_errors_total'), 5);
});
