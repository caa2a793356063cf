import assert from 'node:assert/strict';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { runPortcullis } from '../test-support/run-portcullis.ts';
import { RunningInstance, runningInstance } from '../test-support/running-instance.ts';
import { temporaryFolder } from '../test-support/temporary-folder.ts';

const GROUP = '/api/gateway_groups/default';
const JUMPING_CLOCK = fileURLToPath(new URL('../test-support/jumping-clock.ts', import.meta.url));
const DAY_MS = 86_400_000;

test('a gateway joins by a token file, serves, takes up a new authority, and is revoked for good', async (t) => {
  const folder = await temporaryFolder(t);
  const planeFolder = await made(path.join(folder, 'plane'));
  const plane = await runningInstance(t, { dataFolder: planeFolder, verb: 'control-plane' });
  const { sync } = plane.ports;
  const upstream = await runningInstance(t, { dataFolder: await made(path.join(folder, 'upstream')) });
  const nodes = [{ host: '127.0.0.1', port: upstream.ports.demo, weight: 1 }];
  await put(plane, 'services/s1', { name: 's1', upstream: { type: 'roundrobin', scheme: 'http', nodes } });
  await put(plane, 'routes/r1', { name: 'r1', paths: ['/anything/*'], service_id: 's1' });

  const token = await makeToken(plane);
  const tokenFile = path.join(folder, 'join-token');
  await writeFile(tokenFile, `${token}\n`, { mode: 0o600 });
  const gatewayFolder = await made(path.join(folder, 'gateway'));
  // The first address leads nowhere.
  const flags = ['--control-plane', `https://localhost:1,https://localhost:${sync}`, '--join-token-file', tokenFile];
  const gateway = await runningInstance(t, { dataFolder: gatewayFolder, verb: 'gateway', flags });
  const url = `http://127.0.0.1:${gateway.ports.http}/anything/a`;
  assert.equal((await fetch(url)).status, 200);
  const identityFile = path.join(gatewayFolder, 'gateway', 'identity.json');
  assert.equal((await stat(identityFile)).mode & 0o777, 0o600);
  const identity = JSON.parse(await readFile(identityFile, 'utf8'));
  assert.ok(!(await readFile(path.join(gatewayFolder, 'logs', 'portcullis.log'), 'utf8')).includes(token.split('.')[2] ?? '-'));

  const second = await RunningInstance.startAndFail({ dataFolder: await made(path.join(folder, 'second')), verb: 'gateway', flags });
  assert.equal(second.code, 1);
  assert.match(second.stderr, /The gateway may not join: this join token has been used as often as it may be: make a new one\.\n/);

  const pid = gateway.child('gateway');
  await runPortcullis(['ca', 'rotate', '--data-dir', planeFolder]);
  const renewed = await until(async () => {
    const now = JSON.parse(await readFile(identityFile, 'utf8'));
    return now.certificate !== identity.certificate && now.authority.match(/BEGIN CERTIFICATE/g).length === 2 ? now : undefined;
  });
  assert.equal(renewed.instanceId, identity.instanceId);
  assert.notEqual(renewed.privateKey, identity.privateKey);
  assert.equal(gateway.child('gateway'), pid);
  await runPortcullis(['ca', 'retire', '--data-dir', planeFolder]);
  // The connection was made by the old certificate, which nobody trusts any more: it comes back by the new one.
  await until(async () => {
    const written = await plane.admin('PUT', '/apisix/admin/routes/r2', { name: 'r2', paths: ['/status/*'], service_id: 's1' });
    return written.headers['portcullis-applied'] === '1/1' ? true : undefined;
  });

  const listed = await plane.admin('GET', `${GROUP}/instance_certificates`);
  assert.match(JSON.stringify(listed.body), new RegExp(identity.instanceId));
  assert.equal((await plane.admin('DELETE', `${GROUP}/instance_certificates/${identity.instanceId}`)).status, 200);
  const late = await plane.admin('PUT', '/apisix/admin/routes/r3', { name: 'r3', paths: ['/late/*'], service_id: 's1' });
  assert.match(String(late.headers['portcullis-applied']), /^0\/[01]/);
  assert.equal((await fetch(url)).status, 200);
  await until(async () => {
    const log = await readFile(path.join(gatewayFolder, 'logs', 'portcullis.log'), 'utf8');
    return /"cause":"this instance was revoked/.test(log) ? true : undefined;
  });
  // The connection is gone for the control plane within a moment too, and stays away.
  await until(async () => {
    const written = await plane.admin('PUT', '/apisix/admin/routes/r4', { name: 'r4', paths: ['/x'], service_id: 's1' });
    return written.headers['portcullis-applied'] === '0/0' ? true : undefined;
  });
});

test('a gateway that has nothing but a certificate that has expired renews it, gets its configuration and serves', async (t) => {
  const folder = await temporaryFolder(t);
  const dataFolder = await made(path.join(folder, 'plane'));
  const clock = path.join(folder, 'clock');
  await writeFile(clock, String(-100 * DAY_MS));
  const environment = { NODE_OPTIONS: `--import=${JUMPING_CLOCK}`, JUMPING_CLOCK_FILE: clock };
  const former = await runningInstance(t, { dataFolder, verb: 'control-plane', environment });
  const answer = await former.admin('POST', `${GROUP}/dp_client_certificates`);
  const [, identity = ''] = /"identity":(\{[^}]+\})/.exec(JSON.stringify(answer.body)) ?? [];
  assert.ok(JSON.parse(identity).expiresAtMs < Date.now() - 9 * DAY_MS);
  await former.stop();
  const plane = await runningInstance(t, { dataFolder, verb: 'control-plane' });
  const identityFile = path.join(folder, 'identity.json');
  await writeFile(identityFile, identity, { mode: 0o600 });
  const flags = ['--control-plane', `https://localhost:${plane.ports.sync}`, '--identity-file', identityFile];
  const gateway = await runningInstance(t, { dataFolder: await made(path.join(folder, 'gateway')), verb: 'gateway', flags });
  assert.equal((await fetch(`http://127.0.0.1:${gateway.ports.http}/`)).status, 404);
  assert.ok(JSON.parse(await readFile(identityFile, 'utf8')).expiresAtMs > Date.now() + 89 * DAY_MS);
});

async function made(folder: string): Promise<string> {
  await mkdir(folder, { mode: 0o700 });
  return folder;
}

async function put(plane: RunningInstance, resource: string, body: object): Promise<void> {
  const answer = await plane.admin('PUT', `/apisix/admin/${resource}`, body);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
}

async function makeToken(plane: RunningInstance): Promise<string> {
  const answer = await plane.admin('POST', `${GROUP}/instance_token`, { name: 'e2e' });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  const [, token = ''] = /"token":"(pcj1[^"]+)"/.exec(JSON.stringify(answer.body)) ?? [];
  return token;
}

/** Looks again now and then; the test's own time limit ends it. */
async function until<Value>(look: () => Promise<Value | undefined>): Promise<Value> {
  for (;;) {
    const found = await look().catch(() => undefined);
    if (found !== undefined) return found;
    await setTimeout(50);
  }
}
