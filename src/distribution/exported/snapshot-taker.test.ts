import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { RecordingLogger } from '../../../test-support/recording-logger.ts';
import { makeSmallDisk } from '../../../test-support/small-disk.ts';
import { temporaryFolder } from '../../../test-support/temporary-folder.ts';
import { createDialPolicy } from '../../lib/dial-policy.ts';
import { OfflineGateway } from '../test-support/offline-gateway.ts';
import { TestExporter } from '../test-support/test-exporter.ts';
import { SNAPSHOT_HEADER_BYTES } from './snapshot-header.ts';
import { SnapshotTaker } from './snapshot-taker.ts';

const MAX_BYTES = 1024 * 1024;
const SIGNAL = new AbortController().signal;

/** A server of one file, and a gateway without control plane that looks at it. */
async function served(t: TestContext, options: { readonly folder?: string } = {}) {
  const exporter = new TestExporter();
  exporter.store.put('service', 's1');
  exporter.store.put('route', 'r1');
  const file = path.join(await temporaryFolder(t), 'default.snapshot');
  await exporter.write(file);
  const offer = {
    bytes: await readFile(file),
    etag: '"1"',
    headers: {},
    answer: (response: ServerResponse): unknown => response.end(offer.bytes),
  };
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const isKnown = request.headers['if-none-match'] === offer.etag;
    asked.push(isKnown ? 'unchanged' : 'fetched');
    response.writeHead(isKnown ? 304 : 200, { ETag: offer.etag, ...(isKnown ? {} : offer.headers) });
    if (isKnown) response.end();
    else offer.answer(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const folder = options.folder ?? (await temporaryFolder(t));
  const gateway = await OfflineGateway.start(t, folder);
  const log = new RecordingLogger();
  const taker = new SnapshotTaker({
    place: { kind: 'url', url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` },
    ...{ key: exporter.key, allowOlder: false, maxBytes: MAX_BYTES, folder, clock: new FakeClock(), log },
    mayDial: createDialPolicy({ protectedPorts: [], deny: [], allow: [] }),
  });
  const take = () => taker.takeOnce(gateway.held, SIGNAL);
  const problems = () => log.lines.filter(({ level }) => level === 'warn').map(({ fields }) => fields?.cause);
  return { exporter, file, offer, asked, gateway, folder, take, problems };
}

/** Sends for ever, as fast as it is taken, until the connection ends; resolves with how many bytes went out then. */
function sendForEver(response: ServerResponse, first: Buffer, ended: (bytes: number) => void): void {
  let bytes = 0;
  const send = (chunk: Buffer): void => {
    bytes += chunk.length;
    response.write(chunk, (error) => {
      if (error == null && !response.destroyed) send(randomBytes(65_536));
    });
  };
  response.on('close', () => ended(bytes));
  send(first);
}

test('a server that has not the key fills neither disk nor memory: what is not sealed is not kept', async (t) => {
  const { offer, gateway, folder, take, problems } = await served(t);
  const header = offer.bytes.subarray(0, SNAPSHOT_HEADER_BYTES);
  const announced = Buffer.from([0, 0, 0x40, 0, 0]);
  const lengths: number[] = [];
  for (const first of [randomBytes(SNAPSHOT_HEADER_BYTES), header, Buffer.concat([header, announced]), offer.bytes]) {
    const ended = Promise.withResolvers<number>();
    offer.answer = (response) => sendForEver(response, first, ended.resolve);
    offer.etag = `"${lengths.length + 2}"`;
    await take();
    lengths.push(await ended.promise);
  }
  // What lies in the sockets of both sides goes out before anybody can refuse it.
  assert.ok(
    lengths.every((bytes) => bytes < 16 * MAX_BYTES),
    lengths.join(),
  );
  assert.equal(gateway.held.revision, undefined);
  assert.deepEqual(problems().length, 4);
  assert.equal((await readdir(folder)).includes('snapshot.download'), false);
});

test('what was refused is not fetched again as long as the server has nothing else, and what is good is taken then', async (t) => {
  const { exporter, file, offer, asked, gateway, take, problems } = await served(t);
  const good = offer.bytes;
  offer.bytes = Buffer.from(good);
  offer.bytes.writeUInt8(offer.bytes.readUInt8(good.length - 1) ^ 1, good.length - 1);
  for (let times = 0; times < 3; times += 1) await take();
  assert.deepEqual([asked, problems()], [['fetched', 'unchanged', 'unchanged'], ['it was changed, or another snapshot key belongs to it']]);
  Object.assign(offer, { bytes: good, etag: '"2"' });
  await take();
  assert.equal(gateway.held.revision, 2);
  await take();
  exporter.store.put('route', 'r2');
  await exporter.write(file);
  Object.assign(offer, { bytes: await readFile(file), etag: '"3"' });
  await take();
  assert.equal(gateway.held.revision, 3);
  assert.deepEqual(asked.slice(3), ['fetched', 'unchanged', 'fetched']);
});

test('of a snapshot that is older than what is in force no more than its beginning is read, and nothing is said', async (t) => {
  const { exporter, file, offer, asked, gateway, take, problems } = await served(t);
  const older = offer.bytes;
  exporter.store.put('route', 'r2');
  await exporter.write(file);
  Object.assign(offer, { bytes: await readFile(file), etag: '"2"' });
  await take();
  Object.assign(offer, { bytes: older, etag: '"3"' });
  const ended = Promise.withResolvers<number>();
  offer.answer = (response) => sendForEver(response, older.subarray(0, SNAPSHOT_HEADER_BYTES), ended.resolve);
  await take();
  await ended.promise;
  await take();
  assert.deepEqual([gateway.held.revision, asked, problems()], [3, ['fetched', 'fetched', 'unchanged'], []]);
});

test('what is larger than is allowed is not begun, and not asked for again', async (t) => {
  const { offer, asked, take, problems } = await served(t);
  offer.bytes = Buffer.concat([offer.bytes, Buffer.alloc(MAX_BYTES)]);
  offer.headers = { 'Content-Length': offer.bytes.length };
  await take();
  await take();
  assert.deepEqual([asked, problems()], [['fetched', 'unchanged'], ['it is too large']]);
});

test('where the disk has no room for it and the disk copy it is not kept, and tried again', async (t) => {
  const disk = await makeSmallDisk(t, 64 * 1024);
  if (disk === undefined) return;
  const { exporter, file, offer, asked, take, problems } = await served(t, { folder: disk });
  for (let n = 0; n < 150; n++) exporter.store.put('route', `route-${n}-${'x'.repeat(300)}`);
  await exporter.write(file);
  offer.bytes = await readFile(file);
  await take();
  await take();
  assert.deepEqual(asked, ['fetched', 'fetched']);
  assert.deepEqual(problems(), ['there is too little space on the disk for the snapshot and the disk copy']);
});

test('a server that breaks a download off is said to have done so, and is asked again', async (t) => {
  const { offer, asked, gateway, take, problems } = await served(t);
  offer.headers = { 'Content-Length': offer.bytes.length };
  offer.answer = (response) => response.write(offer.bytes.subarray(0, SNAPSHOT_HEADER_BYTES), () => response.destroy());
  await take();
  offer.answer = (response) => response.end(offer.bytes);
  await take();
  assert.deepEqual([gateway.held.revision, asked, problems()], [2, ['fetched', 'fetched'], ['the server broke the download off']]);
});
