import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { RecordingLogger } from '../../../test-support/recording-logger.ts';
import { temporaryFolder } from '../../../test-support/temporary-folder.ts';
import { encodeSnapshotHeader, SNAPSHOT_HEADER_BYTES } from '../../distribution/index.ts';
import { systemClock } from '../../lib/clock.ts';
import { createDialPolicy } from '../../lib/dial-policy.ts';
import { systemRandom } from '../../lib/random.ts';
import type { ExportTarget } from './export-target.ts';
import { folderTarget } from './folder-target.ts';
import { s3Target } from './s3-target.ts';
import { SnapshotExporter } from './snapshot-exporter.ts';

const HOUR_MS = 3_600_000;

/** An exporter of two groups over a store that holds only numbers. */
async function exporterTo(t: TestContext, target: ExportTarget) {
  const clock = new FakeClock(1_800_000_000_000);
  const log = new RecordingLogger();
  const folder = await temporaryFolder(t);
  const revisions = new Map([
    ['default', 1],
    ['../other', 4],
  ]);
  const group = (id: string, revision: number) => ({ id, revision, name: id, description: '', createdAt: 0, updatedAt: 0 });
  const exporter = new SnapshotExporter({
    store: { listGroups: async () => [...revisions].map(([id, revision]) => group(id, revision)) },
    writerOf: async (id) => ({
      write: async (file) => {
        const revision = revisions.get(id) ?? 0;
        await writeFile(file, `${id} ${revision}`);
        return { revision };
      },
    }),
    target,
    intervalMs: 1000,
    refreshMs: HOUR_MS,
    folder,
    clock,
    log,
  });
  return { exporter, revisions, clock, log, folder };
}

test('each changed group appears in the folder by its revision and as the latest, and the oldest go', async (t) => {
  const folder = await temporaryFolder(t);
  const {
    exporter,
    revisions,
    clock,
    folder: spool,
  } = await exporterTo(t, folderTarget({ folder, keep: 2, clock: systemClock, random: systemRandom }));
  for (let revision = 1; revision <= 3; revision++) {
    revisions.set('default', revision);
    await exporter.exportChanged();
  }
  assert.deepEqual((await readdir(folder)).sort(), ['_hex_2e2e2f6f74686572', 'default']);
  const group = path.join(folder, 'default');
  assert.deepEqual((await readdir(group)).sort(), ['.exporting.lock', '000000000002.snapshot', '000000000003.snapshot', 'latest.snapshot']);
  const latest = path.join(group, 'latest.snapshot');
  assert.equal(await readFile(latest, 'utf8'), 'default 3');
  assert.equal((await stat(latest)).mode & 0o777, 0o600);
  assert.deepEqual(await readdir(spool), []);

  const { mtimeMs } = await stat(latest);
  await exporter.exportChanged();
  assert.equal((await stat(latest)).mtimeMs, mtimeMs, 'what has not changed is not exported');
  clock.advance(HOUR_MS);
  await exporter.exportChanged();
  assert.notEqual((await stat(latest)).mtimeMs, mtimeMs, 'but it is now and then, so that it is not taken for old');
});

test('what a process that died left behind goes, and what another is writing stays', async (t) => {
  const folder = await temporaryFolder(t);
  const {
    exporter,
    clock,
    folder: spool,
  } = await exporterTo(t, folderTarget({ folder, keep: 2, clock: systemClock, random: systemRandom }));
  await mkdir(path.join(folder, 'default'));
  const [old, fresh] = ['latest.snapshot.0123456789ab.draft', 'latest.snapshot.ba9876543210.draft'];
  for (const name of [old, fresh]) await writeFile(path.join(folder, 'default', name), '');
  await utimes(path.join(folder, 'default', old), 1, 1);
  await mkdir(path.join(spool, 'snapshot-export-dead'));
  exporter.start();
  clock.advance(0);
  await exporter.stop();
  await exporter.exportChanged();
  assert.deepEqual((await readdir(path.join(folder, 'default'))).sort(), [
    '.exporting.lock',
    '000000000001.snapshot',
    'latest.snapshot',
    fresh,
  ]);
  assert.deepEqual(await readdir(spool), []);
});

