import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { temporaryFolder } from '../../test-support/temporary-folder.ts';
import { ProtocolError } from './frame-codec.ts';
import { createSigningKey, Signer } from './signing.ts';
import { OfflineGateway } from './test-support/offline-gateway.ts';
import { SignedSource } from './test-support/signed-source.ts';

function changed(text: string, change: (fields: Record<string, unknown>) => object): string {
  return JSON.stringify(change(JSON.parse(text)));
}

describe('what a gateway accepts from a control plane', () => {
  test('a delta that was changed on the way in any field is refused and nothing of it is kept', async (t) => {
    const source = new SignedSource();
    source.store.put('service', 's1');
    const gateway = await OfflineGateway.start(t, await temporaryFolder(t));
    await gateway.receive(source.welcome(), ...(await source.snapshot()));
    source.store.put('service', 's2');
    const delta = await source.delta(1);
    const attempts = [
      changed(delta, (fields) => ({ ...fields, payload: String(fields.payload).replace('s2', 's3') })),
      changed(delta, (fields) => ({ ...fields, payload: ` ${fields.payload}` })),
      changed(delta, (fields) => ({ ...fields, toRevision: 3 })),
      changed(delta, (fields) => ({ ...fields, fromRevision: 0 })),
      changed(delta, (fields) => ({ ...fields, signature: '' })),
    ];
    for (const attempt of attempts) await assert.rejects(gateway.receive(attempt), /signature of a delta is not genuine/);
    assert.equal(gateway.held.revision, 1);
    await gateway.receive(delta);
    assert.deepEqual(gateway.answers, ['1 applied', '2 applied']);
  });

  test('a snapshot that was changed, shortened or lengthened on the way is refused and leaves no file', async (t) => {
    const source = new SignedSource();
    for (let i = 0; i < 3; i++) source.store.put('route', `r${i}`, { desc: 'x'.repeat(200_000) });
    const [start = '', first = '', ...rest] = await source.snapshot();
    const attempts = [
      [start, changed(first, (fields) => ({ ...fields, payload: String(fields.payload).replace('r0', 'r9') })), ...rest],
      [start, ...rest],
      [start, first, first, ...rest],
      [
        changed(start, (fields) => ({ ...fields, revision: 4 })),
        first,
        ...rest.slice(0, -1),
        changed(rest.at(-1) ?? '', (fields) => ({ ...fields, revision: 4 })),
      ],
    ];
    for (const attempt of attempts) {
      const folder = await temporaryFolder(t);
      const gateway = await OfflineGateway.start(t, folder);
      await assert.rejects(gateway.receive(source.welcome(), ...attempt), /signature of a snapshot is not genuine/);
      await gateway.reconnect();
      assert.deepEqual(await readdir(folder), ['disk.key']);
      assert.equal(gateway.applier.snapshotCount, 0);
    }
  });

  test('a configuration signed for another group or by another key is refused', async (t) => {
    const ours = new SignedSource();
    ours.store.put('service', 's1');
    const theirs = new SignedSource('other');
    theirs.store.put('service', 's1');
    const forged = new SignedSource('default', ours.store, new Signer(createSigningKey()));
    for (const source of [theirs, forged]) {
      const gateway = await OfflineGateway.start(t, await temporaryFolder(t));
      await gateway.receive(ours.welcome());
      await assert.rejects(gateway.receive(...(await source.snapshot())), ProtocolError);
      assert.equal(gateway.held.revision, undefined);
    }
  });

  test('a welcome for another instance or group, or with a salt of another length, ends the connection', async (t) => {
    const source = new SignedSource();
    const gateway = await OfflineGateway.start(t, await temporaryFolder(t));
    await assert.rejects(gateway.receive(source.welcome('gw-2')), /another one/);
    await assert.rejects(gateway.receive(source.welcome('gw-1', { groupId: 'other' })), /another one/);
    await assert.rejects(gateway.receive(source.welcome('gw-1', { keySalt: 'AAAA' })), /salt/);
  });

  test('messages out of their order end the connection', async (t) => {
    const source = new SignedSource();
    source.store.put('service', 's1');
    const [start = '', part = '', end = ''] = await source.snapshot();
    const delta = await source.delta(0);
    const orders = [
      [delta],
      [start],
      [source.welcome(), part],
      [source.welcome(), end],
      [source.welcome(), start, start],
      [source.welcome(), start, delta],
    ];
    for (const order of orders) {
      const gateway = await OfflineGateway.start(t, await temporaryFolder(t));
      await assert.rejects(gateway.receive(...order), ProtocolError);
      await gateway.reconnect();
    }
  });

  test('an older revision than this machine has seen is refused, unless an operator allows it', async (t) => {
    const folder = await temporaryFolder(t);
    const source = new SignedSource();
    source.store.put('service', 's1');
    const oldSnapshot = await source.snapshot();
    source.store.put('service', 's2');
    const gateway = await OfflineGateway.start(t, folder);
    await gateway.receive(source.welcome(), ...(await source.snapshot()), ...oldSnapshot);
    assert.deepEqual(gateway.answers, [
      '2 applied',
      '1 refused: older than revision 2, which this machine has seen; start it once with --allow-older to take it',
    ]);
    assert.deepEqual(gateway.applier.summary, ['service s1', 'service s2']);
    await gateway.journal.close();

    const strict = await OfflineGateway.start(t, folder);
    await strict.receive(source.welcome(), ...oldSnapshot);
    assert.equal(strict.held.revision, 2);
    await strict.journal.close();

    const lenient = await OfflineGateway.start(t, folder, { allowOlder: true });
    await lenient.receive(source.welcome(), ...oldSnapshot);
    assert.deepEqual(lenient.answers, ['1 applied']);
    assert.deepEqual(lenient.applier.summary, ['service s1']);
  });

  test('a delta with a gap before it makes the gateway ask for a snapshot, once', async (t) => {
    const source = new SignedSource();
    source.store.put('service', 's1');
    const gateway = await OfflineGateway.start(t, await temporaryFolder(t));
    await gateway.receive(source.welcome(), ...(await source.snapshot()));
    source.store.put('service', 's2');
    source.store.put('service', 's3');
    const gap = await source.delta(2);
    source.store.put('service', 's4');
    await gateway.receive(gap, await source.delta(3));
    assert.deepEqual(
      gateway.sent.map((message) => message.kind),
      ['applied', 'snapshot-request'],
    );
    await gateway.receive(...(await source.snapshot()));
    assert.equal(gateway.held.revision, 4);
    assert.equal(gateway.current.at(-1), 4);
  });

  test('a delta that starts earlier than what is held still leads on, and one that ends earlier changes nothing', async (t) => {
    const source = new SignedSource();
    source.store.put('service', 's1');
    const gateway = await OfflineGateway.start(t, await temporaryFolder(t));
    await gateway.receive(source.welcome(), ...(await source.snapshot()));
    source.store.put('service', 's2');
    const early = await source.delta(1);
    source.store.put('service', 's3');
    await gateway.receive(early, await source.delta(1), early);
    assert.deepEqual(gateway.answers, ['1 applied', '2 applied', '3 applied', '3 applied']);
    assert.deepEqual(gateway.applier.summary, ['service s1', 'service s2', 'service s3']);
  });

  test('deltas that were sent before a refusal was known are passed over in silence', async (t) => {
    const source = new SignedSource();
    source.store.put('service', 's1');
    const gateway = await OfflineGateway.start(t, await temporaryFolder(t));
    await gateway.receive(source.welcome(), ...(await source.snapshot()));
    gateway.applier.refuse = (revision) => (revision === 2 ? 'no' : undefined);
    source.store.put('route', 'broken');
    const broken = await source.delta(1);
    source.store.put('route', 'next');
    await gateway.receive(broken, await source.delta(2));
    assert.deepEqual(gateway.answers, ['1 applied', '2 refused: no']);
    await gateway.receive(await source.delta(1));
    assert.equal(gateway.answers.at(-1), '3 applied');
    assert.equal(gateway.sent.length, 3);
  });

  test('another salt makes what is held useless, and a snapshot is asked for', async (t) => {
    const source = new SignedSource();
    source.store.put('service', 's1');
    const gateway = await OfflineGateway.start(t, await temporaryFolder(t));
    await gateway.receive(source.welcome(), ...(await source.snapshot()));
    const renewed = new SignedSource('default', source.store);
    source.store.put('service', 's2');
    await gateway.reconnect();
    await gateway.receive(renewed.welcome(), await renewed.delta(1));
    assert.deepEqual(gateway.sent, [{ kind: 'snapshot-request' }]);
    await gateway.receive(...(await renewed.snapshot()));
    assert.equal(gateway.applier.keySalt?.toString('base64'), renewed.origin.keySalt);
    assert.deepEqual(gateway.answers, ['2 applied']);
  });
});
