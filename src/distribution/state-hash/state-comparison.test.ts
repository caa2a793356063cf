import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { RecordingLogger } from '../../../test-support/recording-logger.ts';
import { temporaryFolder } from '../../../test-support/temporary-folder.ts';
import { ConnectedInstance } from '../connected-instance.ts';
import type { ControlPlaneMessage } from '../protocol.ts';
import { eventually } from '../test-support/eventually.ts';
import { MemoryStore } from '../test-support/memory-store.ts';
import { createIdentity, createInstallation, type Installation, TestControlPlane, TestGateway } from '../test-support/sync-fixture.ts';
import { StateComparison } from './state-comparison.ts';

/** A group of instances that hold revision 1, and what they are sent. */
class Group {
  readonly clock = new FakeClock();
  readonly sent: string[] = [];
  readonly resyncs: string[] = [];
  readonly instances: readonly ConnectedInstance[];
  readonly comparison: StateComparison;
  reads = 0;
  forgotten = 0;

  constructor(size: number) {
    this.comparison = new StateComparison({
      state: {
        isKnown: false,
        current: async () => {
          this.reads++;
          return { revision: 1, kinds: [] };
        },
        forget: () => void this.forgotten++,
      },
      compareIntervalMs: 60_000,
      clock: this.clock,
      random: { bytes: (length) => Buffer.alloc(length) },
      log: new RecordingLogger(),
      onResync: (instance) => {
        this.resyncs.push(instance.name.instanceId);
        instance.noteSnapshotRequest();
        instance.noteSnapshotBegun();
      },
    });
    this.instances = Array.from({ length: size }, (_, index) => this.#instance(`gw-${index}`));
    for (const instance of this.instances) this.comparison.join(instance);
  }

  /** Time passes, and everything that it brings about has happened. */
  async pass(durationMs: number): Promise<void> {
    for (let leftMs = durationMs; leftMs > 0; leftMs -= 5_000) {
      this.clock.advance(Math.min(5_000, leftMs));
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    }
  }

  findDifferent(instance: ConnectedInstance): void {
    this.comparison.noteChecked(instance, { kind: 'state-checked', revision: 1, outcome: 'different', reason: 'route' });
  }

  /** The snapshot is there and in force. */
  finishResync(instance: ConnectedInstance): void {
    instance.noteSnapshotSent(1);
    instance.noteAnswer({ kind: 'applied', revision: 1, outcome: 'applied' }, 1);
  }

  #instance(instanceId: string): ConnectedInstance {
    const connection = {
      isClosed: false,
      isCongested: false,
      send: ({ kind }: ControlPlaneMessage) => this.sent.push(`${instanceId} ${kind}`),
    };
    return new ConnectedInstance({
      name: { groupId: 'default', instanceId },
      // Only these are used.
      connection: connection as unknown as ConstructorParameters<typeof ConnectedInstance>[0]['connection'],
      facts: { connectedAtMs: 0, softwareVersion: '0' },
      connectionId: 1,
      heldRevision: 1,
      isHistoryAccepted: true,
      newestRevision: 1,
    });
  }
}

