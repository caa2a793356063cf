import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { temporaryFolder } from '../../test-support/temporary-folder.ts';
import { eventually } from './test-support/eventually.ts';
import { MemoryStore } from './test-support/memory-store.ts';
import { createIdentity, createInstallation, type Installation, TestControlPlane, TestGateway } from './test-support/sync-fixture.ts';

describe('a control plane and its gateways over mutual TLS', () => {
  let installation: Installation;
  before(async () => {
    installation = await createInstallation();
  });

  async function startGateway(
    t: Parameters<typeof TestGateway.create>[0],
    port: number,
    options: Partial<Parameters<typeof TestGateway.create>[1]> & { readonly instanceId?: string } = {},
  ): Promise<TestGateway> {
    const identity = options.identity ?? (await createIdentity(installation.authority, options.instanceId ?? 'gw-1'));
    const gateway = await TestGateway.create(t, { port, ...options, identity });
    await gateway.subscriber.start();
    return gateway;
  }

  test('a new instance gets a snapshot, then deltas, and acknowledges each', async (t) => {
    const controlPlane = await TestControlPlane.start(t, installation);
    controlPlane.store.put('service', 's1');
    controlPlane.store.putCredential('jack', 'c1', [1]);
    const gateway = await startGateway(t, controlPlane.port);
    await eventually(() => gateway.lastCurrent === 2);
    assert.deepEqual(gateway.applier.summary, ['credential jack/c1 [1]', 'service s1']);
    assert.deepEqual(gateway.applier.keySalt, installation.keySalt);
    await eventually(() => controlPlane.states().join() === 'gw-1 2 current');

    controlPlane.store.put('route', 'r1');
    assert.deepEqual(await controlPlane.announce(), { applied: 1, expected: 1, lagging: [] });
    assert.deepEqual(gateway.applier.summary, ['credential jack/c1 [1]', 'route r1', 'service s1']);
    controlPlane.store.delete('credential', 'c1', 'jack');
    assert.deepEqual(await controlPlane.announce(), { applied: 1, expected: 1, lagging: [] });
    assert.deepEqual(gateway.applier.summary, ['route r1', 'service s1']);
    assert.equal(gateway.applier.snapshotCount, 1);
    assert.equal(gateway.subscriber.revision, 4);
  });

  test('a control plane that cannot be reached is passed over for the next one', async (t) => {
    const controlPlane = await TestControlPlane.start(t, installation);
    controlPlane.store.put('service', 's1');
    const controlPlanes = [1, controlPlane.port].map((port) => ({ host: '127.0.0.1', port }));
    const gateway = await startGateway(t, 1, { controlPlanes });
    await eventually(() => gateway.lastCurrent === 1);
  });

  test('a group without any resource makes its instances current too', async (t) => {
    const controlPlane = await TestControlPlane.start(t, installation);
    const gateway = await startGateway(t, controlPlane.port);
    await eventually(() => gateway.lastCurrent === 0);
    await eventually(() => controlPlane.states().join() === 'gw-1 0 current');
    controlPlane.store.put('service', 's1');
    assert.deepEqual(await controlPlane.announce(), { applied: 1, expected: 1, lagging: [] });
  });

  test('without any instance a wait ends at once', async (t) => {
    const controlPlane = await TestControlPlane.start(t, installation);
    controlPlane.store.put('service', 's1');
    assert.deepEqual(await controlPlane.announce(), { applied: 0, expected: 0, lagging: [] });
  });

  test('a burst of writes becomes few deltas, and instances at the same revision share one', async (t) => {
    const controlPlane = await TestControlPlane.start(t, installation);
    controlPlane.store.put('service', 's1');
    const gateways = await Promise.all(['gw-1', 'gw-2', 'gw-3'].map((instanceId) => startGateway(t, controlPlane.port, { instanceId })));
    await eventually(() => controlPlane.states().every((state) => state.endsWith('current')) && controlPlane.states().length === 3);
    controlPlane.store.changesSinceCalls = 0;
    for (let i = 0; i < 500; i++) {
      controlPlane.publisher.groupChanged('default', controlPlane.store.put('route', `r${i}`));
    }
    assert.deepEqual(await controlPlane.announce(), { applied: 3, expected: 3, lagging: [] });
    assert.ok(controlPlane.store.changesSinceCalls <= 3, `${controlPlane.store.changesSinceCalls} deltas were built`);
    for (const gateway of gateways) assert.equal(gateway.applier.items.size, 501);
  });

  test('an instance that misses a wait is named, and not waited for again until it has caught up', async (t) => {
    const controlPlane = await TestControlPlane.start(t, installation);
    const sick = await startGateway(t, controlPlane.port, { instanceId: 'sick' });
    await startGateway(t, controlPlane.port, { instanceId: 'well' });
    await eventually(() => controlPlane.states().filter((state) => state.endsWith('current')).length === 2);
    const gate = Promise.withResolvers<void>();
    sick.applier.gate = gate.promise;

    controlPlane.store.put('service', 's1');
    const missed = controlPlane.announce(1_000);
    await eventually(() => controlPlane.states().includes('well 1 current'));
    controlPlane.clock.advance(1_000);
    assert.deepEqual(await missed, { applied: 1, expected: 2, lagging: ['sick'] });
    assert.ok(controlPlane.states().includes('sick 0 lagging'));

    for (let i = 0; i < 20; i++) {
      controlPlane.store.put('service', `s${i}`);
      // The clock stands still: a wait for the sick instance would never end.
      assert.deepEqual(await controlPlane.announce(1_000), { applied: 1, expected: 2, lagging: ['sick'] });
    }
    gate.resolve();
    await eventually(() => controlPlane.states().includes('sick 21 current'));
    controlPlane.store.put('service', 'last');
    assert.deepEqual(await controlPlane.announce(), { applied: 2, expected: 2, lagging: [] });
  });

  test('an instance that is still loading is named and not waited for', async (t) => {
    const controlPlane = await TestControlPlane.start(t, installation);
    controlPlane.store.put('service', 's1');
    const identity = await createIdentity(installation.authority, 'slow');
    const gateway = await TestGateway.create(t, { port: controlPlane.port, identity });
    const gate = Promise.withResolvers<void>();
    gateway.applier.gate = gate.promise;
    await gateway.subscriber.start();
    await eventually(() => controlPlane.states().join() === 'slow 0 loading');
    controlPlane.store.put('service', 's2');
    assert.deepEqual(await controlPlane.announce(), { applied: 0, expected: 1, lagging: ['slow'] });
    gate.resolve();
    await eventually(() => controlPlane.states().join() === 'slow 2 current');
  });

  test('a wait of no time marks nobody as lagging', async (t) => {
    const controlPlane = await TestControlPlane.start(t, installation);
    await startGateway(t, controlPlane.port);
    await eventually(() => controlPlane.states().join() === 'gw-1 0 current');
    controlPlane.store.put('service', 's1');
    assert.deepEqual(await controlPlane.announce(0), { applied: 0, expected: 1, lagging: ['gw-1'] });
    assert.deepEqual(await controlPlane.announce(), { applied: 1, expected: 1, lagging: [] });
  });

  test('an instance that goes away during a wait is no longer waited for', async (t) => {
    const controlPlane = await TestControlPlane.start(t, installation);
    const gateway = await startGateway(t, controlPlane.port);
    await eventually(() => controlPlane.states().join() === 'gw-1 0 current');
    const gate = Promise.withResolvers<void>();
    gateway.applier.gate = gate.promise;
    controlPlane.store.put('service', 's1');
    const waiting = controlPlane.announce();
    const stopped = gateway.stop();
    assert.deepEqual(await waiting, { applied: 0, expected: 0, lagging: [] });
    gate.resolve();
    await stopped;
  });

  test('a refused revision is answered at once by name; the next one is tried from what was kept', async (t) => {
    const controlPlane = await TestControlPlane.start(t, installation);
    controlPlane.store.put('service', 's1');
    const gateway = await startGateway(t, controlPlane.port);
    await eventually(() => controlPlane.states().join() === 'gw-1 1 current');
    gateway.applier.refuse = (revision) => (revision === 2 ? 'the route cannot be compiled' : undefined);
    controlPlane.store.put('route', 'broken');
    assert.deepEqual(await controlPlane.announce(), { applied: 0, expected: 1, lagging: ['gw-1'] });
    assert.deepEqual(controlPlane.states(), ['gw-1 1 lagging']);
    const refusal = () => controlPlane.publisher.instances(controlPlane.store.groupId)[0]?.refused;
    assert.deepEqual(refusal(), { revision: 2, reason: 'the route cannot be compiled' });
    assert.deepEqual(gateway.refusals, ['2: the route cannot be compiled']);
    assert.deepEqual(gateway.applier.summary, ['service s1']);

    controlPlane.store.put('route', 'mended');
    assert.deepEqual(await controlPlane.announce(), { applied: 1, expected: 1, lagging: [] });
    assert.equal(refusal(), undefined);
    assert.deepEqual(gateway.applier.summary, ['route broken', 'route mended', 'service s1']);
    assert.equal(gateway.applier.snapshotCount, 1);
  });

  test('what a refused revision takes away is taken away all the same', async (t) => {
    const controlPlane = await TestControlPlane.start(t, installation);
    controlPlane.store.putCredential('jack', 'gone', [1]);
    controlPlane.store.putCredential('jack', 'replaced', [2, 3]);
    controlPlane.store.putCredential('jack', 'kept', [4]);
    const gateway = await startGateway(t, controlPlane.port);
    await eventually(() => controlPlane.states().join() === 'gw-1 3 current');
    gateway.applier.refuse = () => 'no';
    controlPlane.store.delete('credential', 'gone', 'jack');
    controlPlane.store.putCredential('jack', 'replaced', [3, 5]);
    controlPlane.store.putCredential('jack', 'added', [6]);
    controlPlane.store.put('route', 'broken');
    assert.deepEqual(await controlPlane.announce(), { applied: 0, expected: 1, lagging: ['gw-1'] });
    assert.deepEqual(gateway.applier.summary, ['credential jack/kept [4]', 'credential jack/replaced [3]']);
  });

  test('an instance finds its way back to a control plane that died, and gets only what it missed', async (t) => {
    const first = await TestControlPlane.start(t, installation);
    first.store.put('service', 's1');
    const gateway = await startGateway(t, first.port);
    await eventually(() => gateway.lastCurrent === 1);
    await first.publisher.close();
    await eventually(() => !gateway.subscriber.isConnected);
    assert.deepEqual(gateway.applier.summary, ['service s1']);

    first.store.put('service', 's2');
    const second = await TestControlPlane.start(t, installation, { store: first.store, port: first.port });
    await eventually(() => {
      gateway.clock.advance(100);
      return gateway.lastCurrent === 2;
    });
    assert.deepEqual(gateway.applier.summary, ['service s1', 'service s2']);
    assert.equal(gateway.applier.snapshotCount, 1);
    await eventually(() => second.states().join() === 'gw-1 2 current');
  });

  test('attempts to reach a dead control plane become rarer, up to some seconds, and never end', async (t) => {
    const controlPlane = await TestControlPlane.start(t, installation);
    await controlPlane.publisher.close();
    const gateway = await startGateway(t, controlPlane.port);
    const delays = (): number[] => gateway.log.lines.flatMap(({ fields }) => (typeof fields.inMs === 'number' ? [fields.inMs] : []));
    for (let attempt = 1; attempt <= 12; attempt++) {
      await eventually(() => delays().length === attempt);
      gateway.clock.advance(23_000);
    }
    const [first = 0] = delays();
    const last = delays().at(-1) ?? 0;
    assert.ok(first >= 50 && first <= 150, `${first} ms`);
    assert.ok(last >= 7_500 && last <= 22_500, `${last} ms`);
    assert.equal(gateway.log.lines.filter((line) => line.level === 'warn').length, 1);
  });

  test('history that does not reach back far enough, or is too long, is replaced by a snapshot', async (t) => {
    const controlPlane = await TestControlPlane.start(t, installation);
    controlPlane.store.put('service', 's1');
    const gateway = await startGateway(t, controlPlane.port);
    await eventually(() => controlPlane.states().join() === 'gw-1 1 current');
    controlPlane.store.put('service', 's2');
    controlPlane.store.historyStart = 2;
    assert.equal((await controlPlane.announce()).applied, 1);
    assert.equal(gateway.applier.snapshotCount, 2);

    for (let i = 0; i < 40; i++) controlPlane.store.put('route', `r${i}`, { desc: 'x'.repeat(120_000) });
    assert.equal((await controlPlane.announce()).applied, 1);
    assert.equal(gateway.applier.snapshotCount, 3);
    assert.equal(gateway.applier.items.size, 42);
  });

  test('writes during a snapshot follow it as a delta', async (t) => {
    const controlPlane = await TestControlPlane.start(t, installation);
    for (let i = 0; i < 600; i++) controlPlane.store.put('route', `r${i}`);
    let pages = 0;
    controlPlane.store.onPage = () => {
      if (++pages !== 2) return;
      controlPlane.store.delete('route', 'r0');
      controlPlane.store.put('route', 'r599', { desc: 'newer' });
      controlPlane.store.put('service', 'added');
    };
    const gateway = await startGateway(t, controlPlane.port);
    await eventually(() => gateway.lastCurrent === 603);
    assert.equal(gateway.applier.snapshotCount, 1);
    assert.equal(gateway.applier.items.size, 600);
    assert.equal(gateway.applier.items.has(JSON.stringify(['route', '', 'r0'])), false);
  });

  test('what takes the place of something else during a snapshot is there before the delta takes that away', async (t) => {
    const controlPlane = await TestControlPlane.start(t, installation);
    for (let i = 100; i < 700; i++) controlPlane.store.put('route', `r${i}`);
    let pages = 0;
    controlPlane.store.onPage = () => {
      if (++pages !== 2) return;
      controlPlane.store.put('route', 'a-successor');
      controlPlane.store.delete('route', 'r699');
    };
    const gateway = await TestGateway.create(t, {
      port: controlPlane.port,
      identity: await createIdentity(installation.authority, 'gw-1'),
    });
    const inForceBefore: string[][] = [];
    gateway.applier.refuse = () => {
      inForceBefore.push(gateway.applier.summary.filter((name) => name === 'route a-successor' || name === 'route r699'));
      return undefined;
    };
    await gateway.subscriber.start();
    await eventually(() => gateway.lastCurrent === 602);
    assert.deepEqual(inForceBefore, [[], ['route a-successor']]);
    assert.equal(gateway.applier.items.size, 600);
  });

  test('a large snapshot streams through in many small parts', async (t) => {
    const controlPlane = await TestControlPlane.start(t, installation);
    const count = 20_000;
    for (let i = 0; i < count; i++) controlPlane.store.putCredential('jack', `credential-${i}`, [i % 256]);
    const folder = await temporaryFolder(t);
    const identity = await createIdentity(installation.authority, 'gw-1');
    const gateway = await startGateway(t, controlPlane.port, { folder, identity });
    await eventually(() => gateway.lastCurrent === count);
    assert.equal(gateway.applier.items.size, count);
    assert.ok(gateway.applier.largestBatch < 4_000, `a batch had ${gateway.applier.largestBatch} items`);
    await gateway.stop();

    const again = await TestGateway.create(t, { port: 1, identity, folder });
    await again.subscriber.start();
    assert.equal(again.applier.items.size, count);
    assert.equal(again.subscriber.revision, count);
  });

  test('writes of another process are found by looking at the store', async (t) => {
    const controlPlane = await TestControlPlane.start(t, installation);
    const gateway = await startGateway(t, controlPlane.port);
    await eventually(() => controlPlane.states().join() === 'gw-1 0 current');
    controlPlane.store.put('service', 'elsewhere');
    controlPlane.clock.advance(2_000);
    await eventually(() => gateway.lastCurrent === 1);
  });

  test('a hint that another process has written makes the publisher look at once, for one group or for all', async (t) => {
    const controlPlane = await TestControlPlane.start(t, installation);
    const gateway = await startGateway(t, controlPlane.port);
    await eventually(() => controlPlane.states().join() === 'gw-1 0 current');
    controlPlane.publisher.checkRevision('no-group');
    for (const [index, groupId] of ['default', undefined].entries()) {
      controlPlane.store.put('service', `elsewhere-${index}`);
      controlPlane.publisher.checkRevision(groupId);
      await eventually(() => gateway.lastCurrent === index + 1);
    }
  });

  test('a store that fails for a while costs a delay, nothing else', async (t) => {
    const controlPlane = await TestControlPlane.start(t, installation);
    const gateway = await startGateway(t, controlPlane.port);
    await eventually(() => controlPlane.states().join() === 'gw-1 0 current');
    controlPlane.store.put('service', 's1');
    controlPlane.store.failure = new Error('the disk is gone');
    controlPlane.publisher.groupChanged('default', 1);
    await eventually(() => controlPlane.log.lines.some((line) => line.level === 'error'));
    controlPlane.store.failure = undefined;
    controlPlane.clock.advance(2_000);
    await eventually(() => gateway.lastCurrent === 1);
    assert.equal(gateway.subscriber.isConnected, true);
  });

  test('a second connection of the same instance replaces the first', async (t) => {
    const controlPlane = await TestControlPlane.start(t, installation);
    const first = await startGateway(t, controlPlane.port);
    await eventually(() => controlPlane.states().length === 1);
    const second = await startGateway(t, controlPlane.port);
    await eventually(() => second.subscriber.isConnected && !first.subscriber.isConnected);
    assert.equal(controlPlane.states().length, 1);
    assert.ok(controlPlane.log.lines.some((line) => String(line.fields.cause).startsWith('replaced')));
  });

  test('a silent control plane is left after six seconds, a silent instance is let go', async (t) => {
    const controlPlane = await TestControlPlane.start(t, installation);
    const gateway = await startGateway(t, controlPlane.port);
    await eventually(() => controlPlane.states().join() === 'gw-1 0 current');
    gateway.clock.advance(8_000);
    await eventually(() => !gateway.subscriber.isConnected);
    await eventually(() => controlPlane.states().length === 0);
  });

  test('a long time spent on putting a configuration in force is not taken for silence', async (t) => {
    const controlPlane = await TestControlPlane.start(t, installation);
    const gateway = await startGateway(t, controlPlane.port);
    await eventually(() => controlPlane.states().join() === 'gw-1 0 current');
    const gate = Promise.withResolvers<void>();
    gateway.applier.gate = gate.promise;
    controlPlane.store.put('service', 's1');
    const applied = controlPlane.announce();
    await eventually(() => gateway.journal.hasCandidates && gateway.journal.reasonToRefuse(0) !== undefined);
    gateway.clock.advance(60_000);
    gate.resolve();
    assert.deepEqual(await applied, { applied: 1, expected: 1, lagging: [] });
    assert.equal(gateway.subscriber.isConnected, true);
  });

  test('heartbeats keep a quiet connection alive', async (t) => {
    const controlPlane = await TestControlPlane.start(t, installation);
    const gateway = await startGateway(t, controlPlane.port);
    await eventually(() => controlPlane.states().join() === 'gw-1 0 current');
    for (let round = 0; round < 8; round++) {
      gateway.clock.advance(5_000);
      controlPlane.clock.advance(5_000);
      controlPlane.store.put('service', `s${round}`);
      assert.equal((await controlPlane.announce()).applied, 1);
    }
    assert.equal(gateway.subscriber.isConnected, true);
  });

  test('heartbeats tell instances by what time the control plane lets things expire', async (t) => {
    const controlPlane = await TestControlPlane.start(t, installation);
    const gateway = await startGateway(t, controlPlane.port);
    await eventually(() => controlPlane.states().join() === 'gw-1 0 current');
    const laterMs = controlPlane.clock.nowMs() + 3_600_000;
    controlPlane.expiryClock.setWallClock(laterMs);
    controlPlane.clock.advance(2_000);
    await eventually(() => gateway.times.length > 0);
    assert.deepEqual(gateway.times, [laterMs]);
  });

  test('an instance of a group that does not exist is turned away, keeps what it has and comes back later', async (t) => {
    const controlPlane = await TestControlPlane.start(t, installation, { store: new MemoryStore('other') });
    const gateway = await startGateway(t, controlPlane.port);
    await eventually(() => gateway.log.lines.some((line) => line.fields.cause === 'the gateway group does not exist'));
    assert.equal(gateway.subscriber.isConnected, false);
    assert.equal(gateway.clock.pendingTasks, 1);
  });
});
