import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { temporaryFolder } from '../../test-support/temporary-folder.ts';
import { systemRandom } from '../lib/random.ts';
import { openHistory } from './open-history.ts';
import type { SubscriberIdentity } from './sync-client.ts';
import { eventually } from './test-support/eventually.ts';
import { MemoryStore } from './test-support/memory-store.ts';
import { OfflineGateway } from './test-support/offline-gateway.ts';
import { RawPeer } from './test-support/raw-peer.ts';
import { SignedSource } from './test-support/signed-source.ts';
import { createIdentity, createInstallation, type Installation, TestControlPlane, TestGateway } from './test-support/sync-fixture.ts';

type Test = Parameters<typeof TestGateway.create>[0];

describe('a store that is set back, and the gateways that have seen more', () => {
  let installation: Installation;
  let identity: SubscriberIdentity;
  before(async () => {
    installation = await createInstallation();
    identity = await createIdentity(installation.authority, 'gw-1');
  });

  async function startGateway(t: Test, port: number, folder: string, allowOlder = false): Promise<TestGateway> {
    const gateway = await TestGateway.create(t, { port, identity, folder, allowOlder });
    await gateway.subscriber.start();
    return gateway;
  }

  /** A gateway's folder at revision 6 and the store as it was at revision 4, when only the key `one` had been given. */
  async function heldBeyondBackup(
    t: Test,
  ): Promise<{ readonly folder: string; readonly backup: MemoryStore; readonly store: MemoryStore }> {
    const folder = await temporaryFolder(t);
    const controlPlane = await TestControlPlane.start(t, installation);
    const { store } = controlPlane;
    for (const id of ['s', 'r1', 'r2']) store.put('route', id);
    store.putCredential('c', 'one', [1]);
    const backup = store.copy();
    const gateway = await startGateway(t, controlPlane.port, folder);
    await eventually(() => controlPlane.states().join() === 'gw-1 4 current');
    store.putCredential('c', 'two', [2]);
    store.putCredential('c', 'three', [3]);
    assert.equal((await controlPlane.announce()).applied, 1);
    assert.equal(gateway.subscriber.revision, 6);
    await gateway.stop();
    await controlPlane.publisher.close();
    return { folder, backup, store };
  }

  const keysOf = (gateway: TestGateway): readonly string[] => gateway.applier.summary.filter((line) => line.startsWith('credential'));

  test('the number is the same again: what was deleted goes, what is new comes, by a snapshot', async (t) => {
    const { folder, backup } = await heldBeyondBackup(t);
    backup.delete('credential', 'one', 'c');
    const controlPlane = await TestControlPlane.start(t, installation, { store: backup });
    backup.putCredential('c', 'four', [4]);
    assert.equal(backup.revision, 6);

    const gateway = await startGateway(t, controlPlane.port, folder);
    await eventually(() => gateway.lastCurrent === 6);
    assert.deepEqual(keysOf(gateway), ['credential c/four [4]']);
    await eventually(() => controlPlane.states().join() === 'gw-1 6 current');
    assert.deepEqual(await controlPlane.announce(), { applied: 1, expected: 1, lagging: [] });
    assert.ok(controlPlane.log.lines.some((line) => line.level === 'warn' && line.message.includes('another history')));

    backup.putCredential('c', 'five', [5]);
    assert.deepEqual(await controlPlane.announce(), { applied: 1, expected: 1, lagging: [] });
    assert.deepEqual(keysOf(gateway), ['credential c/five [5]', 'credential c/four [4]']);
    assert.equal(gateway.applier.deltas.at(-1)?.fromRevision, 6);
  });

  test('the number is lower: the gateway keeps what it has, is not current anywhere, and heals when the number is reached', async (t) => {
    const { folder, backup } = await heldBeyondBackup(t);
    const controlPlane = await TestControlPlane.start(t, installation, { store: backup });
    const gateway = await startGateway(t, controlPlane.port, folder);
    await eventually(() => gateway.refusals.length === 1);
    assert.match(gateway.refusals.join(), /^4: older than revision 6/);
    await eventually(() => controlPlane.states().join() === 'gw-1 0 lagging');
    assert.deepEqual(gateway.current, []);

    backup.delete('credential', 'one', 'c');
    // The clock stands still: a wait for it would never end.
    assert.deepEqual(await controlPlane.announce(), { applied: 0, expected: 1, lagging: ['gw-1'] });
    assert.deepEqual(gateway.current, []);
    backup.putCredential('c', 'four', [4]);
    controlPlane.publisher.groupChanged('default', 6);
    await eventually(() => controlPlane.states().join() === 'gw-1 6 current');
    assert.deepEqual(keysOf(gateway), ['credential c/four [4]']);
    assert.deepEqual(gateway.current, [6]);
  });

  test('the number is lower and an operator allows it: the gateway takes the older configuration and is current', async (t) => {
    const { folder, backup } = await heldBeyondBackup(t);
    const controlPlane = await TestControlPlane.start(t, installation, { store: backup });
    const gateway = await startGateway(t, controlPlane.port, folder, true);
    await eventually(() => gateway.lastCurrent === 4);
    assert.deepEqual(keysOf(gateway), ['credential c/one [1]']);
    await eventually(() => controlPlane.states().join() === 'gw-1 4 current');
  });

  test('the number is higher: no delta is laid over the other history', async (t) => {
    const { folder, backup } = await heldBeyondBackup(t);
    const controlPlane = await TestControlPlane.start(t, installation, { store: backup });
    for (const byte of [4, 5, 6, 7]) backup.putCredential('c', `new-${byte}`, [byte]);
    const gateway = await startGateway(t, controlPlane.port, folder);
    await eventually(() => gateway.lastCurrent === 8);
    assert.equal(gateway.applier.items.has(JSON.stringify(['credential', 'c', 'two'])), false);
    assert.equal(gateway.applier.items.size, 8);
  });

  test('starts without a set-back cost no snapshot, however many there are', async (t) => {
    const { folder, store } = await heldBeyondBackup(t);
    for (let start = 0; start < 3; start++) {
      const controlPlane = await TestControlPlane.start(t, installation, { store });
      const revision = start === 1 ? store.revision : store.putCredential('c', `of-${start}`, [10 + start]);
      const gateway = await startGateway(t, controlPlane.port, folder);
      await eventually(() => gateway.lastCurrent === revision);
      await eventually(() => controlPlane.states().join() === `gw-1 ${revision} current`);
      // The one that was loaded from disk.
      assert.equal(gateway.applier.snapshotCount, 1);
      assert.deepEqual(
        controlPlane.log.lines.filter((line) => line.level === 'warn'),
        [],
      );
      await gateway.stop();
      await controlPlane.publisher.close();
    }
  });

  test('a gateway that names no history, or one that nobody has heard of, gets a snapshot and is told so', async (t) => {
    const { store } = await heldBeyondBackup(t);
    const controlPlane = await TestControlPlane.start(t, installation, { store });
    for (const history of [undefined, 'x'.repeat(10_000)]) {
      const peer = await RawPeer.connect(t, controlPlane.port, identity);
      peer.hello(6, 1, history);
      await eventually(() => peer.received.some((message) => message.kind === 'snapshot-end'));
      const [welcome] = peer.received;
      assert.equal(welcome?.kind === 'welcome' && welcome.historyAccepted, false);
      assert.deepEqual(await controlPlane.announce(), { applied: 0, expected: 1, lagging: ['gw-1'] });
    }
  });

  test('a store keeps the sessions of all starts', async () => {
    const store = new MemoryStore();
    store.put('service', 's1');
    const first = await openHistory({ store, random: systemRandom });
    store.put('service', 's2');
    const second = await openHistory({ store, random: systemRandom });
    assert.match(second.id, /^[0-9a-f]{32}$/);
    assert.notEqual(first.id, second.id);
    assert.equal(second.accepts('default', 2, first.id), true);
    assert.equal(second.accepts('default', 3, first.id), false);
  });
});

