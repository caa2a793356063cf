import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { SeededRandom } from '../../../test-support/seeded-random.ts';
import { temporaryFolder } from '../../../test-support/temporary-folder.ts';
import { SnapshotPlugins } from '../snapshot-plugins.ts';
import { MemoryStore } from '../test-support/memory-store.ts';
import { OfflineGateway } from '../test-support/offline-gateway.ts';
import { SignedSource } from '../test-support/signed-source.ts';
import { TEST_PLUGINS } from '../test-support/test-plugins.ts';
import { StoredState } from './stored-state.ts';

type Test = Parameters<typeof temporaryFolder>[0];

/** A store, what is sent of it, and what its control plane makes of it. */
function source(store = new MemoryStore()): { readonly signed: SignedSource; readonly store: MemoryStore; readonly state: StoredState } {
  const signed = new SignedSource('default', store);
  const plugins = new SnapshotPlugins(TEST_PLUGINS, Buffer.from(signed.origin.keySalt, 'base64'));
  return { signed, store, state: new StoredState({ groupId: 'default', store, plugins, clock: new FakeClock() }) };
}

async function compare(gateway: OfflineGateway, state: StoredState): Promise<string | undefined> {
  const current = await state.current();
  assert.ok(current !== undefined);
  const answer = await gateway.stateCheck.compare({ kind: 'state-hash', ...current });
  return answer && `${answer.outcome}${answer.reason === undefined ? '' : `: ${answer.reason}`}`;
}

async function startGateway(t: Test, signed: SignedSource): Promise<OfflineGateway> {
  const gateway = await OfflineGateway.start(t, await temporaryFolder(t));
  await gateway.receive(signed.welcome(), ...(await signed.snapshot()));
  return gateway;
}

/** Writes something, of few names so that most of it changes or deletes what is there. */
function writeSomething(store: MemoryStore, random: SeededRandom): void {
  const id = String(Math.floor(random.fraction() * 30));
  const choice = random.fraction();
  if (choice < 0.25) store.delete('route', id);
  else if (choice < 0.5) store.put('route', id, { desc: `é ${random.fraction()}`, 10: 1, 2: { b: 1e21, a: -0 } });
  else if (choice < 0.6) store.delete('credential', id, 'jack');
  else if (choice < 0.9) store.putCredential('jack', id, [Math.floor(random.fraction() * 256), Math.floor(random.fraction() * 256)]);
  // Gateways get no service that they cannot serve: it is as if it was not there.
  else store.put('service', id, random.fraction() < 0.5 ? {} : { type: 'stream', upstream: { scheme: 'http' } });
}

describe('a gateway and its control plane', () => {
  test('agree after any history of snapshots, deltas and restarts', async (t) => {
    for (let seed = 1; seed <= 8; seed++) {
      const random = new SeededRandom(seed);
      const { signed, store, state } = source();
      for (let write = 0; write < 40; write++) writeSomething(store, random);
      const folder = await temporaryFolder(t);
      let gateway = await OfflineGateway.start(t, folder);
      // Writes go on while the snapshot is read.
      store.onPage = () => writeSomething(store, random);
      await gateway.receive(signed.welcome(), ...(await signed.snapshot()));
      store.onPage = () => undefined;
      for (let round = 0; round < 12; round++) {
        for (let write = random.fraction() * 5; write >= 0; write--) writeSomething(store, random);
        await gateway.receive(await signed.delta(gateway.held.revision ?? 0));
        if (random.fraction() < 0.5) assert.equal(await compare(gateway, state), 'same', `seed ${seed}, round ${round}`);
        if (random.fraction() < 0.2) gateway = await restarted(t, folder, gateway, signed);
        if (random.fraction() < 0.2) await gateway.receive(...(await signed.snapshot()));
      }
      assert.equal(await compare(gateway, state), 'same', `seed ${seed}`);
      assert.equal(await compare(gateway, source(store).state), 'same', `seed ${seed}, read anew`);
    }
  });

  async function restarted(t: Test, folder: string, before: OfflineGateway, signed: SignedSource): Promise<OfflineGateway> {
    await before.journal.close();
    const gateway = await OfflineGateway.start(t, folder);
    await gateway.receive(signed.welcome());
    return gateway;
  }

  test('a change that was lost on the way is found: a key that should be gone, one that never came, a route that is another', async (t) => {
    const cases: readonly (readonly [change: (store: MemoryStore) => void, found: string])[] = [
      [(store) => store.delete('credential', 'c1', 'jack'), 'different: credential (2 held, 1 expected)'],
      [(store) => store.putCredential('jack', 'c3', [3]), 'different: credential (2 held, 3 expected)'],
      [(store) => store.putCredential('jack', 'c2', [9]), 'different: credential'],
      [(store) => store.put('route', 'r1', { desc: 'new' }), 'different: route'],
    ];
    for (const [change, found] of cases) {
      const store = new MemoryStore();
      store.putCredential('jack', 'c1', [1]);
      store.putCredential('jack', 'c2', [2]);
      store.put('route', 'r1');
      const { signed, state } = source(store);
      const gateway = await startGateway(t, signed);
      change(store);
      // The revision before is the newest that the delta speaks of.
      const lost = store.revision;
      store.put('service', 's1');
      await gateway.receive(await lossy(signed, store, lost));
      assert.equal(gateway.held.revision, store.revision);
      assert.equal(await compare(gateway, state), found);
      assert.equal(gateway.log.lines.filter(({ level }) => level === 'error').length, 1);
      await gateway.receive(...(await signed.snapshot()));
      assert.equal(await compare(gateway, state), 'same');
      assert.deepEqual([gateway.stateCheck.result?.isSame, gateway.stateCheck.result?.differences], [true, 1]);
    }
  });

  /** A genuine delta that lacks one change. */
  async function lossy(signed: SignedSource, store: MemoryStore, revision: number): Promise<string> {
    const { changesSince } = store;
    store.changesSince = async (...parameters) => {
      const since = await changesSince.apply(store, parameters);
      const revisionOf = (change: NonNullable<typeof since>['changes'][number]): number =>
        change.op === 'delete' ? change.revision : change.resource.revision;
      return since && { ...since, changes: since.changes.filter((change) => revisionOf(change) !== revision) };
    };
    const delta = await signed.delta(revision - 1);
    store.changesSince = changesSince;
    return delta;
  }

  test('nothing is compared at another revision, and nothing while nothing is held', async (t) => {
    const { signed, store, state } = source();
    store.put('route', 'r1');
    const empty = await OfflineGateway.start(t, await temporaryFolder(t));
    assert.equal(await compare(empty, state), undefined);
    const gateway = await startGateway(t, signed);
    store.put('route', 'r2');
    assert.equal(await compare(gateway, state), undefined);
    assert.equal(gateway.stateCheck.result, undefined);
  });

  test('what a revision that was refused brought is not compared with', async (t) => {
    const { signed, store, state } = source();
    store.put('route', 'r1');
    const gateway = await startGateway(t, signed);
    assert.equal(await compare(gateway, state), 'same');
    const before = await state.current();
    store.put('route', 'r2');
    gateway.applier.refuse = () => 'no';
    await gateway.receive(await signed.delta(1));
    assert.equal(gateway.held.revision, 1);
    assert.equal(await compare(gateway, state), undefined);
    assert.ok(before !== undefined);
    assert.equal((await gateway.stateCheck.compare({ kind: 'state-hash', ...before }))?.outcome, 'same');
  });
});
