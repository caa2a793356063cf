import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { SubscriberIdentity } from './sync-client.ts';
import { eventually } from './test-support/eventually.ts';
import { createIdentity, createInstallation, type Installation, TestControlPlane, TestGateway } from './test-support/sync-fixture.ts';

describe('a gateway that knows two control planes', () => {
  let installation: Installation;
  let identity: SubscriberIdentity;
  before(async () => {
    installation = await createInstallation();
    identity = await createIdentity(installation.authority, 'gw-1');
  });

  async function startBoth(t: Parameters<typeof TestGateway.create>[0]) {
    const first = await TestControlPlane.start(t, installation);
    first.store.put('service', 's1');
    const second = await TestControlPlane.start(t, installation, { store: first.store });
    const controlPlanes = [first, second].map(({ port }) => ({ host: '127.0.0.1', port }));
    const gateway = await TestGateway.create(t, { port: 0, identity, controlPlanes });
    await gateway.subscriber.start();
    await eventually(() => gateway.lastCurrent === 1);
    const [own, other] = first.states().length === 1 ? [first, second] : [second, first];
    return { gateway, own, other };
  }

  test('goes to the other when its own ends, and stays there when that is back', async (t) => {
    const { gateway, own, other } = await startBoth(t);
    await own.publisher.close();
    await eventually(() => !gateway.subscriber.isConnected && gateway.clock.pendingTasks > 0);
    gateway.clock.advance(200);
    await eventually(() => other.states().join() === 'gw-1 1 current');
    const again = await TestControlPlane.start(t, installation, { store: other.store, port: own.port });
    other.store.put('service', 's2');
    assert.equal((await other.announce()).applied, 1);
    assert.deepEqual(again.states(), []);
  });

  test('leaves one that says nothing more after six seconds', async (t) => {
    const { gateway, other } = await startBoth(t);
    // The control plane's clock stands still, so it sends no heartbeat.
    gateway.clock.advance(4_000);
    assert.equal(gateway.subscriber.isConnected, true);
    gateway.clock.advance(2_000);
    await eventually(() => !gateway.subscriber.isConnected && gateway.clock.pendingTasks > 0);
    gateway.clock.advance(200);
    await eventually(() => other.states().join() === 'gw-1 1 current');
  });
});
