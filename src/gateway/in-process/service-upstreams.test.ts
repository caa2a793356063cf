import assert from 'node:assert/strict';
import test from 'node:test';
import type { JsonObject } from '../../lib/json.ts';
import { createGateway } from './index.ts';
import { startUpstream } from './testing/echo-upstream.ts';

test('traffic-split finds the upstreams of the route’s service by their ids, on routes, consumers and in global rules', async (t) => {
  const named = (name: string) => startUpstream(t, (_request, response) => response.end(name));
  const [own, canary, other] = [await named('own'), await named('canary'), await named('other')];
  const upstream = (port: number): JsonObject => ({ nodes: [{ host: '127.0.0.1', port, weight: 1 }] });
  const split = (id: string, vars: readonly JsonObject[] = []): JsonObject => ({
    'traffic-split': { rules: [{ match: [{ vars: [...vars] }], weighted_upstreams: [{ upstream_id: id }] }] },
  });
  const gateway = createGateway({
    services: { s: { name: 's', upstream: upstream(own) }, t: { name: 't', upstream: upstream(own) } },
    upstreams: { s: { canary: upstream(canary) }, t: { canary: upstream(other) } },
    routes: {
      split: { name: 'split', service_id: 's', paths: ['/split'], plugins: split('canary') },
      twin: { name: 'twin', service_id: 't', paths: ['/twin'], plugins: split('canary') },
      own: { name: 'own', service_id: 's', paths: ['/own'], plugins: split('s') },
      unknown: { name: 'unknown', service_id: 's', paths: ['/unknown'], plugins: split('gone') },
      guarded: { name: 'guarded', service_id: 's', paths: ['/guarded'], plugins: { 'key-auth': {} } },
    },
    consumers: { jack: { plugins: split('canary') } },
    credentials: { jack: { c: { plugins: { 'key-auth': { key: 'the-key' } } } } },
  });
  t.after(() => gateway.close());
  const get = async (path: string): Promise<readonly [number, string]> => {
    const answer = await gateway.fetch(new Request(`http://test${path}`, { headers: { apikey: 'the-key' } }));
    return [answer.status, await answer.text()];
  };
  assert.deepEqual(await get('/split'), [200, 'canary']);
  assert.deepEqual(await get('/twin'), [200, 'other']);
  assert.deepEqual(await get('/own'), [200, 'own']);
  assert.deepEqual(await get('/guarded'), [200, 'canary']);
  assert.deepEqual(await get('/unknown'), [500, 'failed to fetch upstream info by upstream id: gone']);
});
