import assert from 'node:assert/strict';
import test from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { parseExposition, sampleValue } from '../../../test-support/parse-exposition.ts';
import { RecordingLogger } from '../../../test-support/recording-logger.ts';
import { PortcullisError } from '../../errors/index.ts';
import type { GatewayGroup, RegisteredInstance } from '../../store/index.ts';
import { ControlPlaneMetrics, type MetricSources } from './control-plane-metrics.ts';
import { InventoryReader } from './inventory.ts';

const NOTHING: MetricSources = {
  inventory: () => ({ groups: [], auditHead: undefined, lacksKey: undefined, isReachable: false, readMs: 0, failures: 0 }),
  connections: undefined,
  exports: () => [],
  certificates: () => [],
  wallMs: () => 0,
};

function textOf(metrics: ControlPlaneMetrics): string {
  return [...metrics.registry.pieces()].join('');
}

function instance(instanceId: string, change: Partial<RegisteredInstance> = {}): RegisteredInstance {
  const fixed = { groupId: 'default', connectionId: 1, isConnected: true, isAwaited: true, state: 'current', revision: 7 } as const;
  return { ...fixed, instanceId, answeredRevision: 7, softwareVersion: '1', connectedAtMs: 0, controlPlaneId: 'a', silentMs: 0, ...change };
}

test('what happens is counted: answers, acknowledgements, snapshots, comparisons, exports', () => {
  const metrics = new ControlPlaneMetrics();
  metrics.watch({
    ...NOTHING,
    wallMs: () => 100_000,
    exports: () => [
      { groupId: 'a', revision: 3, exportedAtMs: 40_000, failures: 0, lastFailure: undefined },
      { groupId: 'b', revision: undefined, exportedAtMs: undefined, failures: 2, lastFailure: 'no room' },
    ],
    connections: () => ({ open: 5, idle: 2, waiting: 1, most: 10 }),
  });
  metrics.onAnswered('PUT', 200, 30);
  metrics.onAnswered('PUT', 503, 3_000);
  for (let index = 0; index < 2_000; index++) metrics.onAnswered(`METHOD${index}`, 405, 1);
  metrics.events.onAcknowledged(4);
  metrics.events.onRefused();
  metrics.events.onSnapshotSent('default', 1_000);
  metrics.events.onSnapshotSent('default', 500);
  metrics.events.onCompared('different');
  metrics.onExported('a', 123);
  metrics.onExported('b', undefined);
  const text = textOf(metrics);
  const value = (name: string, labels: Readonly<Record<string, string>> = {}): number | undefined =>
    sampleValue(text, `portcullis_${name}`, labels);
  assert.equal(value('admin_requests_total', { method: 'PUT', code: '200' }), 1);
  assert.equal(value('admin_requests_total', { method: 'PUT', code: '503' }), 1);
  assert.equal(value('admin_requests_total', { method: 'other', code: '405' }), 2_000);
  assert.equal(value('admin_request_seconds_bucket', { method: 'PUT', le: '0.05' }), 1);
  assert.equal(value('acknowledgement_seconds_bucket', { le: '0.0025' }), 0);
  assert.equal(value('acknowledgement_seconds_bucket', { le: '0.005' }), 1);
  assert.equal(value('refused_revisions_total'), 1);
  assert.equal(value('sent_snapshots_total', { group: 'default' }), 2);
  assert.equal(value('sent_snapshot_bytes_total', { group: 'default' }), 1_500);
  assert.equal(value('state_comparisons_total', { outcome: 'different' }), 1);
  assert.deepEqual(
    [value('snapshot_exports_total', { outcome: 'success' }), value('snapshot_exports_total', { outcome: 'failure' })],
    [1, 1],
  );
  assert.equal(value('snapshot_export_age_seconds', { group: 'a' }), 60);
  assert.equal(value('snapshot_export_age_seconds', { group: 'b' }), undefined);
  assert.equal(value('snapshot_export_failures', { group: 'b' }), 2);
  assert.equal(value('snapshot_export_bytes', { group: 'a' }), 123);
  assert.deepEqual([value('store_connections', { state: 'busy' }), value('store_connections', { state: 'waiting' })], [3, 1]);
});

