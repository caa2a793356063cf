import assert from 'node:assert/strict';
import test from 'node:test';
import { sampleValue } from '../test-support/parse-exposition.ts';
import { runningInstance, until } from '../test-support/running-instance.ts';
import { temporaryFolder } from '../test-support/temporary-folder.ts';

test('the metrics of the gateway can be scraped on their own port, and no upstream may point there', async (t) => {
  const instance = await runningInstance(t, { dataFolder: await temporaryFolder(t) });
  const answer = await fetch(`http://127.0.0.1:${instance.ports.metrics}/apisix/prometheus/metrics`);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  assert.match(await answer.text(), /^apisix_etcd_reachable 1$/m);
  assert.equal((await fetch(`http://127.0.0.1:${instance.ports.metrics}/`)).status, 404);

  const nodes = [{ host: '127.0.0.1', port: instance.ports.metrics, weight: 1 }];
  const service = await instance.admin('PUT', '/apisix/admin/services/loop', { name: 'loop', upstream: { type: 'roundrobin', nodes } });
  assert.equal(service.status, 200);
  const route = await instance.admin('PUT', '/apisix/admin/routes/loop', { name: 'loop', paths: ['/*'], service_id: 'loop' });
  assert.equal(route.status, 200);
  assert.equal((await fetch(`http://127.0.0.1:${instance.ports.http}/apisix/prometheus/metrics`)).status, 503);
});

test('the metrics of the control plane have a port of their own, and tell of groups, gateways, writes and certificates', async (t) => {
  const instance = await runningInstance(t, { dataFolder: await temporaryFolder(t) });
  const port = instance.ports.controlPlaneMetrics;
  assert.ok(port !== undefined);
  const service = { name: 'own', upstream: { type: 'roundrobin', nodes: [{ host: '127.0.0.1', port, weight: 1 }] } };
  assert.equal((await instance.admin('PUT', '/apisix/admin/services/own', service)).status, 200);
  const route = { name: 'own', paths: ['/metrics'], service_id: 'own' };
  assert.equal((await instance.admin('PUT', '/apisix/admin/routes/own', route)).status, 200);
  assert.equal((await fetch(`http://127.0.0.1:${instance.ports.http}/metrics`)).status, 503);

  const value = async (name: string, labels: Readonly<Record<string, string>> = {}): Promise<number | undefined> =>
    sampleValue(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text(), `portcullis_${name}`, labels);
  await until(async () => (await value('instances', { group: 'default', status: 'Healthy' })) === 1, 'the gateway is counted', 25_000);
  assert.equal(await value('admin_requests_total', { method: 'PUT', code: '200' }), 2);
  assert.equal(await value('acknowledgement_seconds_count'), 2);
  assert.equal(await value('store_reachable'), 1);
  assert.equal(await value('audit_chain_end_known'), 1);
  for (const use of ['admin', 'sync', 'authority']) {
    const endsAt = await value('certificate_expiry_seconds', { use });
    assert.ok(endsAt !== undefined && endsAt > Date.now() / 1000, use);
  }
  assert.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 404);
});
