import assert from 'node:assert/strict';
import test from 'node:test';
import { httpAnswer, startMockUpstream } from '../test-support/mock-upstream.ts';
import { runningInstance, until } from '../test-support/running-instance.ts';
import { temporaryFolder } from '../test-support/temporary-folder.ts';

/** The example of docs/upstreams.md, as far as machines of one's own allow. */
const UPSTREAM = {
  type: 'chash',
  hash_on: 'header',
  key: 'X-User',
  retries: 1,
  retry_timeout: 5,
  timeout: { connect: 2, send: 10, read: 10 },
  checks: {
    active: { http_path: '/up', healthy: { interval: 1, successes: 1 }, unhealthy: { interval: 1, http_failures: 1 } },
    passive: { unhealthy: { http_failures: 5 } },
  },
};

test('a node that falls ill gets no requests, and the gateway, its metrics and the Admin API say so', async (t) => {
  const instance = await runningInstance(t, { dataFolder: await temporaryFolder(t) });
  let isIll = false;
  const [one, other] = [
    await startMockUpstream(t, ({ target }) => httpAnswer(target === '/up' && isIll ? 503 : 200, 'one')),
    await startMockUpstream(t, () => httpAnswer(200, 'other')),
  ];
  const nodes = [one, other].map(({ port }) => ({ host: '127.0.0.1', port, weight: 1 }));
  const service = await instance.admin('PUT', '/apisix/admin/services/shop', { name: 'shop', upstream: { ...UPSTREAM, nodes } });
  assert.deepEqual([service.status, Object(service.body).warning_msg], [200, undefined]);
  assert.equal((await instance.admin('PUT', '/apisix/admin/routes/shop', { name: 'shop', paths: ['/*'], service_id: 'shop' })).status, 200);
  const ask = async (user: string): Promise<string> => {
    const answer = await fetch(`http://127.0.0.1:${instance.ports.http}/`, { headers: { 'X-User': user } });
    assert.equal(answer.status, 200);
    return answer.text();
  };
  const users = Array.from({ length: 12 }, (_, index) => `user-${index}`);
  const owners = new Map<string, string>();
  for (const user of users) owners.set(user, await ask(user));
  assert.deepEqual(new Set(owners.values()), new Set(['one', 'other']));

  const status = async (): Promise<string> => {
    const path = '/api/gateway_groups/default/services/shop/healthcheck';
    const [told] = Object((await instance.admin('GET', path)).body).value;
    return (told?.nodes ?? [])
      .map((node: { port: number; status: string }) => `${node.port} ${node.status}`)
      .sort()
      .join();
  };
  const expected = (state: string): string => [`${one.port} ${state}`, `${other.port} healthy`].sort().join();
  await until(async () => (await status()) === expected('healthy'), 'both are reported as healthy');
  isIll = true;
  await until(async () => (await status()) === expected('unhealthy'), 'one is reported as unhealthy');
  for (const user of users) assert.equal(await ask(user), 'other');
  const listed = await (await fetch(`http://127.0.0.1:${instance.ports.status}/v1/healthcheck`)).json();
  assert.partialDeepStrictEqual(listed, [{ name: '/apisix/services/shop', type: 'http' }]);
  const series = `apisix_upstream_status{name="/apisix/services/shop",ip="127.0.0.1",port="${one.port}"} 0`;
  const metrics = async (): Promise<string> => (await fetch(`http://127.0.0.1:${instance.ports.metrics}/apisix/prometheus/metrics`)).text();
  await until(async () => (await metrics()).includes(series), 'the metric tells of the node');

  isIll = false;
  await until(async () => (await status()) === expected('healthy'), 'one is healthy again');
  for (const user of users) assert.equal(await ask(user), owners.get(user));
});