describe('comparisons of a group', () => {
  test('each instance is told once an interval, and soon after a snapshot', async () => {
    const group = new Group(2);
    await group.pass(5_000);
    assert.deepEqual(group.sent, ['gw-0 state-hash', 'gw-1 state-hash']);
    assert.equal(group.reads, 1);
    await group.pass(55_000);
    assert.equal(group.sent.length, 2);
    const [first] = group.instances;
    assert.ok(first !== undefined);
    first.noteSnapshotBegun();
    await group.pass(5_000);
    assert.deepEqual(group.sent.slice(2), ['gw-1 state-hash']);
    group.finishResync(first);
    await group.pass(5_000);
    assert.deepEqual(group.sent.slice(3), ['gw-0 state-hash']);
  });

  test('fifty instances that all differ get their snapshots two at a time, and each of them one', async () => {
    const group = new Group(50);
    await group.pass(5_000);
    for (const instance of group.instances) group.findDifferent(instance);
    let most = 0;
    for (let round = 0; round < 40 && group.resyncs.length < 50; round++) {
      const begun = group.resyncs.length;
      await group.pass(5_000);
      const running = group.resyncs.slice(begun);
      most = Math.max(most, running.length);
      for (const instance of group.instances) if (running.includes(instance.name.instanceId)) group.finishResync(instance);
    }
    assert.equal(most, 2);
    assert.deepEqual(new Set(group.resyncs).size, 50);
    assert.equal(group.resyncs.length, 50);
  });

  test('an instance that a snapshot does not help gets the next ones ever later, and at once when it had been whole again', async () => {
    const group = new Group(1);
    const [instance] = group.instances;
    assert.ok(instance !== undefined);
    const times: number[] = [];
    for (let tick = 0; tick < 2_000; tick++) {
      group.findDifferent(instance);
      const before = group.resyncs.length;
      await group.pass(5_000);
      if (group.resyncs.length === before) continue;
      times.push(group.clock.monotonicMs());
      group.finishResync(instance);
    }
    const gaps = times.slice(1).map((time, index) => Math.round((time - (times[index] ?? 0)) / 60_000));
    assert.deepEqual(gaps, [10, 20, 40, 80]);
    assert.equal(instance.status().compared?.difference, 'route');
    await group.pass(60_000);
    group.comparison.noteChecked(instance, { kind: 'state-checked', revision: 1, outcome: 'same' });
    assert.deepEqual(instance.status().compared, { revision: 1 });
    await group.pass(60_000);
    group.findDifferent(instance);
    await group.pass(10_000);
    assert.equal(group.resyncs.length, times.length + 1);
  });

  test('an instance that says more than it was asked is not listened to', async () => {
    const group = new Group(1);
    const [instance] = group.instances;
    assert.ok(instance !== undefined);
    group.findDifferent(instance);
    assert.equal(instance.status().compared, undefined);
    await group.pass(5_000);
    assert.deepEqual([group.sent.length, group.resyncs.length], [1, 0]);
    for (let time = 0; time < 1_000; time++) group.findDifferent(instance);
    group.comparison.noteChecked(instance, { kind: 'state-checked', revision: 1, outcome: 'same' });
    assert.equal(instance.status().compared?.difference, 'route');
  });

  test('two that never take their snapshots do not keep the others from theirs', async () => {
    const group = new Group(4);
    await group.pass(5_000);
    for (const instance of group.instances) group.findDifferent(instance);
    await group.pass(60_000);
    assert.deepEqual(group.resyncs, ['gw-0', 'gw-1']);
    await group.pass(600_000);
    assert.deepEqual(group.resyncs, ['gw-0', 'gw-1', 'gw-2', 'gw-3']);
  });

  test('with nobody connected nothing is read and nothing kept', async () => {
    const group = new Group(1);
    for (const instance of group.instances) group.comparison.leave(instance);
    await group.pass(600_000);
    assert.deepEqual([group.reads, group.forgotten, group.clock.pendingTasks], [0, 1, 0]);
  });
});

describe('over mutual TLS', () => {
  let installation: Installation;
  before(async () => {
    installation = await createInstallation();
  });

  test('a gateway to which a change was never sent is found and brought in order by one snapshot, while it goes on', async (t) => {
    const store = new MemoryStore();
    store.put('service', 's1');
    store.putCredential('jack', 'c1', [1]);
    const controlPlane = await TestControlPlane.start(t, installation, { store, compareIntervalMs: 500 });
    const identity = await createIdentity(installation.authority, 'gw-1');
    const gateway = await TestGateway.create(t, { port: controlPlane.port, identity, folder: await temporaryFolder(t) });
    await gateway.subscriber.start();
    await eventually(() => controlPlane.states().join() === 'gw-1 2 current');

    const { changesSince } = store;
    store.changesSince = async (...parameters) => {
      const since = await changesSince.apply(store, parameters);
      return since && { ...since, changes: since.changes.filter(({ op }) => op !== 'delete') };
    };
    store.delete('credential', 'c1', 'jack');
    assert.deepEqual(await controlPlane.announce(), { applied: 1, expected: 1, lagging: [] });
    store.changesSince = changesSince;
    assert.deepEqual(gateway.applier.summary, ['credential jack/c1 [1]', 'service s1']);

    const compared = () => controlPlane.publisher.instances('default')[0]?.compared;
    controlPlane.clock.advance(500);
    await eventually(() => compared()?.difference === 'credential (1 held, 0 expected)');
    assert.equal(gateway.applier.snapshotCount, 1);
    controlPlane.clock.advance(500);
    await eventually(() => gateway.applier.snapshotCount === 2);
    assert.deepEqual(gateway.applier.summary, ['service s1']);
    // Its answer is under way; each further tick would send a hash, and the first one after the answer does.
    const isWhole = (): boolean => compared()?.difference === undefined && compared()?.revision === 3;
    for (let tick = 0; tick < 10 && !isWhole(); tick++) {
      controlPlane.clock.advance(500);
      await eventually(() => isWhole() || controlPlane.clock.pendingTasks > 0);
      for (let turn = 0; turn < 200 && !isWhole(); turn++) await setImmediate();
    }
    assert.ok(isWhole());
    assert.equal(gateway.subscriber.stateCheck?.isSame, true);
    store.put('route', 'r1');
    assert.deepEqual(await controlPlane.announce(), { applied: 1, expected: 1, lagging: [] });
    assert.equal(gateway.applier.snapshotCount, 2);
  });
});
