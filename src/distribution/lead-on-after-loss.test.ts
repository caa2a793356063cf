import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemRandom } from '../lib/random.ts';
import { leadOnAfterLoss } from './lead-on-after-loss.ts';
import { eventually } from './test-support/eventually.ts';
import { MemoryStore } from './test-support/memory-store.ts';
import { createIdentity, createInstallation, TestControlPlane, TestGateway } from './test-support/sync-fixture.ts';

test('a store that loses its newest revisions under a running control plane parts from them, and gateways come to hold what it holds', async (t) => {
  const installation = await createInstallation();
  const identity = await createIdentity(installation.authority, 'gw-1');
  const store = new MemoryStore();
  const lost: number[] = [];
  const onLostRevisions = async (groupId: string, known: number): Promise<void> => {
    await leadOnAfterLoss({ store, random: systemRandom, groupId, known });
    lost.push(known);
  };
  const first = await TestControlPlane.start(t, installation, { store, onLostRevisions });
  store.putCredential('c', 'kept', [1]);
  store.putCredential('c', 'revoked', [2]);
  const replica = store.copy();
  const gateway = await TestGateway.create(t, { port: first.port, identity });
  await gateway.subscriber.start();
  await eventually(() => first.states().join() === 'gw-1 2 current');
  store.putCredential('c', 'lost', [3]);
  store.putCredential('c', 'lost too', [4]);
  assert.equal((await first.announce()).applied, 1);

  store.become(replica);
  store.delete('credential', 'revoked', 'c');
  first.publisher.groupChanged('default', store.revision);
  await eventually(() => lost.length > 0);
  assert.equal(lost[0], 4);
  const leapt = store.revision;
  assert.ok(leapt > 1_000);
  // Another control plane that finds out, too, changes nothing more.
  await onLostRevisions('default', 4);
  assert.equal(store.revision, leapt);

  const { port } = first;
  await first.publisher.close();
  const second = await TestControlPlane.start(t, installation, { store, port, onLostRevisions });
  await eventually(() => {
    gateway.clock.advance(1_000);
    return second.states().join() === `gw-1 ${leapt} current`;
  });
  assert.deepEqual(gateway.applier.summary, ['credential c/kept [1]']);
  assert.deepEqual(gateway.refusals, []);
});
