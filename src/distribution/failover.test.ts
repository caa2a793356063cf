import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { FakeClock } from '../../test-support/fake-clock.ts';
import type { InstanceRegistry } from '../store/instance-registry.ts';
import { MemoryInstanceRegistry } from './memory-instance-registry.ts';
import type { SubscriberIdentity } from './sync-client.ts';
import { eventually } from './test-support/eventually.ts';
import { MemoryStore } from './test-support/memory-store.ts';
import { createIdentity, createInstallation, type Installation, TestControlPlane, TestGateway } from './test-support/sync-fixture.ts';

/** Notes after each report whether the instances that it has been told of are counted. */
class WatchedRegistry extends MemoryInstanceRegistry {
  readonly wasCounted: boolean[] = [];

  override async report(...reports: Parameters<InstanceRegistry['report']>): Promise<void> {
    await super.report(...reports);
    this.wasCounted.push((await this.list('default')).every(({ isConnected }) => isConnected));
  }
}

/** Asked for a group, it says nothing. */
class SilentStore extends MemoryStore {
  asked = 0;

  override getGroup(): ReturnType<MemoryStore['getGroup']> {
    this.asked += 1;
    return new Promise(() => {});
  }
}

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

  /** The one that the gateway is connected to; the other goes on with a copy of its store, as two do that share one. */
  async function startCutOff(t: Parameters<typeof TestGateway.create>[0], registry?: InstanceRegistry) {
    const own = await TestControlPlane.start(t, installation);
    own.store.put('service', 's1');
    const other = await TestControlPlane.start(t, installation, {
      store: own.store.copy(),
      ...(registry === undefined ? {} : { registry }),
    });
    const { port } = own;
    const controlPlanes = [port, other.port].map((each) => ({ host: '127.0.0.1', port: each }));
    const gateway = await TestGateway.create(t, { port: 0, identity, controlPlanes });
    other.store.failure = new Error('not yet');
    await gateway.subscriber.start();
    await eventually(() => {
      gateway.clock.advance(100);
      return gateway.lastCurrent === 1;
    });
    own.store.failure = new Error('the database cannot be reached');
    const pass = async (): Promise<void> => {
      for (const clock of [gateway.clock, own.clock, other.clock]) {
        clock.advance(2_000);
        for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate);
      }
    };
    return { gateway, own, other, pass };
  }

  test('goes to the other when its own does not reach the store any more, and gets what was written there', async (t) => {
    const { gateway, own, other, pass } = await startCutOff(t);
    other.store.failure = undefined;
    other.store.put('service', 's2');
    await pass();
    assert.deepEqual([own.states(), other.states()], [['gw-1 1 current'], []]);
    await pass();
    await eventually(() => other.states().join() === 'gw-1 2 current');
    assert.deepEqual(own.states(), []);
    assert.equal(gateway.subscriber.newestRevision, 2);
  });

  test('is counted all the time while it goes there', async (t) => {
    const registry = new WatchedRegistry(new FakeClock());
    const { gateway, other, pass } = await startCutOff(t, registry);
    other.store.failure = undefined;
    for (let times = 0; times < 2; times += 1) await pass();
    await eventually(() => gateway.log.lines.filter(({ message }) => message === 'connected to the control plane').length === 2);
    await eventually(() => other.log.lines.filter(({ message }) => message === 'a gateway instance is disconnected').length === 1);
    await new Promise(setImmediate);
    assert.ok(registry.wasCounted.length >= 2 && !registry.wasCounted.includes(false), registry.wasCounted.join());
    assert.deepEqual(other.states(), ['gw-1 1 current']);
  });

  test('does not wait for the welcome of one that does not reach the store', async (t) => {
    const store = new SilentStore();
    const own = await TestControlPlane.start(t, installation, { store });
    const other = await TestControlPlane.start(t, installation);
    store.failure = new Error('the database does not answer');
    other.store.failure = new Error('not yet');
    const controlPlanes = [own.port, other.port].map((port) => ({ host: '127.0.0.1', port }));
    const gateway = await TestGateway.create(t, { port: 0, identity, controlPlanes });
    await gateway.subscriber.start();
    await eventually(() => store.asked > 0);
    other.store.failure = undefined;
    for (let times = 0; times < 2; times += 1) {
      own.clock.advance(2_000);
      for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate);
    }
    await eventually(() => gateway.subscriber.isConnected && other.states().join() === 'gw-1 0 current');
  });

  test('stays where no other reaches the store either, and does not take what it has for the newest meanwhile', async (t) => {
    const { gateway, own, pass } = await startCutOff(t);
    for (let times = 0; times < 20; times += 1) await pass();
    await eventually(() => gateway.subscriber.newestRevision === undefined);
    assert.deepEqual([gateway.subscriber.isConnected, own.states()], [true, ['gw-1 1 current']]);
    own.store.failure = undefined;
    for (let times = 0; times < 2; times += 1) await pass();
    await eventually(() => gateway.subscriber.newestRevision === 1);
    assert.equal(gateway.log.lines.filter(({ message }) => message === 'connected to the control plane').length, 1);
  });

  test('asks the others again, and goes to one that reaches the store later', async (t) => {
    const { gateway, own, other, pass } = await startCutOff(t);
    for (let times = 0; times < 5; times += 1) await pass();
    assert.deepEqual([own.states(), other.states()], [['gw-1 1 current'], []]);
    other.store.failure = undefined;
    for (let times = 0; times < 10; times += 1) await pass();
    await eventually(() => other.states().join() === 'gw-1 1 current');
    assert.deepEqual([own.states(), gateway.subscriber.newestRevision], [[], 1]);
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
