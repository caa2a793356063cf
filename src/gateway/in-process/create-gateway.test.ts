import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import test, { type TestContext } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { createGateway } from './index.ts';

/** An upstream that answers with what it was asked. */
async function startEcho(t: TestContext): Promise<number> {
  const server = createServer((request, response) => {
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify({ url: request.url, headers: request.headers }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const definition = (port: number) => ({
  services: { s: { name: 's', upstream: { nodes: [{ host: '127.0.0.1', port, weight: 1 }] } } },
  routes: { r: { name: 'r', service_id: 's', paths: ['/api/*'], plugins: { 'key-auth': {} } } },
  consumers: { jack: {} },
  credentials: { jack: { k1: { plugins: { 'key-auth': { key: 'a-key' } } } } },
});

test('a configuration is served as a gateway serves it', async (t) => {
  const gateway = createGateway(definition(await startEcho(t)));
  t.after(() => gateway.close());
  assert.equal((await gateway.fetch(new Request('http://api.example/api/x'))).status, 401);
  assert.equal((await gateway.fetch(new Request('http://api.example/other'))).status, 404);
  const answer = await gateway.fetch(new Request('http://api.example/api/x?a=1', { headers: { apikey: 'a-key' } }));
  assert.equal(answer.status, 200);
  const seen = JSON.parse(await answer.text());
  assert.deepEqual([seen.url, seen.headers.host, seen.headers['x-consumer-username']], ['/api/x?a=1', 'api.example', 'jack']);
});

test('a configuration that the Admin API would refuse is refused with its faults', () => {
  const { routes } = definition(1);
  assert.throws(
    () => createGateway({ routes: { r: { ...routes.r, plugins: { 'key-auth': { realm: '' } } } } }),
    /route r: .*\/plugins\/key-auth\/realm/,
  );
  assert.throws(() => createGateway({ services: { s: { upstream: {} } } }), /service s: /);
});

test('time is the caller’s', async (t) => {
  const clock = new FakeClock();
  const gateway = createGateway(definition(await startEcho(t)), { clock });
  t.after(() => gateway.close());
  const answer = await gateway.fetch(new Request('http://api.example/api/x'));
  assert.equal(answer.headers.get('date'), new Date(clock.nowMs()).toUTCString());
});
