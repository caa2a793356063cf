import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { systemRandom } from '../lib/random.ts';
import { leadOnAfterLoss } from './lead-on-after-loss.ts';
import { SESSIONS_SETTING } from './open-history.ts';
import type { SubscriberIdentity } from './sync-client.ts';
import { eventually } from './test-support/eventually.ts';
import { MemoryStore } from './test-support/memory-store.ts';
import { createIdentity, createInstallation, type Installation, TestControlPlane, TestGateway } from './test-support/sync-fixture.ts';

describe('a store that loses its newest revisions under a running control plane', () => {
  let installation: Installation;
  let identity: SubscriberIdentity;
  before(async () => {
    installation = await createInstallation();
    identity = await createIdentity(installation.authority, 'gw-1');
  });

  /** A gateway holds two keys that the store loses, and lacks one that it gets back. */
  async function startAndLose(t: Parameters<typeof TestGateway.create>[0]) {
    const store = new MemoryStore();
    const losses: ReadonlyMap<string, number>[] = [];
    const seeTo = async (known: ReadonlyMap<string, number>, historyId = ''): Promise<void> => {
      await leadOnAfterLoss({ store, random: systemRandom, historyId, known });
      losses.push(known);
    };
    const first = await TestControlPlane.start(t, installation, { store, onLostRevisions: (known) => seeTo(known, historyId) });
    const historyId = await presentSession(store);
    store.putCredential('c', 'kept', [1]);
    store.putCredential('c', 'brought back', [2]);
    const replica = store.copy();
    const gateway = await TestGateway.create(t, { port: first.port, identity });
    await gateway.subscriber.start();
    await eventually(() => first.states().join() === 'gw-1 2 current');
    store.putCredential('c', 'lost', [3]);
    store.delete('credential', 'brought back', 'c');
    assert.equal((await first.announce()).applied, 1);
    store.become(replica);
    /** The control plane starts anew, as it does then. */
    const becomesCurrent = async (): Promise<void> => {
      const { port } = first;
      await first.publisher.close();
      const second = await TestControlPlane.start(t, installation, { store, port, onLostRevisions: seeTo });
      await eventually(() => {
        gateway.clock.advance(1_000);
        return second.states().join() === `gw-1 ${store.revision} current`;
      });
      assert.deepEqual(gateway.refusals, []);
    };
    return { store, first, gateway, losses, seeTo, historyId, becomesCurrent };
  }

  test('parts from them with the first write, of which it is not said that it is applied, and gateways come to hold what it holds', async (t) => {
    const { store, first, gateway, losses, seeTo, historyId, becomesCurrent } = await startAndLose(t);
    store.delete('credential', 'kept', 'c');
    assert.deepEqual(await first.announce(), { applied: 0, expected: 1, lagging: ['gw-1'] });
    await eventually(() => losses.length > 0);
    assert.equal(losses[0]?.get('default'), 4);
    const leapt = store.revision;
    assert.ok(leapt > 1_000);
    // Another control plane of the same session that finds out, too, changes nothing more.
    await seeTo(new Map([['default', 4]]), historyId);
    assert.equal(store.revision, leapt);
    await becomesCurrent();
    assert.deepEqual(gateway.applier.summary, ['credential c/brought back [2]']);
  });

  test('is found out when others have given all lost numbers a second time, before anything is published', async (t) => {
    const { store, first, gateway, losses, becomesCurrent } = await startAndLose(t);
    for (const id of ['n1', 'n2', 'n3']) store.putCredential('c', id, [id.charCodeAt(1)]);
    assert.ok(store.revision > 4);
    assert.deepEqual(await first.announce(), { applied: 0, expected: 1, lagging: ['gw-1'] });
    assert.equal(gateway.lastCurrent, 4);
    first.publisher.checkRevision('default');
    await eventually(() => losses.length > 0);
    await becomesCurrent();
    assert.deepEqual(gateway.applier.summary, [
      'credential c/brought back [2]',
      'credential c/kept [1]',
      ...['credential c/n1 [49]', 'credential c/n2 [50]', 'credential c/n3 [51]'],
    ]);
  });

  test('is found out by a control plane that no gateway is connected to', async (t) => {
    const losses: number[] = [];
    const alone = await TestControlPlane.start(t, installation, { onLostRevisions: async () => void losses.push(1) });
    const { store } = alone;
    store.put('service', 'kept');
    const replica = store.copy();
    store.put('service', 'lost');
    // Another control plane has written it.
    alone.publisher.checkRevision('default');
    alone.publisher.checkRevision('default');
    await new Promise(setImmediate);
    store.become(replica);
    store.put('service', 'in its place');
    alone.clock.advance(2_000);
    await eventually(() => losses.length > 0);
  });

  test('is found out when a gateway has what was lost from a snapshot, and the number was given a second time', async (t) => {
    const losses: number[] = [];
    const first = await TestControlPlane.start(t, installation, { onLostRevisions: async () => void losses.push(1) });
    const { store } = first;
    store.putCredential('c', 'kept', [1]);
    first.clock.advance(2_000);
    await new Promise(setImmediate);
    const replica = store.copy();
    store.putCredential('c', 'lost', [2]);
    const gateway = await TestGateway.create(t, { port: first.port, identity });
    await gateway.subscriber.start();
    await eventually(() => first.states().join() === 'gw-1 2 current');
    assert.deepEqual(gateway.applier.summary, ['credential c/kept [1]', 'credential c/lost [2]']);
    store.become(replica);
    store.putCredential('c', 'in its place', [3]);
    first.publisher.checkRevision('default');
    await eventually(() => losses.length > 0);
  });

  test('does not leap for one that was just slow to hear of what others wrote', async (t) => {
    const { store, first, losses } = await startHealthy(t, installation, identity);
    const earlier = store.put('service', 'a');
    const later = store.put('service', 'b');
    first.publisher.groupChanged('default', later);
    first.publisher.groupChanged('default', earlier);
    assert.equal((await first.publisher.waitApplied('default', later, 1_000)).applied, 1);
    assert.equal((await first.publisher.waitApplied('default', earlier, 1_000)).applied, 1);
    assert.deepEqual(losses, []);
  });
});

async function startHealthy(t: Parameters<typeof TestGateway.create>[0], installation: Installation, identity: SubscriberIdentity) {
  const losses: number[] = [];
  const first = await TestControlPlane.start(t, installation, { onLostRevisions: async () => void losses.push(1) });
  const gateway = await TestGateway.create(t, { port: first.port, identity });
  await gateway.subscriber.start();
  first.store.put('service', 'first');
  await first.announce();
  await eventually(() => first.states().join() === 'gw-1 1 current');
  return { store: first.store, first, losses };
}

/** The id of the session that the store goes on with. */
async function presentSession(store: MemoryStore): Promise<string> {
  const value = await store.transaction({ id: 'test', name: 'test' }, (transaction) => transaction.getSetting(SESSIONS_SETTING));
  const sessions: readonly { readonly id: string }[] = JSON.parse(String(value));
  return sessions.at(-1)?.id ?? '';
}