describe('the history that a gateway claims', () => {
  const SESSION_ONE = 'session one';
  const SESSION_TWO = 'session two';

  function sources(): { readonly one: SignedSource; readonly two: SignedSource } {
    const one = new SignedSource('default', new MemoryStore(), undefined, undefined, SESSION_ONE);
    return { one, two: one.inSession(SESSION_TWO) };
  }

  test('is that of the last delta or snapshot in force, never that of a welcome, and comes back from disk', async (t) => {
    const folder = await temporaryFolder(t);
    const { one, two } = sources();
    one.store.put('service', 's1');
    const gateway = await OfflineGateway.start(t, folder);
    assert.equal(gateway.held.history, undefined);
    await gateway.receive(one.welcome(), ...(await one.snapshot()));
    assert.equal(gateway.held.history, SESSION_ONE);
    await gateway.reconnect();
    await gateway.receive(two.welcome());
    assert.equal(gateway.held.history, SESSION_ONE);
    await gateway.journal.close();

    const again = await OfflineGateway.start(t, folder);
    assert.equal(again.held.history, SESSION_ONE);
    one.store.put('service', 's2');
    await again.receive(two.welcome(), await two.delta(1));
    assert.equal(again.held.history, SESSION_TWO);
    await again.journal.close();

    const last = await OfflineGateway.start(t, folder, { previousEnd: 'killed' });
    assert.deepEqual([last.held.revision, last.held.history], [2, SESSION_TWO]);
  });

  test('goes back with a revision that is refused, or that brought the process down', async (t) => {
    const folder = await temporaryFolder(t);
    const { one, two } = sources();
    one.store.put('service', 's1');
    const gateway = await OfflineGateway.start(t, folder);
    await gateway.receive(one.welcome(), ...(await one.snapshot()));
    await gateway.proveCandidates();
    gateway.applier.refuse = () => 'no';
    one.store.put('route', 'broken');
    await gateway.receive(await two.delta(1));
    assert.deepEqual([gateway.held.revision, gateway.held.history], [1, SESSION_ONE]);
    gateway.applier.refuse = () => undefined;
    one.store.put('route', 'mended');
    await gateway.receive(await two.delta(1));
    assert.deepEqual([gateway.held.revision, gateway.held.history], [3, SESSION_TWO]);
    await gateway.journal.close();

    const again = await OfflineGateway.start(t, folder, { previousEnd: 'crashed' });
    assert.deepEqual([again.held.revision, again.held.history], [1, SESSION_ONE]);
  });

  test('when it is not accepted and the snapshot is refused, no delta is laid over what is held and nothing is current', async (t) => {
    const { one, two } = sources();
    one.store.put('service', 's1');
    const gateway = await OfflineGateway.start(t, await temporaryFolder(t));
    await gateway.receive(one.welcome(), ...(await one.snapshot()));
    await gateway.reconnect();
    gateway.current.length = 0;
    gateway.applier.refuse = (revision) => (revision === 1 ? 'no' : undefined);
    await gateway.receive(two.welcome('gw-1', { historyAccepted: false }), ...(await two.snapshot()));
    one.store.put('service', 's2');
    await gateway.receive(await two.delta(1));
    assert.deepEqual(gateway.answers, ['1 refused: no']);
    assert.deepEqual([gateway.held.revision, gateway.held.history, gateway.current], [1, SESSION_ONE, []]);
    await gateway.receive(...(await two.snapshot()));
    assert.deepEqual([gateway.held.revision, gateway.held.history, gateway.current], [2, SESSION_TWO, [2]]);
  });

  test('a revision beyond the newest of the control plane is not current', async (t) => {
    const { one } = sources();
    one.store.put('service', 's1');
    const gateway = await OfflineGateway.start(t, await temporaryFolder(t));
    await gateway.receive(one.welcome(), ...(await one.snapshot()));
    await gateway.reconnect();
    gateway.current.length = 0;
    await gateway.receive(one.welcome('gw-1', { revision: 0 }));
    assert.deepEqual(gateway.current, []);
  });

  test('a snapshot with the number of what is held has to prove itself for the whole time', async (t) => {
    const folder = await temporaryFolder(t);
    const { one, two } = sources();
    one.store.put('service', 's1');
    const gateway = await OfflineGateway.start(t, folder);
    await gateway.receive(one.welcome(), ...(await one.snapshot()));
    gateway.clock.advance(9_000);
    await gateway.reconnect();
    const gate = Promise.withResolvers<void>();
    gateway.applier.gate = gate.promise;
    const taken = gateway.receive(two.welcome('gw-1', { historyAccepted: false }), ...(await two.snapshot()));
    await eventually(() => gateway.held.history === SESSION_TWO);
    gateway.clock.advance(5_000);
    await setImmediate();
    gate.resolve();
    await taken;
    await gateway.journal.withdrawals();
    assert.equal(gateway.journal.hasCandidates, true);
    await gateway.proveCandidates();
    assert.equal(gateway.journal.hasCandidates, false);
  });
});