test('requests for certificates are counted by how they ended, and end as they would have', async () => {
  const metrics = new ControlPlaneMetrics();
  const granted = { groupId: 'default', instanceId: 'gw', certificate: '', authority: '', expiresAtMs: 0 };
  const enrollment = metrics.counted({ join: () => Promise.reject(new Error('used up')), renew: async () => granted });
  const request = { tokenId: '', secret: '', publicKey: '', proof: '', hostname: '' };
  await assert.rejects(enrollment.join(request, '192.0.2.1'), /used up/);
  const name = { groupId: 'default', instanceId: 'gw' };
  assert.equal(await enrollment.renew(request, { name, authorityPin: '', startsAtMs: 0, expiresAtMs: 0 }, '192.0.2.1'), granted);
  const text = textOf(metrics);
  assert.equal(sampleValue(text, 'portcullis_certificate_requests_total', { kind: 'join', outcome: 'refused' }), 1);
  assert.equal(sampleValue(text, 'portcullis_certificate_requests_total', { kind: 'renew', outcome: 'granted' }), 1);
});

test('groups and their gateways are told as the store last said, also while it does not answer', async () => {
  const metrics = new ControlPlaneMetrics();
  const group: GatewayGroup = { id: 'default', name: 'default', description: '', revision: 7, createdAt: 0, updatedAt: 0 };
  let failure: Error | undefined;
  const ask = async <Answer>(answer: Answer): Promise<Answer> => {
    if (failure !== undefined) throw failure;
    return answer;
  };
  const log = new RecordingLogger();
  const reader = new InventoryReader({
    store: { listGroups: () => ask([group]), readChainEnd: () => ask('damaged' as const) },
    registry: {
      list: () =>
        ask([
          instance('one'),
          instance('two', { compared: { revision: 7, difference: 'route' } }),
          instance('three', { isConnected: false, silentMs: 1_000 }),
          instance('four', { isConnected: false, silentMs: 1e9 }),
        ]),
    },
    clock: new FakeClock(),
    log,
  });
  metrics.watch({ ...NOTHING, inventory: () => reader.inventory });
  await reader.read();
  failure = new Error('away');
  await reader.read();
  await reader.read();
  const text = textOf(metrics);
  const statuses = parseExposition(text).filter(({ name }) => name === 'portcullis_instances');
  assert.deepEqual(
    statuses.map(({ labels, value }) => [labels.status, value]),
    [
      ['Healthy', 1],
      ['OutOfSync', 1],
      ['LostConnection', 1],
      ['Offline', 1],
    ],
  );
  assert.equal(sampleValue(text, 'portcullis_group_revision', { group: 'default' }), 7);
  assert.equal(sampleValue(text, 'portcullis_audit_chain_end_known'), 0);
  assert.equal(sampleValue(text, 'portcullis_store_reachable'), 0);
  assert.equal(sampleValue(text, 'portcullis_store_failures_total'), 2);
  assert.equal(log.lines.length, 1);
});

test('an audit log that waits for a key that the keyring lacks is not told as one that somebody changed', async () => {
  const metrics = new ControlPlaneMetrics();
  let readChainEnd = async () => ({ number: 7, hash: Buffer.alloc(32) });
  const reader = new InventoryReader({
    store: { listGroups: async () => [], readChainEnd: () => readChainEnd() },
    registry: { list: async () => [] },
    clock: new FakeClock(),
    log: new RecordingLogger(),
  });
  metrics.watch({ ...NOTHING, inventory: () => reader.inventory });
  const told = async () => {
    await reader.read();
    const names = ['audit_entries_total', 'audit_chain_end_known', 'keyring_lacks_key', 'store_reachable'];
    return names.map((name) => sampleValue(textOf(metrics), `portcullis_${name}`));
  };
  assert.deepEqual(await told(), [7, 1, 0, 1]);
  const known = readChainEnd;
  readChainEnd = () => Promise.reject(new PortcullisError('keyring_lacks_key'));
  assert.deepEqual(await told(), [undefined, undefined, 1, 1]);
  readChainEnd = known;
  assert.deepEqual(await told(), [7, 1, 0, 1]);
});
