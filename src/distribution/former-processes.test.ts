import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { temporaryFolder } from '../../test-support/temporary-folder.ts';
import type { SnapshotDelta } from '../schema/snapshot.ts';
import type { InstanceRegistry, RegisteredInstance } from '../store/instance-registry.ts';
import type { FormerProcesses } from './former-processes.ts';
import { eventually } from './test-support/eventually.ts';
import { createIdentity, createInstallation, type Installation, TestControlPlane, TestGateway } from './test-support/sync-fixture.ts';

/** What a process is told of the one that it replaces, as a test wants it. */
class TestFormer implements FormerProcesses {
  readonly deltas: SnapshotDelta[] = [];
  readonly ended = Promise.withResolvers<void>();
  /** Held up before each change. */
  gate: Promise<void> = Promise.resolve();
  readonly #gateway: TestGateway;

  constructor(gateway: TestGateway) {
    this.#gateway = gateway;
  }

  get gone(): Promise<void> {
    return this.ended.promise;
  }

  async follow(delta: SnapshotDelta): Promise<void> {
    this.deltas.push(delta);
    await this.gate;
    // As between processes.
    await this.#gateway.subscriber.follow(JSON.parse(JSON.stringify(delta))).catch(() => this.gone);
  }

  leaveControlPlane(): void {
    void this.#gateway.subscriber.stop();
  }
}

const ELSEWHERE: RegisteredInstance = {
  groupId: 'default',
  instanceId: 'gw-1',
  connectionId: 1,
  controlPlaneId: 'other',
  isConnected: true,
  isAwaited: false,
  state: 'loading',
  revision: 0,
  answeredRevision: 0,
  softwareVersion: '0.1.0-test',
  connectedAtMs: 0,
  silentMs: 0,
};

