import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { temporaryFolder } from '../../test-support/temporary-folder.ts';
import { OfflineGateway } from './test-support/offline-gateway.ts';
import { NEW, withCandidate } from './test-support/pending-candidate.ts';
import { RecordingApplier } from './test-support/recording-applier.ts';
import { SignedSource } from './test-support/signed-source.ts';

/** Of revision 2, what revision 5 leaves of it. */
const GOOD_WITHOUT_WHAT_WAS_TAKEN_AWAY = ['credential jack/c1 [2]'];

describe('a process that ended while a candidate was pending', () => {
  for (const previousEnd of ['none', 'clean', 'killed'] as const) {
    test(`loads the candidate again after the end "${previousEnd}", still as a candidate`, async (t) => {
      const folder = await temporaryFolder(t);
      await withCandidate(t, folder);
      const again = await OfflineGateway.start(t, folder, { previousEnd });
      assert.deepEqual(again.applier.summary, NEW);
      assert.equal(again.journal.hasCandidates, true);
      await again.proveCandidates();
      assert.equal(again.journal.hasCandidates, false);
    });
  }

  test('starts from the last good configuration after a crash, without what the candidate would have taken away', async (t) => {
    const folder = await temporaryFolder(t);
    const { source } = await withCandidate(t, folder);
    const again = await OfflineGateway.start(t, folder, { previousEnd: 'crashed' });
    assert.deepEqual(again.applier.summary, GOOD_WITHOUT_WHAT_WAS_TAKEN_AWAY);
    assert.equal(again.held.revision, 2);

    await again.receive(source.welcome());
    assert.deepEqual(again.answers, ['5 refused: crashed']);
    assert.deepEqual(again.current, []);
    await again.receive(await source.delta(2), ...(await source.snapshot()));
    assert.deepEqual(again.answers, ['5 refused: crashed', '5 refused: crashed', '5 refused: crashed']);
    assert.equal(again.held.revision, 2);

    source.store.put('route', 'r2');
    await again.receive(await source.delta(2));
    assert.equal(again.answers.at(-1), '6 applied');
    assert.deepEqual(again.applier.summary, [...NEW, 'route r2']);
  });

  test('remembers the crash over further restarts until something newer is in force', async (t) => {
    const folder = await temporaryFolder(t);
    const { source } = await withCandidate(t, folder);
    for (const previousEnd of ['crashed', 'clean', 'crashed'] as const) {
      const again = await OfflineGateway.start(t, folder, { previousEnd });
      assert.deepEqual(again.applier.summary, GOOD_WITHOUT_WHAT_WAS_TAKEN_AWAY);
      await again.receive(source.welcome(), await source.delta(2));
      assert.deepEqual(again.answers, ['5 refused: crashed', '5 refused: crashed']);
      await again.journal.close();
    }
    source.store.put('route', 'r2');
    const later = await OfflineGateway.start(t, folder);
    await later.receive(source.welcome(), ...(await source.snapshot()));
    assert.deepEqual(later.answers, ['5 refused: crashed', '6 applied']);
    await later.proveCandidates();
    await later.journal.close();
    const last = await OfflineGateway.start(t, folder, { previousEnd: 'crashed' });
    assert.deepEqual(last.applier.summary, [...NEW, 'route r2']);
    await last.receive(source.welcome());
    assert.deepEqual(last.answers, []);
  });

  test('goes back behind a snapshot that crashed, without what that would have taken away', async (t) => {
    const folder = await temporaryFolder(t);
    const { gateway, source } = await withCandidate(t, folder);
    await gateway.proveCandidates();
    source.store.putCredential('jack', 'c1', [9]);
    source.store.putCredential('jack', 'c3', [7]);
    await gateway.receive(...(await source.snapshot()));
    const again = await OfflineGateway.start(t, folder, { previousEnd: 'crashed' });
    assert.deepEqual(again.applier.summary, ['credential jack/c1 [9]', 'route r1']);
    assert.equal(again.held.revision, 5);
    source.store.put('route', 'r2');
    await again.receive(source.welcome(), await source.delta(5));
    assert.deepEqual(again.applier.summary, ['credential jack/c1 [9]', 'credential jack/c3 [7]', 'route r1', 'route r2']);
    await again.proveCandidates();
    const last = await OfflineGateway.start(t, folder, { previousEnd: 'crashed' });
    assert.equal(last.held.revision, 8);
  });

  test('loads the candidate after a crash where nothing has proved itself yet, because it is all there is', async (t) => {
    const folder = await temporaryFolder(t);
    const source = new SignedSource();
    source.store.put('service', 's1');
    const gateway = await OfflineGateway.start(t, folder);
    await gateway.receive(source.welcome(), ...(await source.snapshot()));
    const again = await OfflineGateway.start(t, folder, { previousEnd: 'crashed' });
    assert.deepEqual(again.applier.summary, ['service s1']);
  });

  test('has to run for ten seconds anew when a worker dies', async (t) => {
    const { gateway } = await withCandidate(t, await temporaryFolder(t));
    gateway.clock.advance(6_000);
    gateway.held.restartProbation();
    gateway.clock.advance(6_000);
    await gateway.journal.withdrawals();
    assert.equal(gateway.journal.hasCandidates, true);
    await gateway.proveCandidates();
    assert.equal(gateway.journal.hasCandidates, false);
  });
});

