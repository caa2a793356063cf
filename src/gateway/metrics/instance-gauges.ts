import type { CounterUsage } from '../counters/index.ts';
import type { NodeState } from '../health/index.ts';
import type { InstanceLoad } from '../limits/index.ts';
import type { GaugeReading, InstanceMetrics } from './instance-metrics.ts';
import { OpenDescriptors } from './open-descriptors.ts';

/** What the agent knows of its instance. */
export interface InstanceFacts {
  load(): InstanceLoad;
  /** Connections of clients that were let in since the process began. */
  admittedClients(): number;
  /** How full the memory of counters is. */
  counterUsage(): CounterUsage;
  /** The revision in force; undefined for none. */
  revision(): number | undefined;
  controlPlaneIsReachable(): boolean;
  /** Of nodes with health checks. */
  nodeStates(): readonly NodeState[];
  /** How late the timers of each thread were at worst lately, in milliseconds, by the thread's name. */
  loopLagsMs(): readonly (readonly [thread: string, lagMs: number])[];
  readonly descriptorLimit: number;
  readonly hostName: string;
  readonly version: string;
  /** Wall-clock milliseconds. */
  readonly startedAtMs: number;
}

/** Registers what an instance tells of itself: APISIX's gauges as far as there is something behind them, and our own. */
export function registerInstanceGauges(metrics: InstanceMetrics, facts: InstanceFacts): void {
  registerApisixGauges(metrics, facts);
  registerLoad(metrics, facts);
  registerCounters(metrics, facts);
  registerProcess(metrics, facts);
}

/** APISIX's names and labels (its plugin prometheus), for dashboards made for them. */
function registerApisixGauges(metrics: InstanceMetrics, facts: InstanceFacts): void {
  const { hostName, version } = facts;
  const connections = { name: 'apisix_nginx_http_current_connections', help: 'Connections of clients', labels: ['state'] };
  metrics.registerGauge(connections, () => {
    const { clientConnections, refused } = facts.load();
    const handled = facts.admittedClients();
    const accepted = handled + refused.too_many_connections + refused.too_many_connections_of_client;
    return [
      { labels: ['active'], value: clientConnections },
      { labels: ['accepted'], value: accepted },
      { labels: ['handled'], value: handled },
    ];
  });
  const reachable = { name: 'apisix_etcd_reachable', help: 'Whether the control plane can be reached', labels: [] };
  metrics.registerGauge(reachable, () => one(facts.controlPlaneIsReachable() ? 1 : 0));
  const modified = { name: 'apisix_etcd_modify_indexes', help: 'The revision of the configuration in force', labels: ['key'] };
  metrics.registerGauge(modified, () => [{ labels: ['max_modify_index'], value: facts.revision() ?? 0 }]);
  const info = { name: 'apisix_node_info', help: 'The instance', labels: ['hostname', 'version'] };
  metrics.registerGauge(info, () => [{ labels: [hostName, version], value: 1 }]);
  const nodes = { name: 'apisix_upstream_status', help: 'Whether a node with health checks is used', labels: ['name', 'ip', 'port'] };
  metrics.registerGauge(nodes, () =>
    facts.nodeStates().map(({ upstream, address, port, isUp }) => ({ labels: [upstream, address, String(port)], value: isUp ? 1 : 0 })),
  );
}

