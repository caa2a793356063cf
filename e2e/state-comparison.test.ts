import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import test from 'node:test';
import Database from 'better-sqlite3';
import { statusFor } from '../test-support/ask-gateway.ts';
import { startEchoUpstream } from '../test-support/echo-upstream.ts';
import { until } from '../test-support/running-instance.ts';
import { startControlPlane, startGateway } from '../test-support/separate-planes.ts';
import { GUARDED_PATH, publishGuardedRoute } from './chaos/guarded-route.ts';

test('a gateway that holds what its control plane does not finds it, says so, and is put right without failing a request', async (t) => {
  const upstream = await startEchoUpstream(t);
  const controlPlane = await startControlPlane(t, { token: randomBytes(24).toString('hex'), flags: ['--compare-interval=1'] });
  const gateway = await startGateway(t, controlPlane);
  await publishGuardedRoute(controlPlane.instance, upstream, ['jack']);
  for (const key of ['stays', 'goes']) {
    const body = { plugins: { 'key-auth': { key: `a-key-that-${key}` } } };
    const answer = await controlPlane.instance.admin('PUT', `/apisix/admin/consumers/jack/credentials/${key}`, body);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
  }
  const ask = (key: string): Promise<number | string> =>
    statusFor({ port: gateway.instance.ports.http, path: GUARDED_PATH, key: `a-key-that-${key}` });
  assert.deepEqual([await ask('stays'), await ask('goes')], [200, 200]);

  // As if the change that took the key away had been lost: no revision tells of it.
  await controlPlane.instance.stop();
  const database = new Database(path.join(controlPlane.dataFolder, 'store.sqlite'));
  const gone = database
    .prepare(`DELETE FROM unique_values WHERE resource_row = (SELECT row FROM resources WHERE kind = 'credential' AND id = 'goes')`)
    .run();
  database.close();
  assert.equal(gone.changes, 1);
  assert.equal(await ask('goes'), 200);
  await controlPlane.start();

  const answers = new Set<number | string>();
  await until(async () => {
    answers.add(await ask('stays'));
    return (await ask('goes')) === 401;
  }, 'the key is not accepted any more');
  assert.deepEqual([...answers], [200]);
  await until(async () => {
    const { body } = await controlPlane.instance.admin('GET', '/api/gateway_groups/default/instances');
    const [instance] = (
      body as { readonly list: readonly { readonly status: string; readonly compared?: { readonly difference?: string } }[] }
    ).list;
    return instance?.status === 'Healthy' && instance.compared !== undefined && instance.compared.difference === undefined;
  }, 'the instance is whole again');
  const metrics = await (await fetch(`http://127.0.0.1:${gateway.instance.ports.metrics}/apisix/prometheus/metrics`)).text();
  assert.match(metrics, /^portcullis_configuration_in_sync 1$/m);
  assert.match(metrics, /^portcullis_configuration_differences_total [1-9]\d*$/m);
});
