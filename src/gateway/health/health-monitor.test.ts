import assert from 'node:assert/strict';
import test from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { RecordingLogger } from '../../../test-support/recording-logger.ts';
import type { JsonObject } from '../../lib/json.ts';
import { systemRandom } from '../../lib/random.ts';
import { asUpstreamDocument, readUpstream } from '../../schema/index.ts';
import { HealthBoard } from './health-board.ts';
import type { HealthEntry } from './health-book.ts';
import { HealthMonitor } from './health-monitor.ts';
import { healthView } from './health-view.ts';
import type { HealthReport } from './node-health.ts';
import type { ProbeTarget } from './probe.ts';

interface OpenProbe {
  readonly target: ProbeTarget;
  readonly atMs: number;
  readonly timeoutMs: number;
  readonly finish: (report: HealthReport | undefined) => void;
}

/** A monitor whose probes the test answers. */
function makeMonitor(addresses: ReadonlyMap<string, readonly string[]> = new Map(), mayDial = () => true) {
  const clock = new FakeClock();
  const board = HealthBoard.forWorkers(1);
  const log = new RecordingLogger();
  const open: OpenProbe[] = [];
  const told = new Map<string, HealthEntry>();
  const monitor = new HealthMonitor({
    board,
    clock,
    log,
    random: systemRandom,
    mayDial,
    nodes: { addressesOf: (host) => addresses.get(host) ?? [host], nodesOf: () => undefined },
    probe: ({ timeoutMs }, target) => {
      let finish: OpenProbe['finish'] = () => {};
      const outcome = new Promise<HealthReport | undefined>((resolve) => {
        finish = resolve;
      });
      open.push({ target, atMs: clock.monotonicMs(), timeoutMs, finish });
      return { outcome, end: () => finish(undefined) };
    },
    tell: (put, removed) => {
      for (const key of removed) told.delete(key);
      for (const entry of put) told.set(entry.key, entry);
    },
  });
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 4; turn++) await Promise.resolve();
  };
  const answerAll = async (report: HealthReport): Promise<void> => {
    for (const { finish } of open.splice(0)) finish(report);
    await settle();
  };
  const put = (nodes: readonly string[], checks: JsonObject = { active: {} }, serviceId = 's') =>
    monitor.update([{ serviceId, upstreamId: undefined, settings: settingsOf(nodes, checks) }]);
  const states = (): Record<string, string> =>
    Object.fromEntries(
      Array.from(monitor.upstreams).flatMap(({ nodes }) => [...nodes.values()].map((node) => [node.address, node.health.state])),
    );
  return { monitor, clock, board, log, open, told, settle, answerAll, put, states };
}

function settingsOf(hosts: readonly string[], checks: JsonObject) {
  const nodes = hosts.map((host) => ({ host, port: 80, weight: 1 }));
  return readUpstream(asUpstreamDocument({ nodes, checks }));
}

const FALLS_AT_ONCE = { active: { healthy: { successes: 1 }, unhealthy: { tcp_failures: 1 } } };

test('first checks are spread over the interval, and never more run at once than the upstream allows', async () => {
  const { clock, open, monitor } = makeMonitor();
  const hosts = Array.from({ length: 100 }, (_, index) => `10.0.0.${index}`);
  const settings = (from: number) => settingsOf(hosts.slice(from, from + 25), { active: { concurrency: 25, healthy: { interval: 10 } } });
  monitor.update([0, 25, 50, 75].map((from) => ({ serviceId: `s${from}`, upstreamId: undefined, settings: settings(from) })));
  clock.advance(10_100);
  assert.equal(open.length, 100);
  const byPart = Map.groupBy(open, ({ atMs }) => Math.floor(atMs / 1000));
  for (const [part, probes] of byPart) assert.ok(probes.length < 35, `${probes.length} in second ${part}`);
  monitor.close();
  const other = makeMonitor();
  other.put(hosts, { active: { concurrency: 3 } });
  other.clock.advance(5000);
  assert.equal(other.open.length, 3);
  for (let round = 1; round < 40; round++) {
    await other.answerAll('success');
    other.clock.advance(50);
    assert.ok(other.open.length <= 3);
  }
  // Everybody has had a turn although there were too many.
  other.monitor.close();
});

test('of thousands of nodes no more are asked at once than the instance allows', () => {
  const { clock, open, monitor } = makeMonitor();
  for (let service = 0; service < 20; service++) {
    const hosts = Array.from({ length: 100 }, (_, index) => `10.0.${service}.${index}`);
    monitor.update([{ serviceId: `s${service}`, upstreamId: undefined, settings: settingsOf(hosts, { active: { concurrency: 1000 } }) }]);
  }
  clock.advance(20_000);
  assert.equal(open.length, 256);
  monitor.close();
});