describe('a configuration that cannot be put in force', () => {
  test('from disk: the candidates give way to the last good one', async (t) => {
    const folder = await temporaryFolder(t);
    await withCandidate(t, folder);
    const applier = new RecordingApplier();
    applier.refuse = (revision) => (revision > 2 ? 'this version cannot compile it' : undefined);
    const again = await OfflineGateway.start(t, folder, { applier });
    assert.equal(again.held.revision, 2);
    assert.deepEqual(again.applier.summary, GOOD_WITHOUT_WHAT_WAS_TAKEN_AWAY);
  });

  test('from disk, not even the good one: the instance starts empty and asks for a snapshot', async (t) => {
    const folder = await temporaryFolder(t);
    const { source } = await withCandidate(t, folder);
    const applier = new RecordingApplier();
    applier.refuse = () => 'nothing can be compiled';
    const again = await OfflineGateway.start(t, folder, { applier });
    assert.equal(again.held.revision, undefined);
    applier.refuse = () => undefined;
    source.store.put('service', 's1');
    await again.receive(source.welcome(), ...(await source.snapshot()));
    assert.equal(again.held.revision, 6);
  });

  test('a snapshot that is refused leaves the journal at the one before', async (t) => {
    const folder = await temporaryFolder(t);
    const { gateway, source } = await withCandidate(t, folder);
    await gateway.proveCandidates();
    source.store.put('route', 'broken');
    gateway.applier.refuse = () => 'no';
    await gateway.receive(...(await source.snapshot()));
    assert.equal(gateway.answers.at(-1), '6 refused: no');
    const again = await OfflineGateway.start(t, folder);
    assert.deepEqual(again.applier.summary, NEW);
    await again.receive(source.welcome(), await source.delta(5));
    assert.deepEqual(again.answers, ['6 applied'], 'another process may be able to take it');
  });

  test('what cannot be kept on disk is not taken, except for what it takes away', async (t) => {
    const { gateway, source } = await withCandidate(t, await temporaryFolder(t));
    assert.deepEqual(gateway.applier.summary, NEW);
    source.store.delete('credential', 'c1', 'jack');
    source.store.put('route', 'r2');
    const delta = await source.delta(5);
    const append = t.mock.method(gateway.journal, 'appendDelta', () => Promise.reject(new Error('no space left')));
    await gateway.receive(delta);
    assert.deepEqual(gateway.applier.summary, ['route r1']);
    assert.equal(gateway.answers.at(-1), '7 refused: cannot be kept on disk: no space left');
    append.mock.restore();
    await gateway.reconnect();
    await gateway.receive(source.welcome(), delta);
    assert.deepEqual(gateway.answers, ['7 applied']);
  });
});
