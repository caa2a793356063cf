import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { statusFor } from '../test-support/ask-gateway.ts';
import { startEchoUpstream } from '../test-support/echo-upstream.ts';
import { LoadClients } from '../test-support/load-clients.ts';
import { runPortcullis } from '../test-support/run-portcullis.ts';
import { type RunningInstance, runningInstance, until, untilGone } from '../test-support/running-instance.ts';
import { type RestartableInstance, startControlPlane } from '../test-support/separate-planes.ts';
import { temporaryFolder } from '../test-support/temporary-folder.ts';

const GUARDED = { path: '/guarded', key: 'a-key-from-before-1234567890' };
const NEW_KEY = 'a-key-from-afterwards-1234567';
/** Longer than any wait of a test. */
const NEVER_LOOK = ['--snapshot-interval', '3600'];

/** A control plane with an open and a guarded route, and a snapshot of them. */
async function exportedPlane(t: TestContext) {
  const plane = await startControlPlane(t, { token: 'a-token-of-the-installation' });
  const nodes = [{ host: '127.0.0.1', port: await startEchoUpstream(t), weight: 1 }];
  await put(plane, 'services/echo', { name: 'echo', upstream: { nodes } });
  await put(plane, 'routes/open', { name: 'open', paths: ['/anything'], service_id: 'echo' });
  await put(plane, 'routes/guarded', { name: 'guarded', paths: ['/guarded'], service_id: 'echo', plugins: { 'key-auth': {} } });
  await put(plane, 'consumers/jack', { username: 'jack' });
  await put(plane, 'consumers/jack/credentials/before', { plugins: { 'key-auth': { key: GUARDED.key } } });
  const folder = await temporaryFolder(t);
  const snapshot = path.join(folder, 'default.snapshot');
  await runPortcullis(['snapshot', 'export', '--data-dir', plane.dataFolder, '--to', snapshot]);
  const shown = await runPortcullis(['snapshot', 'key', '--data-dir', plane.dataFolder]);
  const tokenFile = path.join(folder, 'join-token');
  const environment = { PORTCULLIS_SNAPSHOT_KEY: shown.trim().replace('export PORTCULLIS_SNAPSHOT_KEY=', '') };
  const startGateway = async (): Promise<RunningInstance> =>
    runningInstance(t, {
      dataFolder: await temporaryFolder(t),
      verb: 'gateway',
      environment,
      flags: [
        ...[`--control-plane=localhost:${plane.instance.ports.sync}`, '--snapshot', snapshot, '--join-token-file', tokenFile],
        ...NEVER_LOOK,
      ],
    });
  return { plane, snapshot, tokenFile, startGateway };
}

async function put(plane: RestartableInstance, resource: string, body: object): Promise<void> {
  const answer = await plane.instance.admin('PUT', `/apisix/admin/${resource}`, body);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
}

async function makeToken(plane: RestartableInstance, groupId: string): Promise<string> {
  const answer = await plane.instance.admin('POST', `/api/gateway_groups/${groupId}/instance_token`, { name: 'e2e' });
  const [, token = ''] = /"token":"(pcj1[^"]+)"/.exec(JSON.stringify(answer.body)) ?? [];
  assert.ok(token !== '', JSON.stringify(answer.body));
  return token;
}

async function controlPlaneOf(gateway: RunningInstance): Promise<unknown> {
  const answer = await fetch(`http://127.0.0.1:${gateway.ports.status}/status`);
  return Object(await answer.json()).control_plane;
}

function identityFileOf(gateway: RunningInstance): string {
  return path.join(gateway.dataFolder, 'gateway', 'identity.json');
}

test('a gateway serves its snapshot while no control plane is there, joins when one is, and fails no request', async (t) => {
  const { plane, tokenFile, startGateway } = await exportedPlane(t);
  writeFileSync(tokenFile, await makeToken(plane, 'default'), { mode: 0o600 });
  await plane.instance.killEverything();

  const gateway = await startGateway();
  assert.equal(await statusFor({ ...GUARDED, port: gateway.ports.http }), 200);
  assert.equal(await statusFor({ ...GUARDED, port: gateway.ports.http, key: 'another' }), 401);
  assert.partialDeepStrictEqual(await controlPlaneOf(gateway), { connected: false, last_contact_seconds: null });
  assert.equal(existsSync(identityFileOf(gateway)), false);
  await until(() => gateway.stderr.includes('No certificate from localhost:'), 'it is said that it could not join yet');

  const clients = new LoadClients(gateway.ports.http, '/anything');
  clients.start(2);
  t.after(() => clients.stop());
  const alone = gateway.child('gateway');
  await plane.start();
  await untilGone(alone);
  await put(plane, 'consumers/jack/credentials/after', { plugins: { 'key-auth': { key: NEW_KEY } } });
  await until(async () => (await statusFor({ ...GUARDED, port: gateway.ports.http, key: NEW_KEY })) === 200, 'it follows');
  assert.equal(await statusFor({ ...GUARDED, port: gateway.ports.http }), 200);
  await clients.stop();
  assert.deepEqual(clients.failures, []);
  assert.ok(clients.total > 0);

  assert.equal(statSync(identityFileOf(gateway)).mode & 0o777, 0o600);
  const { instanceId } = JSON.parse(readFileSync(identityFileOf(gateway), 'utf8'));
  const listed = await plane.instance.admin('GET', '/api/gateway_groups/default/instances');
  assert.match(JSON.stringify(listed.body), new RegExp(instanceId));
  assert.partialDeepStrictEqual(await controlPlaneOf(gateway), { connected: true });
  assert.equal(await gateway.stop(), 0);
});

test('a token of another group is told, nothing is kept of it, and the snapshot is served on', async (t) => {
  const { plane, tokenFile, startGateway } = await exportedPlane(t);
  const made = await plane.instance.admin('POST', '/api/gateway_groups', { name: 'other' });
  const other = String(Object(Object(made.body).value).id);
  writeFileSync(tokenFile, await makeToken(plane, other), { mode: 0o600 });

  const gateway = await startGateway();
  const alone = gateway.child('gateway');
  await until(() => gateway.stderr.includes(`is of the gateway group "${other}", and the snapshot key of "default"`), 'it is told');
  assert.equal(await statusFor({ ...GUARDED, port: gateway.ports.http }), 200);
  assert.equal(existsSync(identityFileOf(gateway)), false);
  assert.equal(gateway.child('gateway'), alone);
  assert.equal(await gateway.stop(), 0);
});