test('a failure of one group is told, leaves nothing behind, keeps no other group back and is tried again', async (t) => {
  let isBroken = true;
  const put: string[] = [];
  const target: ExportTarget = {
    description: 'a place',
    async put({ groupId, revision }) {
      if (isBroken && groupId === 'default') throw new Error('the disk is full');
      put.push(`${groupId} ${revision}`);
    },
  };
  const { exporter, log, folder } = await exporterTo(t, target);
  await exporter.exportChanged();
  await exporter.exportChanged();
  assert.deepEqual(put, ['../other 4']);
  assert.partialDeepStrictEqual(exporter.states()[0], {
    groupId: 'default',
    revision: undefined,
    failures: 2,
    lastFailure: 'the disk is full',
  });
  assert.equal(log.lines.filter(({ level }) => level === 'error').length, 2);
  isBroken = false;
  await exporter.exportChanged();
  assert.deepEqual(put, ['../other 4', 'default 1']);
  assert.partialDeepStrictEqual(exporter.states()[0], { revision: 1, failures: 0 });
  assert.deepEqual(await readdir(folder), []);
});

const KEYS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a-secret-of-this-test' };

/** What AWS's documentation says a server computes ("Signature Version 4 signing process"), by node:crypto alone. */
function expectedSignature(request: IncomingMessage, body: Buffer): string {
  const { authorization = '' } = request.headers;
  const [, scope = '', names = ''] = /Credential=[^/]+\/([^,]+), SignedHeaders=([^,]+)/.exec(authorization) ?? [];
  const headers = names.split(';').map((name) => `${name}:${String(request.headers[name])}\n`);
  const payload = createHash('sha256').update(body).digest('hex');
  const canonical = [request.method, request.url, '', headers.join(''), names, payload].join('\n');
  const hash = createHash('sha256').update(canonical).digest('hex');
  const text = ['AWS4-HMAC-SHA256', request.headers['x-amz-date'], scope, hash].join('\n');
  const hmac = (key: Buffer | string, data: string): Buffer => createHmac('sha256', key).update(data).digest();
  const key = scope.split('/').reduce<Buffer | string>((previous, part) => hmac(previous, part), `AWS4${KEYS.secretAccessKey}`);
  return hmac(key, text).toString('hex');
}