test('an upstream whose nodes never answer keeps few places, for a minute at most, and others are checked', () => {
  const { clock, open, put, monitor } = makeMonitor();
  const silent = Array.from({ length: 300 }, (_, index) => `10.1.${index >> 8}.${index & 255}`);
  put(silent, { active: { timeout: 86_400, concurrency: 1000 } }, 'silent');
  clock.advance(5000);
  assert.deepEqual([open.length, new Set(open.map(({ timeoutMs }) => timeoutMs))], [32, new Set([60_000])]);
  put(['10.0.0.1'], { active: { timeout: 0.5 } }, 'other');
  clock.advance(1200);
  assert.deepEqual([open.length, open.at(-1)?.target.address, open.at(-1)?.timeoutMs], [33, '10.0.0.1', 500]);
  monitor.close();
});

test('a node that is down is asked by the other interval from then on', async () => {
  const { clock, open, put, answerAll, states, log } = makeMonitor();
  put(['10.0.0.1'], { active: { healthy: { interval: 100, successes: 1 }, unhealthy: { interval: 1, tcp_failures: 1 } } });
  clock.advance(100_100);
  await answerAll('tcp_failure');
  assert.deepEqual(states(), { '10.0.0.1': 'unhealthy' });
  clock.advance(1200);
  assert.equal(open.length, 1);
  await answerAll('success');
  assert.deepEqual(states(), { '10.0.0.1': 'healthy' });
  clock.advance(80_000);
  assert.equal(open.length, 0);
  assert.deepEqual(
    log.lines.map(({ level }) => level),
    ['warn', 'info'],
  );
});

test('what is known of a node outlives changes, of its own upstream too, as long as it is checked alike', async () => {
  const { clock, put, answerAll, states, told, monitor } = makeMonitor();
  put(['10.0.0.1', '10.0.0.2'], FALLS_AT_ONCE);
  clock.advance(1100);
  await answerAll('tcp_failure');
  put(['10.0.0.2', '10.0.0.3'], FALLS_AT_ONCE);
  assert.deepEqual(states(), { '10.0.0.2': 'unhealthy', '10.0.0.3': 'healthy' });
  assert.deepEqual([...told.keys()].sort(), ['s 10.0.0.2 80', 's 10.0.0.3 80']);
  put(['10.0.0.2', '10.0.0.3'], { active: { http_path: '/other' } });
  assert.deepEqual(states(), { '10.0.0.2': 'healthy', '10.0.0.3': 'healthy' });
  monitor.update([{ serviceId: 's', upstreamId: undefined, settings: undefined }]);
  assert.deepEqual([told.size, monitor.entries()], [0, []]);
  monitor.close();
});

test('an answer that comes when its node or its upstream has gone changes nothing and takes no turn away', async () => {
  const { clock, open, put, answerAll, states, monitor } = makeMonitor();
  const checks = { active: { ...FALLS_AT_ONCE.active, concurrency: 1 } };
  put(['10.0.0.1'], checks);
  clock.advance(1100);
  put(['10.0.0.2'], checks);
  await answerAll('tcp_failure');
  assert.deepEqual(states(), { '10.0.0.2': 'healthy' });
  clock.advance(1200);
  assert.equal(open.length, 1);
  monitor.update([{ serviceId: 's', upstreamId: undefined, settings: undefined }]);
  await answerAll('tcp_failure');
  assert.deepEqual(states(), {});
  monitor.close();
});

test('a name that has other addresses brings other nodes', async () => {
  const addresses = new Map([['shop.test', ['10.0.0.1', '10.0.0.2']]]);
  const { put, monitor, states, told } = makeMonitor(addresses);
  put(['shop.test']);
  assert.deepEqual(Object.keys(states()), ['10.0.0.1', '10.0.0.2']);
  addresses.set('shop.test', ['10.0.0.2', '10.0.0.3']);
  monitor.nameChanged('shop.test');
  assert.deepEqual(Object.keys(states()), ['10.0.0.2', '10.0.0.3']);
  assert.equal(told.size, 2);
  monitor.close();
});

test('what the address policy forbids is never asked', () => {
  const { put, clock, open, monitor } = makeMonitor(new Map(), () => false);
  put(['169.254.169.254']);
  clock.advance(10_000);
  assert.equal(open.length, 0);
  monitor.close();
});

test('workers’ reports count by the passive thresholds, and those of an earlier node of the slot do not', () => {
  const { put, board, monitor, told, states } = makeMonitor();
  put(['10.0.0.1'], { active: {}, passive: { unhealthy: { tcp_failures: 2 } } });
  const [entry] = told.values();
  assert.ok(entry);
  board.report(0, { ...entry, tag: entry.tag + 1 }, 'tcp_failure');
  board.report(0, entry, 'tcp_failure');
  monitor.drain(0);
  assert.deepEqual(states(), { '10.0.0.1': 'mostly_healthy' });
  board.report(0, entry, 'tcp_failure');
  // Of a worker that has died its last words count.
  monitor.clearRow(0);
  assert.equal(board.isDown(entry.slot), true);
  assert.deepEqual(healthView(monitor.upstreams), [
    {
      name: '/apisix/services/s',
      type: 'http',
      nodes: [
        {
          ip: '10.0.0.1',
          port: 80,
          hostname: '10.0.0.1',
          status: 'unhealthy',
          counter: { success: 0, http_failure: 0, tcp_failure: 2, timeout_failure: 0 },
        },
      ],
    },
  ]);
  monitor.close();
});
