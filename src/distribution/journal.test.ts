import assert from 'node:assert/strict';
import { copyFile, mkdir, open, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, test } from 'node:test';
import { temporaryFolder } from '../../test-support/temporary-folder.ts';
import { OfflineGateway } from './test-support/offline-gateway.ts';
import { NEW, withCandidate } from './test-support/pending-candidate.ts';
import { SignedSource } from './test-support/signed-source.ts';

async function copyFolder(from: string, to: string): Promise<string> {
  await mkdir(to, { mode: 0o700 });
  for (const name of ['disk.key', 'journal-1.log']) await copyFile(path.join(from, name), path.join(to, name));
  return to;
}

async function journalsIn(folder: string): Promise<readonly string[]> {
  return (await readdir(folder)).filter((name) => name.startsWith('journal')).sort();
}

describe('the journal on disk', () => {
  test('after a restart everything that was acknowledged is there again, encrypted on disk and for the owner alone', async (t) => {
    const folder = await temporaryFolder(t);
    const source = new SignedSource();
    source.store.put('service', 'plain-text-name');
    const gateway = await OfflineGateway.start(t, folder);
    await gateway.receive(source.welcome(), ...(await source.snapshot()));
    source.store.put('route', 'r1');
    await gateway.receive(await source.delta(1));

    const again = await OfflineGateway.start(t, folder, { previousEnd: 'killed' });
    assert.deepEqual(again.applier.summary, ['route r1', 'service plain-text-name']);
    assert.equal(again.held.revision, 2);
    assert.equal(again.applier.keySalt?.toString('base64'), source.origin.keySalt);
    for (const name of await readdir(folder)) {
      const file = path.join(folder, name);
      assert.equal((await stat(file)).mode & 0o777, 0o600, name);
      assert.equal((await readFile(file)).includes('plain-text-name'), false, name);
    }
  });

  test('a last record cut off at any byte is forgotten in silence, and the journal goes on from there', async (t) => {
    const folder = await temporaryFolder(t);
    const source = new SignedSource();
    source.store.put('service', 's1');
    const gateway = await OfflineGateway.start(t, folder);
    await gateway.receive(source.welcome(), ...(await source.snapshot()));
    const before = (await stat(path.join(folder, 'journal-1.log'))).size;
    source.store.put('service', 's2');
    await gateway.receive(await source.delta(1));
    const after = (await stat(path.join(folder, 'journal-1.log'))).size;
    const delta = await source.delta(1);
    assert.ok(after > before + 100);

    for (let length = before; length <= after; length++) {
      const copy = await copyFolder(folder, path.join(folder, `cut-${length}`));
      await truncate(path.join(copy, 'journal-1.log'), length);
      const cut = await OfflineGateway.start(t, copy, { previousEnd: 'killed' });
      assert.equal(cut.held.revision, length === after ? 2 : 1, `cut at ${length}`);
      assert.deepEqual(
        cut.log.lines.filter((line) => line.level !== 'info'),
        [],
      );
      // Every length opens alike; a few show that writing goes on behind the cut.
      if ((length - before) % 40 === 0) await goOn(cut, copy);
      await cut.journal.close();
    }

    async function goOn(cut: OfflineGateway, copy: string): Promise<void> {
      await cut.receive(source.welcome(), delta);
      const later = await OfflineGateway.start(t, copy);
      assert.deepEqual(later.applier.summary, ['service s1', 'service s2']);
      await later.journal.close();
    }
  });

  test('a tail of zeros, as a power failure leaves it, is forgotten too', async (t) => {
    const folder = await temporaryFolder(t);
    const { gateway } = await withCandidate(t, folder);
    await gateway.journal.close();
    const file = path.join(folder, 'journal-1.log');
    await truncate(file, (await stat(file)).size + 4096);
    const again = await OfflineGateway.start(t, folder);
    assert.deepEqual(again.applier.summary, NEW);
    assert.equal(again.held.revision, 5);
  });

  test('a changed byte anywhere is noticed: what stands before it is served, and a snapshot is asked for', async (t) => {
    const folder = await temporaryFolder(t);
    const source = new SignedSource();
    source.store.put('service', 's1');
    const gateway = await OfflineGateway.start(t, folder);
    await gateway.receive(source.welcome(), ...(await source.snapshot()));
    const snapshotEnd = (await stat(path.join(folder, 'journal-1.log'))).size;
    for (let i = 2; i <= 4; i++) {
      source.store.put('service', `s${i}`);
      await gateway.receive(await source.delta(i - 1));
    }
    const bytes = await readFile(path.join(folder, 'journal-1.log'));
    for (let offset = 0; offset < bytes.length; offset += 61) {
      const copy = await copyFolder(folder, path.join(folder, `damaged-${offset}`));
      const damaged = Buffer.from(bytes);
      damaged.writeUInt8(damaged.readUInt8(offset) ^ 0x40, offset);
      await writeFile(path.join(copy, 'journal-1.log'), damaged);
      const again = await OfflineGateway.start(t, copy);
      assert.equal(again.applier.revision === undefined, offset < snapshotEnd, `byte ${offset}`);
      assert.ok((again.applier.revision ?? 0) < 4, `byte ${offset}`);
      assert.equal(again.held.revision, undefined);
      assert.ok(again.log.lines.some((line) => line.level === 'warn' && line.message.includes('damaged')));
      await again.receive(source.welcome(), ...(await source.snapshot()));
      assert.equal(again.held.revision, 4);
      await again.journal.close();

      const mended = await OfflineGateway.start(t, copy);
      assert.equal(mended.applier.revision, 4);
      await mended.journal.close();
    }
  });

  test('records cannot change places or come from another file', async (t) => {
    const folder = await temporaryFolder(t);
    const { gateway, source } = await withCandidate(t, folder);
    await gateway.receive(...(await source.snapshot()));
    await gateway.journal.close();
    assert.deepEqual(await journalsIn(folder), ['journal-1.log', 'journal-2.log']);
    await copyFile(path.join(folder, 'journal-1.log'), path.join(folder, 'journal-3.log'));
    const again = await OfflineGateway.start(t, folder);
    assert.ok(again.log.lines.some((line) => line.fields.file === 3));
    assert.equal(again.applier.revision, 5);
  });

  test('a key file that holds no key is set aside, and everything begins anew', async (t) => {
    const folder = await temporaryFolder(t);
    const { gateway, source } = await withCandidate(t, folder);
    await gateway.journal.close();
    await writeFile(path.join(folder, 'disk.key'), 'short');
    const again = await OfflineGateway.start(t, folder);
    assert.equal(again.held.revision, undefined);
    await again.receive(source.welcome(), ...(await source.snapshot()));
    assert.equal(again.held.revision, 5);
    assert.equal((await readFile(path.join(folder, 'disk.key'))).length, 32);
    assert.ok((await readdir(folder)).includes('disk.key.damaged'));
  });

  test('a write that fails leaves the journal as it was, and the next one goes on from there', async (t) => {
    const folder = await temporaryFolder(t);
    const source = new SignedSource();
    source.store.put('service', 's1');
    const gateway = await OfflineGateway.start(t, folder);
    await gateway.receive(source.welcome(), ...(await source.snapshot()));
    const probe = await open(path.join(folder, 'disk.key'));
    const failure = t.mock.method(Object.getPrototypeOf(probe), 'datasync', () => Promise.reject(new Error('EIO')));
    await probe.close();
    source.store.put('route', 'long', { desc: 'x'.repeat(10_000) });
    await gateway.receive(await source.delta(1));
    assert.equal(gateway.answers.at(-1), '2 refused: cannot be kept on disk: EIO');
    failure.mock.restore();

    await gateway.reconnect();
    source.store.delete('route', 'long');
    await gateway.receive(source.welcome(), await source.delta(1));
    assert.deepEqual(gateway.answers, ['3 applied']);
    const again = await OfflineGateway.start(t, folder);
    assert.equal(again.held.revision, 3);
  });

  test('a journal of another group is removed', async (t) => {
    const folder = await temporaryFolder(t);
    const { gateway } = await withCandidate(t, folder);
    await gateway.journal.close();
    const moved = await OfflineGateway.start(t, folder, { groupId: 'other' });
    assert.equal(moved.held.revision, undefined);
    assert.deepEqual(await journalsIn(folder), []);
  });

  test('a snapshot that was cut off by the end of the process leaves the one before, and no file', async (t) => {
    const folder = await temporaryFolder(t);
    const { gateway, source } = await withCandidate(t, folder);
    const [start = '', part = ''] = await source.snapshot();
    await gateway.receive(start, part);
    assert.deepEqual(await journalsIn(folder), ['journal-1.log', 'journal-2.log.part']);
    const again = await OfflineGateway.start(t, folder, { previousEnd: 'killed' });
    assert.deepEqual(again.applier.summary, NEW);
    assert.deepEqual(await journalsIn(folder), ['journal-1.log']);
    await gateway.reconnect();
  });

  test('the file of a replaced snapshot stays until the new one has proved itself', async (t) => {
    const folder = await temporaryFolder(t);
    const { gateway, source } = await withCandidate(t, folder);
    await gateway.receive(...(await source.snapshot()));
    assert.deepEqual(await journalsIn(folder), ['journal-1.log', 'journal-2.log']);
    gateway.clock.advance(9_999);
    await gateway.journal.withdrawals();
    assert.deepEqual(await journalsIn(folder), ['journal-1.log', 'journal-2.log']);
    gateway.clock.advance(1);
    await gateway.journal.withdrawals();
    assert.deepEqual(await journalsIn(folder), ['journal-2.log']);
    source.store.put('route', 'r2');
    await gateway.receive(await source.delta(5));
    const again = await OfflineGateway.start(t, folder);
    assert.deepEqual(again.applier.summary, [...NEW, 'route r2']);
  });

  test('deltas that outgrow their snapshot make the gateway ask for a fresh one', async (t) => {
    const source = new SignedSource();
    source.store.put('service', 's1');
    const gateway = await OfflineGateway.start(t, await temporaryFolder(t));
    await gateway.receive(source.welcome(), ...(await source.snapshot()));
    for (let i = 0; i < 6; i++) {
      source.store.put('route', 'large', { desc: 'x'.repeat(3 * 1024 * 1024) });
      await gateway.receive(await source.delta(i + 1));
    }
    assert.equal(gateway.sent.filter((message) => message.kind === 'snapshot-request').length, 1);
    await gateway.receive(...(await source.snapshot()));
    assert.equal(gateway.journal.wantsSnapshot, false);
  });
});
