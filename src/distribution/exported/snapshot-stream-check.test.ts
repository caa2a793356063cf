import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../../test-support/temporary-folder.ts';
import { MAX_FRAME_BYTES } from '../protocol.ts';
import { TestExporter } from '../test-support/test-exporter.ts';
import { CHUNK_HEAD_BYTES } from './chunk-cipher.ts';
import { SNAPSHOT_HEADER_BYTES } from './snapshot-header.ts';
import { SnapshotStreamCheck } from './snapshot-stream-check.ts';

const SINGLE_BYTES = 1_000_000;
/** An object for each byte would be three times as much. */
const MOST_GROWTH_BYTES = 60_000_000;

test('what arrives in pieces of any size is the same snapshot', async (t) => {
  const exporter = new TestExporter();
  exporter.store.put('service', 's1');
  const file = path.join(await temporaryFolder(t), 'default.snapshot');
  await exporter.write(file);
  const bytes = await readFile(file);
  for (const size of [1, 2, 3, CHUNK_HEAD_BYTES, 100, SNAPSHOT_HEADER_BYTES + CHUNK_HEAD_BYTES, bytes.length]) {
    const check = new SnapshotStreamCheck(exporter.key, () => undefined);
    for (let offset = 0; offset < bytes.length; offset += size) {
      assert.throws(() => check.finish(), /ends too early/);
      check.add(bytes.subarray(offset, offset + size));
    }
    check.finish();
    assert.throws(() => check.add(Buffer.alloc(1)), /stands behind its end/);
  }
});

test('single bytes of a large part cost no more memory than the part', async (t) => {
  const exporter = new TestExporter();
  exporter.store.put('service', 's1');
  const file = path.join(await temporaryFolder(t), 'default.snapshot');
  await exporter.write(file);
  const check = new SnapshotStreamCheck(exporter.key, () => undefined);
  check.add((await readFile(file)).subarray(0, SNAPSHOT_HEADER_BYTES));
  const head = Buffer.alloc(CHUNK_HEAD_BYTES);
  head.writeUInt32BE(MAX_FRAME_BYTES, 0);
  check.add(head);
  const received = Buffer.alloc(1000);
  const before = process.memoryUsage().heapUsed;
  for (let count = 0; count < SINGLE_BYTES; count++) check.add(received.subarray(count % 1000, (count % 1000) + 1));
  assert.ok(process.memoryUsage().heapUsed - before < MOST_GROWTH_BYTES);
});
