import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { runPortcullis } from '../test-support/run-portcullis.ts';
import { type RunningInstance, runningInstance, RunningInstance as Starter, until } from '../test-support/running-instance.ts';
import { temporaryFolder } from '../test-support/temporary-folder.ts';

/** A control plane with a key, a route to the demo upstream of another instance, and a snapshot of that. */
async function exported(t: TestContext) {
  const folder = await temporaryFolder(t);
  const instance = await runningInstance(t, { dataFolder: await temporaryFolder(t) });
  const upstream = { type: 'roundrobin', nodes: [{ host: '127.0.0.1', port: instance.ports.demo, weight: 1 }] };
  await instance.admin('PUT', '/apisix/admin/services/s', { name: 's', upstream, plugins: { 'key-auth': {} } });
  await instance.admin('PUT', '/apisix/admin/routes/r', { name: 'r', paths: ['/*'], service_id: 's' });
  await addKey(instance, 'alice', 'a-key-of-alice-1234567890');
  const file = path.join(folder, 'default.snapshot');
  const written = await runPortcullis(['snapshot', 'export', '--data-dir', instance.dataFolder, '--to', file]);
  assert.match(written, /^Revision \d+ of default written to /);
  const shown = await runPortcullis(['snapshot', 'key', '--data-dir', instance.dataFolder]);
  const key = /^export PORTCULLIS_SNAPSHOT_KEY=(pcs1\.\S+)\n$/.exec(shown)?.[1] ?? '';
  return { instance, folder, file, key };
}

async function addKey(instance: RunningInstance, username: string, key: string): Promise<void> {
  await instance.admin('PUT', `/apisix/admin/consumers/${username}`, { username });
  const body = { name: 'k', plugins: { 'key-auth': { key } } };
  const answer = await instance.admin('PUT', `/apisix/admin/consumers/${username}/credentials/k`, body);
  assert.ok(answer.status < 300, JSON.stringify(answer.body));
}

async function statusWith(instance: RunningInstance, key: string): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${instance.ports.http}/anything`, { headers: { apikey: key } });
  await answer.arrayBuffer();
  return answer.status;
}

test('a fresh gateway without any control plane serves the same keys from an exported snapshot', async (t) => {
  const { instance, file, key } = await exported(t);
  const dataFolder = await temporaryFolder(t);
  const environment = { PORTCULLIS_SNAPSHOT_KEY: key };
  const gateway = await runningInstance(t, { dataFolder, verb: 'gateway', flags: ['--snapshot', file], environment });
  assert.equal(await statusWith(gateway, 'a-key-of-alice-1234567890'), 200);
  assert.equal(await statusWith(gateway, 'another'), 401);
  assert.equal(readFileSync(file).includes('alice'), false);

  await addKey(instance, 'bob', 'a-key-of-bob-12345678901');
  await runPortcullis(['snapshot', 'export', '--data-dir', instance.dataFolder, '--to', file]);
  await gateway.stop();
  const again = await runningInstance(t, { dataFolder, verb: 'gateway', flags: ['--snapshot', file], environment });
  assert.equal(await statusWith(again, 'a-key-of-bob-12345678901'), 200);
  await again.stop();
});

test('a gateway follows a snapshot at a URL, and asks for it only when it has changed', async (t) => {
  const { instance, file, key } = await exported(t);
  const answers: number[] = [];
  const server = createServer((request, response) => {
    const etag = `"${createHash('sha256').update(readFileSync(file)).digest('hex')}"`;
    const status = request.headers['if-none-match'] === etag ? 304 : 200;
    answers.push(status);
    response.writeHead(status, { ETag: etag });
    if (status === 304) response.end();
    else createReadStream(file).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/default.snapshot`;
  const keyFile = path.join(await temporaryFolder(t), 'key');
  writeFileSync(keyFile, `${key}\n`);
  const gateway = await runningInstance(t, {
    dataFolder: await temporaryFolder(t),
    verb: 'gateway',
    flags: ['--snapshot', url, '--snapshot-interval', '1'],
    environment: { PORTCULLIS_SNAPSHOT_KEY_FILE: keyFile },
  });
  assert.equal(await statusWith(gateway, 'a-key-of-alice-1234567890'), 200);
  await until(() => answers.includes(304), 'the snapshot was asked for again');
  await addKey(instance, 'carol', 'a-key-of-carol-123456789');
  await runPortcullis(['snapshot', 'export', '--data-dir', instance.dataFolder, '--to', file]);
  await until(async () => (await statusWith(gateway, 'a-key-of-carol-123456789')) === 200, 'the newer snapshot is in force');
  await gateway.stop();
});

test('a gateway with a snapshot and no key, or with a text that is none, does not start and says what to do', async (t) => {
  const options = { dataFolder: await temporaryFolder(t), verb: 'gateway', flags: ['--snapshot', '/none'] };
  const missing = await Starter.startAndFail(options);
  assert.match(missing.stderr, /--snapshot needs PORTCULLIS_SNAPSHOT_KEY/);
  const wrong = await Starter.startAndFail({ ...options, environment: { PORTCULLIS_SNAPSHOT_KEY: 'pcs1.secret' } });
  assert.match(wrong.stderr, /PORTCULLIS_SNAPSHOT_KEY is not a snapshot key/);
  assert.doesNotMatch(wrong.stderr, /pcs1\.secret/);
});

test('a control plane exports what has changed to a folder, from which a gateway starts', async (t) => {
  const folder = await temporaryFolder(t);
  const flags = ['--snapshot-export-to', folder, '--snapshot-export-interval', '1'];
  const instance = await runningInstance(t, { dataFolder: await temporaryFolder(t), flags });
  const latest = path.join(folder, 'default', 'latest.snapshot');
  await addKey(instance, 'dora', 'a-key-of-dora-1234567890');
  await until(() => existsSync(latest), 'a snapshot was exported');
  const shown = await runPortcullis(['snapshot', 'key', '--data-dir', instance.dataFolder]);
  const environment = { PORTCULLIS_SNAPSHOT_KEY: shown.trim().replace('export PORTCULLIS_SNAPSHOT_KEY=', '') };
  const gateway = await runningInstance(t, {
    dataFolder: await temporaryFolder(t),
    verb: 'gateway',
    flags: ['--snapshot', latest],
    environment,
  });
  assert.equal(await statusWith(gateway, 'a-key-of-dora-1234567890'), 404);
  const status = await fetch(`http://127.0.0.1:${gateway.ports.status}/status`);
  assert.partialDeepStrictEqual(await status.json(), { control_plane: { connected: false, last_contact_seconds: null, too_old: false } });
  await gateway.stop();
});
