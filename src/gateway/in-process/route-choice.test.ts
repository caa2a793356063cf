import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { JsonObject } from '../../lib/json.ts';
import { respond } from '../../plugin-kit/index.ts';
import { sendRequest } from '../testing/send-request.ts';
import { createGateway } from './index.ts';
import { plugin } from './testing/serve-plugins.ts';

type Resources = Readonly<Record<string, JsonObject>>;

/** Answers with the route's id. */
const tell = plugin('tell', 1, { access: (request) => respond(200, request.route?.id ?? '') });

/** Routes that answer with their id; says which one a request takes, or the status of its refusal. */
async function serve(t: TestContext, services: Resources, routes: Resources) {
  const named = Object.entries(routes).map(([id, route]) => [id, { name: id, paths: ['/*'], plugins: { tell: {} }, ...route }]);
  const gateway = createGateway({ services, routes: Object.fromEntries(named) }, { plugins: [tell] });
  t.after(() => gateway.close());
  const port = await gateway.port();
  return async (target: string, host = 'client.example', method = 'GET'): Promise<string> => {
    const { status, body } = await sendRequest(port, { target, host, method });
    return status === 200 ? body : String(status);
  };
}

test('a route with status 0 is not served: its paths are another route’s, or nobody’s', async (t) => {
  const ask = await serve(
    t,
    { s: { name: 's' } },
    {
      off: { service_id: 's', paths: ['/off', '/shared'], priority: 9, status: 0 },
      on: { service_id: 's', paths: ['/on', '/shared'], status: 1 },
    },
  );
  assert.deepEqual(await Promise.all(['/off', '/on', '/shared'].map((target) => ask(target))), ['404', 'on', 'on']);
});

test('no route of a service with status 0 is served, whatever the route says, and other services go on', async (t) => {
  const ask = await serve(
    t,
    { off: { name: 'off', hosts: ['client.example'], status: 0 }, on: { name: 'on', status: 1 } },
    {
      'of-off': { service_id: 'off', paths: ['/off', '/shared'], priority: 9 },
      'of-off-too': { service_id: 'off', paths: ['/too'], status: 1 },
      'of-on': { service_id: 'on', paths: ['/on', '/shared'] },
    },
  );
  assert.deepEqual(await Promise.all(['/off', '/too', '/on', '/shared'].map((target) => ask(target))), ['404', '404', 'of-on', 'of-on']);
});

test('an exact host comes before the longest wildcard, that before shorter ones and no host, and priority decides only among equals', async (t) => {
  const services = {
    none: { name: 'none' },
    short: { name: 'short', hosts: ['*.example'] },
    long: { name: 'long', hosts: ['*.b.example'] },
    exact: { name: 'exact', hosts: ['a.b.example'] },
  };
  const routes = {
    none: { service_id: 'none', priority: 100 },
    'none-exact-path': { service_id: 'none', paths: ['/very/long/path'], priority: 100 },
    short: { service_id: 'short', priority: 50 },
    long: { service_id: 'long', priority: 10 },
    'long-low': { service_id: 'long', priority: 9 },
    exact: { service_id: 'exact', priority: -1, methods: ['GET', 'PUT'] },
    'exact-high': { service_id: 'exact', priority: 1, methods: ['PUT'] },
  };
  const turned = (resources: Resources): Resources => Object.fromEntries(Object.entries(resources).reverse());
  for (const ask of [await serve(t, services, routes), await serve(t, turned(services), turned(routes))]) {
    const target = '/very/long/path';
    assert.equal(await ask(target, 'a.b.example'), 'exact');
    assert.equal(await ask(target, 'A.B.example:8080'), 'exact');
    assert.equal(await ask(target, 'a.b.example', 'PUT'), 'exact-high');
    assert.equal(await ask(target, 'a.b.example', 'POST'), 'long', 'what the exact host does not take goes on to the wildcard');
    assert.equal(await ask(target, 'x.b.example'), 'long');
    assert.equal(await ask(target, 'x.y.b.example'), 'long');
    assert.equal(await ask(target, 'b.example'), 'short');
    assert.equal(await ask(target, 'other.test'), 'none-exact-path');
    assert.equal(await ask('/else', 'other.test'), 'none');
  }
});