async function mockStore(t: TestContext) {
  const objects = new Map<string, string>();
  const store = { beforePut: (_key: string): void => undefined, knowsConditions: true };
  const etagOf = (key: string): string | undefined => {
    const object = objects.get(key);
    return object === undefined ? undefined : `"${createHash('md5').update(object).digest('hex')}"`;
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const isSigned = request.headers.authorization?.endsWith(`Signature=${expectedSignature(request, body)}`) === true;
      const key = request.url ?? '';
      if (!isSigned) {
        response.statusCode = 403;
        response.end('<Error><Code>SignatureDoesNotMatch</Code><Message>x</Message></Error>');
      } else if (request.method === 'GET') {
        const object = objects.get(key);
        response.writeHead(object === undefined ? 404 : 206, { ETag: etagOf(key) ?? '' });
        response.end(object?.slice(0, SNAPSHOT_HEADER_BYTES));
      } else {
        store.beforePut(key);
        const { 'if-match': match, 'if-none-match': none } = request.headers;
        const isMet = (match === undefined || match === etagOf(key)) && (none === undefined || !objects.has(key));
        const isUnknown = !store.knowsConditions && (match ?? none) !== undefined;
        if (isMet && !isUnknown) objects.set(key, body.toString());
        response.statusCode = isUnknown ? 501 : isMet ? 200 : 412;
        response.end();
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { objects, store, endpoint: `http://127.0.0.1:${port}`, port };
}

test('a store gets each snapshot by its revision and as the latest, in requests that are rightly signed', async (t) => {
  const { objects, endpoint } = await mockStore(t);
  const mayDial = createDialPolicy({ protectedPorts: [], allow: [], deny: [] });
  const settings = { ...KEYS, bucket: 'bucket', prefix: 'a/b', endpoint, region: 'eu-central-1' };
  const clock = new FakeClock(1_800_000_000_000);
  const { exporter } = await exporterTo(t, s3Target({ settings, mayDial, clock }));
  await exporter.exportChanged();
  assert.deepEqual([...objects].sort(), [
    ['/bucket/a/b/_hex_2e2e2f6f74686572/000000000004.snapshot', '../other 4'],
    ['/bucket/a/b/_hex_2e2e2f6f74686572/latest.snapshot', '../other 4'],
    ['/bucket/a/b/default/000000000001.snapshot', 'default 1'],
    ['/bucket/a/b/default/latest.snapshot', 'default 1'],
  ]);
});

test('what a store refuses, and an address that is forbidden, is told without a secret', async (t) => {
  const { endpoint, port } = await mockStore(t);
  const clock = new FakeClock(1_800_000_000_000);
  const settings = { ...KEYS, secretAccessKey: 'another-secret', bucket: 'bucket', prefix: '', endpoint, region: 'us-east-1' };
  const refusing = await exporterTo(t, s3Target({ settings, mayDial: () => true, clock }));
  await refusing.exporter.exportChanged();
  assert.equal(refusing.exporter.states()[0]?.lastFailure, 'the store answered 403 SignatureDoesNotMatch');
  const mayDial = createDialPolicy({ protectedPorts: [port], allow: [], deny: [] });
  const forbidden = await exporterTo(t, s3Target({ settings, mayDial, clock }));
  await forbidden.exporter.exportChanged();
  assert.match(forbidden.exporter.states()[0]?.lastFailure ?? '', /the address policy forbids to connect to 127\.0\.0\.1/);
  assert.doesNotMatch(JSON.stringify([refusing.log.lines, forbidden.log.lines]), /another-secret/);
});

/** What several control planes export: files that have a header and nothing else. */
async function snapshots(t: TestContext) {
  const folder = await temporaryFolder(t);
  const store = { newest: 100 };
  const write = async (revision: number, options: { readonly createdAtMs?: number; readonly signingKey?: string } = {}) => {
    const { createdAtMs = revision * 1000, signingKey = 'key' } = options;
    const salt = Buffer.alloc(32).toString('base64');
    const header = encodeSnapshotHeader({ groupId: 'g', revision, createdAtMs, salt, signingKey, softwareVersion: '0' });
    const file = path.join(folder, `${revision}-${createdAtMs}-${signingKey}`);
    await writeFile(file, header);
    return { groupId: 'g', revision, file, newestRevision: async () => store.newest };
  };
  return { write, store };
}

function revisionIn(bytes: string | Buffer): number {
  return Number(/"revision":(\d+)/.exec(bytes.toString())?.[1]);
}

test('the latest in a folder never goes back, whoever exports last, unless the store itself was set back', async (t) => {
  const { write, store } = await snapshots(t);
  const folder = await temporaryFolder(t);
  const target = folderTarget({ folder, keep: 10, clock: systemClock, random: systemRandom });
  const latest = async () => readFile(path.join(folder, 'g', 'latest.snapshot'));
  const all = await Promise.all([5, 3, 9, 7, 1, 8].map((revision) => write(revision)));
  await Promise.all(all.map((snapshot) => target.put(snapshot)));
  assert.equal(revisionIn(await latest()), 9);
  await target.put(await write(8));
  assert.equal(revisionIn(await latest()), 9);
  await target.put(await write(9, { createdAtMs: 1 }));
  assert.match((await latest()).toString(), /"createdAtMs":9000,/);
  await target.put(await write(9, { createdAtMs: 10_000 }));
  assert.match((await latest()).toString(), /"createdAtMs":10000,/);
  store.newest = 8;
  await target.put(await write(8));
  assert.equal(revisionIn(await latest()), 8);
  await target.put(await write(2, { signingKey: 'of another installation' }));
  assert.equal(revisionIn(await latest()), 2);
  assert.deepEqual(
    (await readdir(path.join(folder, 'g'))).filter((name) => !name.endsWith('.snapshot')),
    ['.exporting.lock'],
  );
});

test('a folder that a process held when it died is not held for ever', async (t) => {
  const { write } = await snapshots(t);
  const folder = await temporaryFolder(t);
  const target = folderTarget({ folder, keep: 10, clock: systemClock, random: systemRandom });
  const lock = path.join(folder, 'g', '.exporting');
  await mkdir(path.join(folder, 'g'));
  await writeFile(lock, '');
  await utimes(lock, 1, 1);
  await target.put(await write(3));
  assert.equal(revisionIn(await readFile(path.join(folder, 'g', 'latest.snapshot'))), 3);
});

test('the latest in a store never goes back, also when another writes between the look and the write', async (t) => {
  const { objects, store, endpoint } = await mockStore(t);
  const { write } = await snapshots(t);
  const settings = { ...KEYS, bucket: 'bucket', prefix: '', endpoint, region: 'us-east-1' };
  const target = s3Target({ settings, mayDial: () => true, clock: new FakeClock(1_800_000_000_000) });
  const latest = '/bucket/g/latest.snapshot';
  const newer = (await readFile((await write(7)).file)).toString();
  let writes = 0;
  store.beforePut = (key) => {
    if (key !== latest) return;
    writes += 1;
    if (writes === 1) objects.set(latest, newer);
  };
  await target.put(await write(5));
  assert.deepEqual([revisionIn(objects.get(latest) ?? ''), writes], [7, 1]);
  await target.put(await write(6));
  assert.deepEqual([revisionIn(objects.get(latest) ?? ''), writes], [7, 1]);
  await target.put(await write(8));
  assert.deepEqual([revisionIn(objects.get(latest) ?? ''), writes], [8, 2]);
  store.knowsConditions = false;
  await target.put(await write(9));
  assert.equal(revisionIn(objects.get(latest) ?? ''), 9);
});
