import assert from 'node:assert/strict';
import { test } from 'node:test';
import { statusFor } from '../test-support/ask-gateway.ts';
import { startEchoUpstream } from '../test-support/echo-upstream.ts';
import { type RunningInstance, until } from '../test-support/running-instance.ts';
import { type RestartableInstance, startControlPlane, startGateway } from '../test-support/separate-planes.ts';
import { GUARDED_PATH, publishGuardedRoute } from './chaos/guarded-route.ts';

const CREDENTIAL = '/apisix/admin/consumers/jack/credentials/c1';
/** The gateway's test hooks have it find this one unservable, as that of a control plane which knows more. */
const UNSERVABLE = '/apisix/admin/services/test-cannot-be-served';

test('a revision that an instance cannot serve is named by the control plane, and the last good one goes on, over a restart too', async (t) => {
  const controlPlane = await startControlPlane(t, { token: 'a7ee-of-a-refused-revision' });
  const gateway = await startGateway(t, controlPlane, { environment: { PORTCULLIS_TEST_HOOKS: '1' } });
  const plane = controlPlane.instance;
  const ask = (key: string, path = GUARDED_PATH): ReturnType<typeof statusFor> =>
    statusFor({ port: gateway.instance.ports.http, path, key });
  await publishGuardedRoute(plane, await startEchoUpstream(t), ['jack', 'jill']);
  await put(plane, CREDENTIAL, { plugins: { 'key-auth': { key: 'key-of-jack' } } });
  await put(plane, '/apisix/admin/consumers/jill/credentials/c2', { plugins: { 'key-auth': { key: 'key-of-jill' } } });
  assert.deepEqual(await Promise.all([ask('key-of-jack'), ask('key-of-jill')]), [200, 200]);

  const refused = await plane.admin('PUT', UNSERVABLE, { name: 'unservable', upstream: { nodes: [] } });
  assert.equal(refused.status, 200, JSON.stringify(refused.body));
  const revision = Number(refused.headers['portcullis-revision']);
  assert.match(String(refused.headers['portcullis-applied']), /^0\/1; lagging=.*; refused="[^"]*service test-cannot-be-served: /);
  await until(async () => (await inventory(plane)).refused !== undefined, 'the control plane shows the refusal');
  const shown = await inventory(plane);
  assert.deepEqual([shown.status, shown.refused?.revision], ['OutOfSync', revision]);
  assert.match(String(shown.refused?.reason), /service test-cannot-be-served: .*consul/);
  assert.equal(await ask('key-of-jack'), 200);

  // What takes something away is not held up by what cannot be served.
  assert.equal((await plane.admin('DELETE', CREDENTIAL)).status, 200);
  await until(async () => (await ask('key-of-jack')) === 401, 'the revocation is in force');
  await restart(gateway);
  await until(async () => (await ask('key-of-jill')) === 200, 'the last good revision is served after the restart');
  assert.equal(await ask('key-of-jack'), 401);

  await put(plane, '/apisix/admin/routes/later', { name: 'later', paths: ['/later'], service_id: 'echo' });
  assert.equal(await ask('key-of-jill', '/later'), 404);
  assert.equal((await plane.admin('DELETE', UNSERVABLE)).status, 200);
  await until(async () => (await inventory(plane)).status === 'Healthy', 'it is current again without a restart');
  assert.equal((await inventory(plane)).refused, undefined);
  assert.deepEqual(await Promise.all([ask('key-of-jill', '/later'), ask('key-of-jack')]), [200, 401]);
});

async function put(plane: RunningInstance, path: string, body: unknown): Promise<void> {
  const { status, body: answer } = await plane.admin('PUT', path, body);
  assert.ok(status === 200 || status === 201, JSON.stringify(answer));
}

async function restart(gateway: RestartableInstance): Promise<void> {
  await gateway.instance.stop();
  await gateway.start();
}

/** The one instance, as the control plane shows it. */
async function inventory(
  plane: RunningInstance,
): Promise<{ readonly status: string; readonly refused?: { readonly revision: number; readonly reason: string } }> {
  const { body } = await plane.admin('GET', '/api/gateway_groups/default/instances');
  assert.ok(typeof body === 'object' && body !== null && 'list' in body && Array.isArray(body.list));
  return body.list[0];
}
