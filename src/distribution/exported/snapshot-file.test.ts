import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { open, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { makeSmallDisk } from '../../../test-support/small-disk.ts';
import { temporaryFolder } from '../../../test-support/temporary-folder.ts';
import { formatSnapshotKey, parseSnapshotKey, type SnapshotKey } from '../snapshot-key.ts';
import { MemoryStore } from '../test-support/memory-store.ts';
import { OfflineGateway } from '../test-support/offline-gateway.ts';
import { TestExporter } from '../test-support/test-exporter.ts';
import { CHUNK_HEAD_BYTES, readChunkHead } from './chunk-cipher.ts';
import { SnapshotFileError } from './snapshot-file-error.ts';
import { SnapshotFileReader } from './snapshot-file-reader.ts';
import { SNAPSHOT_HEADER_BYTES } from './snapshot-header.ts';
import { takeSnapshotFile } from './take-snapshot-file.ts';

async function take(file: string, key: SnapshotKey, gateway: OfflineGateway, allowOlder = false) {
  const handle = await open(file, 'r');
  try {
    return await takeSnapshotFile(await SnapshotFileReader.open(handle, key), gateway.held, { allowOlder });
  } finally {
    await handle.close();
  }
}

async function readWhole(file: string, key: SnapshotKey): Promise<number> {
  const handle = await open(file, 'r');
  try {
    const reader = await SnapshotFileReader.open(handle, key);
    let count = 0;
    for await (const _record of reader.records()) count++;
    return count;
  } finally {
    await handle.close();
  }
}

async function exportedFile(t: TestContext) {
  const folder = await temporaryFolder(t);
  const exporter = new TestExporter();
  exporter.store.put('service', 'plain-text-name');
  exporter.store.put('route', 'r1');
  const file = path.join(folder, 'default.snapshot');
  await exporter.write(file);
  return { folder, exporter, file, bytes: await readFile(file) };
}

describe('an exported snapshot', () => {
  test('is put in force and kept on disk by a fresh gateway, and shows nothing in clear but whose it is', async (t) => {
    const { exporter, file, bytes, folder } = await exportedFile(t);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.equal(bytes.includes('plain-text-name'), false);
    assert.equal(bytes.includes(exporter.keySalt.toString('base64')), false);
    const data = await temporaryFolder(t);
    const gateway = await OfflineGateway.start(t, data);
    assert.deepEqual(await take(file, exporter.key, gateway), { kind: 'applied', revision: 2 });
    assert.deepEqual(gateway.applier.summary, ['route r1', 'service plain-text-name']);
    assert.equal(gateway.held.history, 'a session');
    await gateway.journal.close();
    const again = await OfflineGateway.start(t, data);
    assert.deepEqual(again.applier.summary, ['route r1', 'service plain-text-name']);
    assert.deepEqual(await take(file, exporter.key, again), { kind: 'not-newer' });
    assert.deepEqual(await readdir(folder), ['default.snapshot']);
  });

  test('cut off at any byte it is refused, and nothing of it is used or left behind', async (t) => {
    const { exporter, file, bytes, folder } = await exportedFile(t);
    const borders = [0, SNAPSHOT_HEADER_BYTES];
    for (let at = SNAPSHOT_HEADER_BYTES; at < bytes.length; ) {
      at += CHUNK_HEAD_BYTES + readChunkHead(bytes.subarray(at)).sealedBytes;
      borders.push(at);
    }
    assert.ok(borders.length >= 7, 'there are several chunks');
    assert.equal(borders.pop(), bytes.length);
    const data = await temporaryFolder(t);
    const gateway = await OfflineGateway.start(t, data);
    const before = await readdir(data);
    const cut = path.join(folder, 'cut');
    for (const border of borders) {
      await writeFile(cut, bytes.subarray(0, border));
      await assert.rejects(take(cut, exporter.key, gateway), SnapshotFileError, `cut at ${border}`);
    }
    for (let length = 0; length < bytes.length; length += 13) {
      await writeFile(cut, bytes.subarray(0, length));
      await assert.rejects(readWhole(cut, exporter.key), SnapshotFileError, `cut at ${length}`);
    }
    await writeFile(cut, Buffer.concat([bytes, Buffer.from('x')]));
    await assert.rejects(take(cut, exporter.key, gateway), /something stands behind its end/);
    assert.equal(gateway.held.revision, undefined);
    assert.deepEqual(await readdir(data), before);
    assert.deepEqual(await take(file, exporter.key, gateway), { kind: 'applied', revision: 2 });
  });

  test('with any bit changed, or chunks exchanged, it is refused', async (t) => {
    const { exporter, bytes, folder } = await exportedFile(t);
    const changed = path.join(folder, 'changed');
    // What fills the header up is alike everywhere.
    const filling = bytes.indexOf('}') + 1;
    for (let at = 0; at < bytes.length; at += at > filling && at < SNAPSHOT_HEADER_BYTES - 41 ? 40 : 1) {
      const copy = Buffer.from(bytes);
      copy.writeUInt8(copy.readUInt8(at) ^ (1 << (at % 8)), at);
      await writeFile(changed, copy);
      await assert.rejects(readWhole(changed, exporter.key), SnapshotFileError, `byte ${at}`);
    }
    const first = SNAPSHOT_HEADER_BYTES + CHUNK_HEAD_BYTES + readChunkHead(bytes.subarray(SNAPSHOT_HEADER_BYTES)).sealedBytes;
    const second = first + CHUNK_HEAD_BYTES + readChunkHead(bytes.subarray(first)).sealedBytes;
    const header = bytes.subarray(0, SNAPSHOT_HEADER_BYTES);
    const exchanged = [header, bytes.subarray(first, second), bytes.subarray(SNAPSHOT_HEADER_BYTES, first), bytes.subarray(second)];
    await writeFile(changed, Buffer.concat(exchanged));
    await assert.rejects(readWhole(changed, exporter.key), SnapshotFileError);
  });

  test('of another group, another installation, or under another key it is refused with the reason', async (t) => {
    const { exporter, file } = await exportedFile(t);
    const { key } = exporter;
    await assert.rejects(readWhole(file, { ...key, groupId: 'other' }), /of the gateway group "default", the snapshot key of "other"/);
    await assert.rejects(readWhole(file, { ...key, fingerprint: randomBytes(32) }), /signed by another installation/);
    await assert.rejects(readWhole(file, { ...key, secret: randomBytes(32) }), /another snapshot key/);
  });

  test('signed by somebody who has the group key alone it is refused', async (t) => {
    const { exporter, folder } = await exportedFile(t);
    const forger = new TestExporter('default', exporter.key.secret);
    forger.store.put('route', 'forged');
    const file = path.join(folder, 'forged');
    await forger.write(file);
    await assert.rejects(readWhole(file, exporter.key), /signed by another installation/);
    // The same with the header of the genuine key, which does not fit the signature.
    const genuine = path.join(folder, 'genuine');
    await exporter.write(genuine);
    const header = JSON.parse((await readFile(genuine)).toString('utf8', 22, SNAPSHOT_HEADER_BYTES));
    const bytes = await readFile(file);
    const text = bytes
      .toString('utf8', 0, SNAPSHOT_HEADER_BYTES)
      .replace(JSON.parse(bytes.toString('utf8', 22, SNAPSHOT_HEADER_BYTES)).signingKey, header.signingKey);
    await writeFile(file, Buffer.concat([Buffer.from(text), bytes.subarray(SNAPSHOT_HEADER_BYTES)]));
    await assert.rejects(readWhole(file, exporter.key), SnapshotFileError);
  });

  test('older than what this machine has seen it is refused, unless the operator allows it', async (t) => {
    const { exporter, file, folder } = await exportedFile(t);
    exporter.store.put('route', 'r2');
    const newer = path.join(folder, 'newer');
    assert.equal(await exporter.write(newer), 3);
    const data = await temporaryFolder(t);
    const gateway = await OfflineGateway.start(t, data);
    assert.deepEqual(await take(newer, exporter.key, gateway), { kind: 'applied', revision: 3 });
    assert.deepEqual(await take(file, exporter.key, gateway), { kind: 'not-newer' });
    await gateway.journal.close();
    const allowing = await OfflineGateway.start(t, data, { allowOlder: true });
    assert.deepEqual(await take(file, exporter.key, allowing, true), { kind: 'applied', revision: 2 });
  });

  test('read while writes go on it holds what was written meanwhile, at one revision', async (t) => {
    const folder = await temporaryFolder(t);
    const exporter = new TestExporter();
    exporter.store.put('service', 's1');
    exporter.store.onPage = () => {
      exporter.store.onPage = () => undefined;
      exporter.store.delete('service', 's1');
      exporter.store.put('route', 'late');
    };
    const file = path.join(folder, 'f');
    assert.equal(await exporter.write(file), 3);
    const gateway = await OfflineGateway.start(t, await temporaryFolder(t));
    assert.deepEqual(await take(file, exporter.key, gateway), { kind: 'applied', revision: 3 });
    assert.deepEqual(gateway.applier.summary, ['route late']);
  });

  test('one whose beginning is older than what is in force is left alone, whatever it ends with', async (t) => {
    const folder = await temporaryFolder(t);
    const exporter = new TestExporter();
    const later = new MemoryStore('default');
    for (const store of [exporter.store, later]) store.put('service', 's1');
    later.delete('service', 's1');
    assert.equal(await exporter.write(path.join(folder, 'later'), later), 2);
    exporter.store.onPage = () => {
      exporter.store.onPage = () => undefined;
      exporter.store.delete('service', 's1');
      exporter.store.put('route', 'late');
    };
    assert.equal(await exporter.write(path.join(folder, 'long')), 3);
    const gateway = await OfflineGateway.start(t, await temporaryFolder(t));
    assert.deepEqual(await take(path.join(folder, 'later'), exporter.key, gateway), { kind: 'applied', revision: 2 });
    assert.deepEqual(await take(path.join(folder, 'long'), exporter.key, gateway), { kind: 'not-newer' });
    assert.equal(gateway.held.revision, 2);
    assert.deepEqual(gateway.applier.summary, []);
  });

  test('a full disk leaves the snapshot that was there, and no draft', async (t) => {
    const disk = await makeSmallDisk(t, 64 * 1024);
    if (disk === undefined) return;
    const exporter = new TestExporter();
    exporter.store.put('service', 's1');
    const file = path.join(disk, 'default.snapshot');
    await exporter.write(file);
    const before = await readFile(file);
    for (let n = 0; n < 300; n++) exporter.store.put('route', `route-${n}-${'x'.repeat(300)}`);
    await assert.rejects(exporter.write(file), { code: 'ENOSPC' });
    assert.deepEqual(await readFile(file), before);
    assert.deepEqual(await readdir(disk), ['default.snapshot']);
  });
});

test('a snapshot key is read back as it was shown, and nothing else is one', () => {
  const key = new TestExporter('group/ü').key;
  assert.deepEqual(parseSnapshotKey(`${formatSnapshotKey(key)}\n`), key);
  assert.deepEqual(parseSnapshotKey(`export PORTCULLIS_SNAPSHOT_KEY=${formatSnapshotKey(key)}\n`), key);
  for (const text of ['', 'pcs1', formatSnapshotKey(key).replace('pcs1', 'pcs2'), `${formatSnapshotKey(key)}A`, 'pcs1.a.b.c']) {
    assert.equal(parseSnapshotKey(text), undefined);
  }
});
