import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../test-support/running-instance.ts';
import { startTestGateway } from './testing/test-gateway.ts';

test('a configuration that is too old is not served: 503 with its reason, and the instance is not ready', async (t) => {
  const gateway = await startTestGateway(t, { ageLimit: { maxAgeMs: 1, whenTooOld: 'refuse' } });
  await gateway.load([]);
  await gateway.agent.whenReady();
  const ask = async (port: number, path: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`);
    return { status: answer.status, body: await answer.text() };
  };
  await until(async () => (await ask(gateway.httpPort, '/')).status === 503, 'requests are refused');
  assert.deepEqual(await ask(gateway.httpPort, '/'), {
    status: 503,
    body: '{"error_msg":"the configuration of the gateway is too old"}\n',
  });
  const ready = await ask(gateway.statusPort, '/status/ready');
  assert.equal(ready.status, 503);
  assert.partialDeepStrictEqual(JSON.parse(ready.body), { error: 'the configuration is too old', control_plane: { too_old: true } });
  assert.equal((await ask(gateway.statusPort, '/status')).status, 200);
  const metrics = await ask(gateway.metricsPort, '/apisix/prometheus/metrics');
  assert.match(metrics.body, /^portcullis_configuration_too_old 1$/m);
  assert.match(metrics.body, /^portcullis_control_plane_connected 1$/m);
  assert.match(metrics.body, /^portcullis_configuration_age_seconds \d/m);
});