describe('a gateway process and the one that it replaces', () => {
  let installation: Installation;
  before(async () => {
    installation = await createInstallation();
  });

  /** The first of an instance, connected and current. */
  async function start(t: Parameters<typeof TestGateway.create>[0]) {
    const controlPlane = await TestControlPlane.start(t, installation);
    controlPlane.store.putCredential('jack', 'c1', [1]);
    const options = {
      port: controlPlane.port,
      identity: await createIdentity(installation.authority, 'gw-1'),
      folder: await temporaryFolder(t),
    };
    const old = await TestGateway.create(t, options);
    await old.subscriber.start();
    await eventually(() => controlPlane.states().join() === 'gw-1 1 current');
    return {
      controlPlane,
      old,
      async handOver(): Promise<void> {
        await old.subscriber.handOver();
        await old.journal.close();
      },
      async replace(): Promise<{ readonly fresh: TestGateway; readonly former: TestFormer }> {
        const former = new TestFormer(old);
        const fresh = await TestGateway.create(t, { ...options, previousEnd: 'clean', former });
        await fresh.subscriber.start();
        return { fresh, former };
      },
    };
  }

  test('between the two a write counts the instance, and is not told to be in force', async (t) => {
    const { controlPlane, old, handOver } = await start(t);
    await handOver();
    controlPlane.store.delete('credential', 'c1', 'jack');
    const told: unknown[] = [];
    void controlPlane.announce(1_000).then((applied) => told.push(applied));
    await eventually(() => {
      controlPlane.clock.advance(100);
      return told.length === 1;
    });
    assert.deepEqual(told, [{ applied: 0, expected: 1, lagging: ['gw-1'] }]);
    assert.deepEqual(old.applier.summary, ['credential jack/c1 [1]']);
  });

  test('a write is told to be in force when both have it', async (t) => {
    const { controlPlane, old, handOver, replace } = await start(t);
    await handOver();
    const { fresh, former } = await replace();
    await eventually(() => fresh.lastCurrent === 1);
    assert.deepEqual(former.deltas, [{ fromRevision: 1, toRevision: 1, changes: [] }], 'it is asked whether it has what was kept on disk');
    const gate = Promise.withResolvers<void>();
    former.gate = gate.promise;
    controlPlane.store.delete('credential', 'c1', 'jack');
    const missed = controlPlane.announce(1_000);
    await eventually(() => fresh.applier.revision === 2);
    controlPlane.store.putCredential('jack', 'c2', [2]);
    void controlPlane.announce(0);
    await eventually(() => fresh.applier.revision === 3);
    controlPlane.clock.advance(1_000);
    assert.deepEqual(await missed, { applied: 0, expected: 1, lagging: ['gw-1'] });
    assert.deepEqual(old.applier.summary, ['credential jack/c1 [1]']);
    gate.resolve();
    await eventually(() => controlPlane.states().join() === 'gw-1 3 current');
    assert.deepEqual(old.applier.summary, ['credential jack/c2 [2]']);
    controlPlane.store.putCredential('jack', 'c3', [3]);
    assert.deepEqual(await controlPlane.announce(), { applied: 1, expected: 1, lagging: [] });
    assert.deepEqual(old.applier.summary, fresh.applier.summary);
  });

  test('what the old process cannot put in force is told to be in force when that has ended', async (t) => {
    const { controlPlane, old, handOver, replace } = await start(t);
    await handOver();
    const { fresh, former } = await replace();
    await eventually(() => fresh.lastCurrent === 1);
    old.applier.refuse = (revision) => (revision === 2 ? 'no room' : undefined);
    for (const [place, route] of ['r1', 'r2'].entries()) {
      controlPlane.store.put('route', route);
      void controlPlane.announce(0);
      await eventually(() => fresh.applier.revision === place + 2);
    }
    assert.deepEqual(controlPlane.states(), ['gw-1 1 current']);
    former.ended.resolve();
    await eventually(() => controlPlane.states().join() === 'gw-1 3 current');
    const followed = former.deltas.length;
    controlPlane.store.put('route', 'r3');
    assert.deepEqual(await controlPlane.announce(), { applied: 1, expected: 1, lagging: [] });
    assert.equal(former.deltas.length, followed, 'nobody is left who could follow');
    assert.deepEqual(old.applier.summary, ['credential jack/c1 [1]']);
  });

  test('a whole snapshot is told to be in force when the old process has ended', async (t) => {
    const { controlPlane, handOver, replace } = await start(t);
    await handOver();
    controlPlane.store.put('route', 'r1');
    controlPlane.store.historyStart = controlPlane.store.revision;
    const { fresh, former } = await replace();
    await eventually(() => fresh.applier.snapshotCount === 2);
    controlPlane.store.put('route', 'r2');
    void controlPlane.announce(0);
    await eventually(() => fresh.applier.revision === 3);
    assert.ok(!controlPlane.states().join().endsWith('current'));
    former.ended.resolve();
    await eventually(() => controlPlane.states().join() === 'gw-1 3 current');
  });

  test('what a refused revision takes away is taken away in both before that is told', async (t) => {
    const { controlPlane, old, handOver, replace } = await start(t);
    await handOver();
    const { fresh } = await replace();
    await eventually(() => fresh.lastCurrent === 1);
    for (const gateway of [old, fresh]) gateway.applier.refuse = () => 'a broken route';
    controlPlane.store.delete('credential', 'c1', 'jack');
    assert.deepEqual((await controlPlane.announce()).lagging, ['gw-1']);
    assert.deepEqual([fresh.applier.summary, old.applier.summary], [[], []]);
  });

  test('a write that waits while the next process comes is told with the instance', async (t) => {
    const { controlPlane, handOver, replace } = await start(t);
    const other = await TestGateway.create(t, { port: controlPlane.port, identity: await createIdentity(installation.authority, 'gw-2') });
    await other.subscriber.start();
    await eventually(() => controlPlane.states().filter((state) => state.endsWith('1 current')).length === 2);
    await handOver();
    controlPlane.store.delete('credential', 'c1', 'jack');
    const told = controlPlane.announce(60_000);
    await eventually(() => other.applier.revision === 2);
    await replace();
    const { expected, lagging } = await told;
    assert.deepEqual({ expected, lagging }, { expected: 2, lagging: ['gw-1'] });
  });

  test('a write that waits while the instance moves to another control plane is told with it', async (t) => {
    let hasMoved = false;
    const registry: InstanceRegistry = {
      controlPlaneId: 'own',
      renew: async () => ({ histories: [], wasExpired: false }),
      report: async () => undefined,
      list: async () => [],
      listOthers: async () => (hasMoved ? [ELSEWHERE] : []),
      forget: async () => 0,
      watch: () => async () => undefined,
      leave: async () => undefined,
    };
    const controlPlane = await TestControlPlane.start(t, installation, { registry });
    const gateway = await TestGateway.create(t, {
      port: controlPlane.port,
      identity: await createIdentity(installation.authority, 'gw-1'),
    });
    await gateway.subscriber.start();
    await eventually(() => controlPlane.states().join() === 'gw-1 0 current');
    await gateway.subscriber.handOver();
    controlPlane.store.put('route', 'r1');
    const told = controlPlane.announce(60_000);
    // The registry has said by now that nobody is elsewhere.
    await new Promise(setImmediate);
    hasMoved = true;
    void gateway.subscriber.stop();
    assert.deepEqual(await told, { applied: 0, expected: 1, lagging: ['gw-1'] });
  });

  test('what was kept on disk and is not in force in the old process is not told to be', async (t) => {
    const { controlPlane, old, handOver, replace } = await start(t);
    // It never comes to an end there.
    const never = Promise.withResolvers<void>();
    t.after(() => never.resolve());
    old.applier.gate = never.promise;
    controlPlane.store.delete('credential', 'c1', 'jack');
    void controlPlane.announce(0);
    await eventually(() => old.journal.history !== undefined && controlPlane.store.revision === 2);
    void handOver();
    await old.journal.close();
    const { fresh, former } = await replace();
    await eventually(() => fresh.applier.revision === 2 && fresh.subscriber.isConnected);
    assert.deepEqual((await controlPlane.publisher.waitApplied('default', 2, 0)).lagging, ['gw-1']);
    former.ended.resolve();
    never.resolve();
    await eventually(() => controlPlane.states().join() === 'gw-1 2 current');
  });

  test('while the old process is behind, the next one goes on: over a connection made anew, and after a refusal', async (t) => {
    const { controlPlane, old, handOver, replace } = await start(t);
    await handOver();
    const { fresh, former } = await replace();
    await eventually(() => fresh.lastCurrent === 1);
    old.applier.refuse = () => 'no room';
    fresh.applier.refuse = (revision) => (revision === 3 ? 'a broken route' : undefined);
    for (const [place, id] of ['r2', 'r3', 'r4'].entries()) {
      controlPlane.store.put('route', id);
      void controlPlane.announce(0);
      await eventually(() => fresh.applier.revision === place + 2 || fresh.refusals.length > 0);
    }
    await eventually(() => fresh.applier.revision === 4);
    await controlPlane.publisher.close();
    await eventually(() => !fresh.subscriber.isConnected);
    const again = await TestControlPlane.start(t, installation, { store: controlPlane.store, port: controlPlane.port });
    await eventually(() => {
      fresh.clock.advance(1_000);
      return fresh.subscriber.isConnected;
    });
    again.store.delete('credential', 'c1', 'jack');
    assert.deepEqual((await again.announce(0)).lagging, ['gw-1']);
    await eventually(() => fresh.applier.revision === 5);
    assert.deepEqual(old.applier.summary, [], 'a credential that is gone is gone there, too');
    assert.deepEqual((await again.publisher.waitApplied('default', 5, 0)).lagging, ['gw-1']);
    former.ended.resolve();
    await eventually(() => again.states().join() === 'gw-1 5 current');
  });

  test('a process that was not connected leaves nothing behind, and follows', async (t) => {
    const { controlPlane, old, handOver, replace } = await start(t);
    await controlPlane.publisher.close();
    await eventually(() => !old.subscriber.isConnected);
    await handOver();
    const again = await TestControlPlane.start(t, installation, { store: controlPlane.store, port: controlPlane.port });
    const { fresh } = await replace();
    await eventually(() => fresh.lastCurrent === 1);
    again.store.put('route', 'r1');
    assert.deepEqual(await again.announce(), { applied: 1, expected: 1, lagging: [] });
    assert.deepEqual(old.applier.summary, ['credential jack/c1 [1]', 'route r1']);
  });
});
