import assert from 'node:assert/strict';
import test from 'node:test';
import { ProtocolError } from './frame-codec.ts';
import { readHealthReport } from './health-report.ts';
import { eventually } from './test-support/eventually.ts';
import { createIdentity, createInstallation, TestControlPlane, TestGateway } from './test-support/sync-fixture.ts';

const NODE = { serviceId: 's', host: 'a', address: '10.0.0.1', port: 80, state: 'healthy' };

test('unknown fields of a node are left out, and known ones of a wrong type refuse the report', () => {
  assert.deepEqual(readHealthReport({ nodes: [{ ...NODE, later: 1 }], omitted: 1 }), { nodes: [NODE], omitted: 1 });
  for (const nodes of [undefined, {}, [1], [{ ...NODE, port: '80' }], [{ ...NODE, upstreamId: 1 }], [{ ...NODE, state: undefined }]])
    assert.throws(() => readHealthReport({ nodes, omitted: 0 }), ProtocolError);
  assert.throws(() => readHealthReport({ nodes: [], omitted: -1 }), ProtocolError);
});

test('what an instance reports is known of it, also after it has connected anew', async (t) => {
  const installation = await createInstallation();
  const identity = await createIdentity(installation.authority, 'gw-1');
  const first = await TestControlPlane.start(t, installation);
  const gateway = await TestGateway.create(t, { port: first.port, identity });
  await gateway.subscriber.start();
  await eventually(() => gateway.subscriber.isConnected);
  const reported = (controlPlane: TestControlPlane): unknown =>
    controlPlane.publisher.instances(controlPlane.store.groupId)[0]?.health?.nodes[0]?.state;
  assert.equal(reported(first), undefined);
  gateway.subscriber.reportHealth({ nodes: [NODE], omitted: 0 });
  await eventually(() => reported(first) === 'healthy');
  gateway.subscriber.reportHealth({ nodes: [{ ...NODE, state: 'unhealthy' }], omitted: 0 });
  await eventually(() => reported(first) === 'unhealthy');
  await first.publisher.close();
  const second = await TestControlPlane.start(t, installation, { store: first.store, port: first.port });
  await eventually(() => {
    // In small steps: a connection that is being opened has ten seconds of this clock.
    gateway.clock.advance(1);
    return reported(second) === 'unhealthy';
  });
});
