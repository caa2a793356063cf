import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { InstanceRegistry } from '../store/instance-registry.ts';
import type { SubscriberIdentity } from './sync-client.ts';
import { eventually } from './test-support/eventually.ts';
import { MemoryStore } from './test-support/memory-store.ts';
import { RawPeer } from './test-support/raw-peer.ts';
import { createIdentity, createInstallation, type Installation, TestControlPlane } from './test-support/sync-fixture.ts';

/** A registry that takes reports only when the test says so. */
class SlowRegistry implements InstanceRegistry {
  readonly controlPlaneId = 'own';
  readonly #reports: { readonly names: readonly string[]; readonly resolve: () => void; readonly reject: (error: Error) => void }[] = [];

  readonly told: (readonly string[])[] = [];
  #isReleased = false;

  report(joined: Parameters<InstanceRegistry['report']>[0], changed: Parameters<InstanceRegistry['report']>[1]): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const names = [...joined, ...changed].map(({ instanceId, isConnected, revision }) => `${instanceId} ${revision} ${isConnected}`);
    this.told.push(names);
    this.#reports.push({ names, resolve, reject });
    if (this.#isReleased) resolve();
    return promise;
  }

  /** Waits for the next report and ends it. */
  async end(error?: Error): Promise<readonly string[]> {
    await eventually(() => this.#reports.length > 0);
    const report = this.#reports.shift();
    assert.ok(report);
    if (error === undefined) report.resolve();
    else report.reject(error);
    return report.names;
  }

  /** From now on reports are taken at once. */
  release(): void {
    this.#isReleased = true;
    for (const { resolve } of this.#reports) resolve();
  }

  renew = async () => ({ histories: [], wasExpired: false });
  list = async () => [];
  listOthers = async () => [];
  forget = async () => 0;
  watch = () => async () => undefined;
  leave = async () => undefined;
}

/** How often it was asked for a group: once by each that says hello. */
class CountingStore extends MemoryStore {
  asked = 0;

  override getGroup(groupId: string): ReturnType<MemoryStore['getGroup']> {
    this.asked += 1;
    return super.getGroup(groupId);
  }
}

describe('an instance that comes to one of several control planes', () => {
  let installation: Installation;
  let identity: SubscriberIdentity;
  before(async () => {
    installation = await createInstallation();
    identity = await createIdentity(installation.authority, 'gw-1');
  });

  async function arrival(t: Parameters<typeof RawPeer.connect>[0], store = new MemoryStore()) {
    const registry = new SlowRegistry();
    // A control plane does not stop while a report is under way.
    t.after(() => registry.release());
    const controlPlane = await TestControlPlane.start(t, installation, { registry, store });
    const peer = await RawPeer.connect(t, controlPlane.port, identity);
    peer.hello();
    return { registry, controlPlane, peer };
  }

  const kinds = ({ received }: RawPeer): readonly string[] => received.map(({ kind }) => kind);

  test('is welcome when the others count it, and not before', async (t) => {
    const { registry, controlPlane, peer } = await arrival(t);
    // Whoever writes meanwhile tells of it by a hint only: it must not be missed.
    controlPlane.store.put('service', 's1');
    controlPlane.publisher.checkRevision('default');
    assert.deepEqual([kinds(peer), controlPlane.states()], [[], []]);
    assert.deepEqual(await registry.end(), ['gw-1 0 true']);
    await eventually(() => kinds(peer).includes('snapshot-end'));
    const end = peer.received.find((message) => message.kind === 'snapshot-end');
    assert.equal(end?.kind === 'snapshot-end' && end.revision, 1);
  });

  test('is welcome when the others cannot be told', async (t) => {
    const { registry, peer } = await arrival(t);
    await registry.end(new Error('the database only reads'));
    await eventually(() => kinds(peer).includes('welcome'));
  });

  test('that goes away before it is welcome is not counted for longer', async (t) => {
    const { registry, controlPlane, peer } = await arrival(t);
    peer.socket.destroy();
    await registry.end();
    assert.deepEqual(await registry.end(), ['gw-1 0 false']);
    assert.deepEqual([kinds(peer), controlPlane.states()], [[], []]);
  });

  test('that comes twice at once is told of once, and counted no more when both connections are gone', async (t) => {
    const store = new CountingStore();
    const { registry, controlPlane } = await arrival(t, store);
    const twin = await createIdentity(installation.authority, 'gw-2');
    const peers = [await RawPeer.connect(t, controlPlane.port, twin), await RawPeer.connect(t, controlPlane.port, twin)];
    for (const peer of peers) peer.hello();
    // While the other instance is being told of.
    await eventually(() => store.asked === 3);
    await registry.end();
    assert.deepEqual(await registry.end(), ['gw-2 0 true']);
    await eventually(() => peers.some(({ isClosed }) => isClosed));
    registry.release();
    for (const { socket } of peers) socket.destroy();
    await eventually(() => controlPlane.states().join() === 'gw-1 0 loading');
    registry.told.length = 0;
    // All that are connected are told anew every ten seconds.
    for (let renewal = 0; renewal < 5; renewal += 1) {
      controlPlane.clock.advance(2_000);
      await new Promise(setImmediate);
    }
    await eventually(() => registry.told.length > 0);
    assert.deepEqual([...new Set(registry.told.flat())], ['gw-1 0 true']);
  });
});
