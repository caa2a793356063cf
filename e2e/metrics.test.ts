import assert from 'node:assert/strict';
import test from 'node:test';
import { runningInstance } from '../test-support/running-instance.ts';
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
