import assert from 'node:assert/strict';
import test from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { MAX_HEALTH_REPORT_BYTES } from '../../distribution/gateway-side.ts';
import { asUpstreamDocument, readUpstream } from '../../schema/index.ts';
import { type CheckedUpstream, newNode } from './checked-upstream.ts';
import { HealthReporter, healthReport } from './health-reporter.ts';
import { nodeStates } from './health-view.ts';

const SETTINGS = readUpstream(asUpstreamDocument({ nodes: [], checks: { active: { unhealthy: { tcp_failures: 1 } } } }));

function upstreamOf(serviceId: string, upstreamId: string | undefined, count: number): CheckedUpstream {
  const { checks } = SETTINGS;
  assert.ok(checks);
  const nodes = Array.from({ length: count }, (_, index) => {
    const host = `node-${index}.test`;
    const node = { host, address: `10.0.${index >> 8}.${index & 255}`, port: 80, weight: 1, priority: 0 };
    return newNode(`${serviceId} ${index}`, node, { slot: index, tag: 0 }, 0);
  });
  return { serviceId, upstreamId, settings: SETTINGS, checks, nodes: new Map(nodes.map((node) => [node.key, node])), load: { asked: 0 } };
}

test('nodes that are down come first, and what has no room is counted', () => {
  const upstreams = [upstreamOf('s', undefined, 3000), upstreamOf('s', 'u', 1)];
  const last = [...(upstreams[1]?.nodes.values() ?? [])][0];
  const { checks } = SETTINGS;
  assert.ok(checks);
  last?.health.report('tcp_failure', checks.active);
  const report = healthReport(upstreams);
  assert.deepEqual(report.nodes[0], {
    serviceId: 's',
    upstreamId: 'u',
    host: 'node-0.test',
    address: '10.0.0.0',
    port: 80,
    state: 'unhealthy',
  });
  assert.deepEqual(report.nodes[1], { serviceId: 's', host: 'node-0.test', address: '10.0.0.0', port: 80, state: 'healthy' });
  assert.equal(report.nodes.length + report.omitted, 3001);
  const bytes = Buffer.byteLength(JSON.stringify({ kind: 'health', ...report }));
  assert.ok(report.omitted > 0 && bytes <= MAX_HEALTH_REPORT_BYTES && bytes > MAX_HEALTH_REPORT_BYTES * 0.9, String(bytes));
  assert.deepEqual(healthReport([]), { nodes: [], omitted: 0 });
});

test('in the metric, too, nodes that are down come first', () => {
  const upstreams = [upstreamOf('s', undefined, 2), upstreamOf('s', 'u', 2)];
  const [, last] = [...(upstreams[1]?.nodes.values() ?? [])];
  const { checks } = SETTINGS;
  assert.ok(checks);
  last?.health.report('tcp_failure', checks.active);
  assert.deepEqual(
    nodeStates(upstreams).map(({ upstream, address, isUp }) => [upstream, address, isUp]),
    [
      ['/apisix/services/s/upstreams/u', '10.0.0.1', false],
      ['/apisix/services/s', '10.0.0.0', true],
      ['/apisix/services/s', '10.0.0.1', true],
      ['/apisix/services/s/upstreams/u', '10.0.0.0', true],
    ],
  );
});

test('changes of one second are one report, of how things are then', () => {
  const clock = new FakeClock();
  const upstreams: CheckedUpstream[] = [];
  const sent: number[] = [];
  const reporter = new HealthReporter({ clock, upstreams: () => upstreams, send: ({ nodes }) => sent.push(nodes.length) });
  reporter.noteChange();
  reporter.noteChange();
  upstreams.push(upstreamOf('s', undefined, 2));
  clock.advance(1000);
  clock.advance(5000);
  assert.deepEqual(sent, [2]);
  reporter.noteChange();
  clock.advance(1000);
  assert.deepEqual(sent, [2, 2]);
});
