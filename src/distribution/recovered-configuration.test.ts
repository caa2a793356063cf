import assert from 'node:assert/strict';
import { test } from 'node:test';
import { temporaryFolder } from '../../test-support/temporary-folder.ts';
import { OfflineGateway } from './test-support/offline-gateway.ts';
import { SignedSource } from './test-support/signed-source.ts';

test('what is read back from disk names each item once, with what became of it last', async (t) => {
  const folder = await temporaryFolder(t);
  const source = new SignedSource();
  const gateway = await OfflineGateway.start(t, folder);
  await gateway.receive(source.welcome(), ...(await source.snapshot()));
  const changes = [
    () => source.store.putCredential('jack', 'given-and-revoked', [1]),
    () => source.store.putCredential('jack', 'exchanged', [2]),
    () => source.store.delete('credential', 'given-and-revoked', 'jack'),
    () => source.store.putCredential('jack', 'exchanged', [3]),
    () => source.store.putCredential('jack', 'again', [4]),
    () => source.store.delete('credential', 'again', 'jack'),
    () => source.store.putCredential('jack', 'again', [5]),
  ];
  for (const change of changes) {
    change();
    await gateway.receive(await source.delta(gateway.held.revision ?? 0));
  }
  assert.equal(gateway.applier.deltas.length, changes.length);
  await gateway.journal.close();

  const again = await OfflineGateway.start(t, folder);
  assert.deepEqual(again.applier.summary, ['credential jack/again [5]', 'credential jack/exchanged [3]']);
  const [merged, ...others] = again.applier.deltas;
  assert.deepEqual(others, []);
  const named = merged?.changes.map((change) => `${change.op} ${change.op === 'put' ? change.item.id : change.name.id}`);
  assert.deepEqual(named, ['delete given-and-revoked', 'put exchanged', 'put again']);
});