function registerLoad(metrics: InstanceMetrics, facts: InstanceFacts): void {
  const gauge = (name: string, help: string, read: (load: InstanceLoad) => number): void =>
    metrics.registerGauge({ name, help, labels: [] }, () => one(read(facts.load())));
  gauge('client_connections', 'Open connections of clients', ({ clientConnections }) => clientConnections);
  gauge('client_connections_limit', 'Most open connections of clients', ({ limits }) => limits.clientConnections);
  gauge('upstream_connections', 'Open connections to upstreams, idle ones too', ({ upstreamConnections }) => upstreamConnections);
  gauge('upstream_connections_limit', 'Most open connections to upstreams', ({ limits }) => limits.upstreamConnections);
  gauge('accepting_paused_workers', 'Workers that accept nothing because descriptors are short', ({ pausedWorkers }) => pausedWorkers);
  metrics.registerCounter(
    { name: 'accepting_pauses_total', help: 'How often a worker stopped accepting because descriptors were short', labels: [] },
    () => one(facts.load().pauses),
  );
  metrics.registerCounter({ name: 'refused_total', help: 'Connections and requests that were too much', labels: ['reason'] }, () => {
    return Object.entries(facts.load().refused).map(([reason, value]) => ({ labels: [reason], value }));
  });
  metrics.registerGauge({ name: 'configuration_revision', help: 'The revision in force', labels: [] }, () => {
    const revision = facts.revision();
    return revision === undefined ? [] : one(revision);
  });
  const lag = {
    name: 'event_loop_lag_seconds',
    help: 'How late the timers of a thread were at worst in the last half minute',
    labels: ['thread'],
  };
  metrics.registerGauge(lag, () => facts.loopLagsMs().map(([thread, lagMs]) => ({ labels: [thread], value: lagMs / 1000 })));
}

/** The region in which limits count. APISIX has shared dictionaries in its place. */
function registerCounters(metrics: InstanceMetrics, facts: InstanceFacts): void {
  const dictionary = (name: string, help: string, read: (usage: CounterUsage) => number): void =>
    metrics.registerGauge({ name, help, labels: ['name'] }, () => [{ labels: ['counters'], value: read(facts.counterUsage()) }]);
  dictionary('apisix_shared_dict_capacity_bytes', 'Memory for counters', ({ bytes }) => bytes);
  dictionary('apisix_shared_dict_free_space_bytes', 'Memory for counters that is free', ({ bytes, fill }) =>
    Math.round(bytes * (1 - fill)),
  );
  const exhausted = { name: 'counters_exhausted_ratio', help: 'Share of the counters that are at their limit and stay', labels: [] };
  metrics.registerGauge(exhausted, () => one(facts.counterUsage().exhausted));
  const counter = (name: string, help: string, read: (usage: CounterUsage) => number): void =>
    metrics.registerCounter({ name, help, labels: [] }, () => one(read(facts.counterUsage())));
  counter(
    'counter_evictions_total',
    'Counters that made way before they expired',
    ({ evictions, recordEvictions }) => evictions + recordEvictions,
  );
  counter('counter_unavailable_total', 'Requests that could not be counted for want of room', ({ unavailable }) => unavailable);
}

/** The names that clients of Prometheus give these ("Writing client libraries", standard and runtime collectors). */
function registerProcess(metrics: InstanceMetrics, facts: InstanceFacts): void {
  const descriptors = new OpenDescriptors();
  const cpu = { name: 'process_cpu_seconds_total', help: 'Time of processors that all threads have used', labels: [] };
  metrics.registerCounter(cpu, () => {
    const { user, system } = process.cpuUsage();
    return one((user + system) / 1e6);
  });
  const memory = { name: 'process_resident_memory_bytes', help: 'Memory that the process has', labels: [] };
  metrics.registerGauge(memory, () => one(process.memoryUsage.rss()));
  const started = { name: 'process_start_time_seconds', help: 'When the process began, in seconds since 1970', labels: [] };
  metrics.registerGauge(started, () => one(facts.startedAtMs / 1000));
  metrics.registerGauge({ name: 'process_open_fds', help: 'Descriptors that are open', labels: [] }, () => {
    const open = descriptors.count();
    return open === undefined ? [] : one(open);
  });
  metrics.registerGauge({ name: 'process_max_fds', help: 'Descriptors that may be open', labels: [] }, () => one(facts.descriptorLimit));
}

function one(value: number): readonly GaugeReading[] {
  return [{ labels: [], value }];
}
