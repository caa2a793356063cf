import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, test } from 'node:test';
import { Agent, fetch, WebSocket } from 'undici';
import { TestAuthority } from '../../test-support/test-authority.ts';
import { routeItem, serviceItem } from './testing/guide-items.ts';
import { startTestGateway } from './testing/test-gateway.ts';
import { startTestUpstream } from './testing/test-upstream.ts';
import { startWebSocketUpstream } from './testing/web-socket-upstream.ts';

const authority = await TestAuthority.create();
const gateway = await startTestGateway({ after });
const agent = new Agent({ connect: { ca: authority.cert, servername: 'a.example' } });
after(() => agent.close());

test('undici asks a hundred times at once over TLS, and gets its own answers', async (t) => {
  const upstream = await startTestUpstream(t);
  const pair = await authority.issue({ names: ['a.example'] });
  await gateway.load([
    serviceItem(upstream.port),
    routeItem('all', { paths: ['/*'] }),
    { kind: 'ssl', id: 'a', value: { snis: ['a.example'], ...pair } },
  ]);
  await gateway.agent.whenReady();
  const ask = async (index: number): Promise<void> => {
    const body = String(index).repeat(5000);
    const answer = await fetch(`https://127.0.0.1:${gateway.httpsPort}/${index}`, { method: 'POST', body, dispatcher: agent });
    assert.equal(answer.status, 200);
    assert.equal(await answer.text(), 'upstream');
    assert.equal(upstream.requests.find(({ target }) => target === `/${index}`)?.body, body);
  };
  await Promise.all(Array.from({ length: 100 }, (_, index) => ask(index)));
  assert.equal(upstream.requests[0]?.headers['x-forwarded-proto'], 'https');
});

test('a WebSocket client talks over TLS with an upstream that speaks TLS', async (t) => {
  const pair = await authority.issue({ names: ['a.example'] });
  const upstream = await startWebSocketUpstream(t, pair);
  const nodes = [{ host: '127.0.0.1', port: upstream.port, weight: 1 }];
  await gateway.load([
    { kind: 'ca_certificate', id: 'ca', value: { cert: authority.cert } },
    serviceItem(0, {
      enable_websocket: true,
      upstream: { scheme: 'https', nodes, tls_verify: true, ca_certificates: ['ca'], pass_host: 'rewrite', upstream_host: 'a.example' },
    }),
    routeItem('all', { paths: ['/*'] }),
    { kind: 'ssl', id: 'a', value: { snis: ['a.example'], ...pair } },
  ]);
  await gateway.agent.whenReady();
  const socket = new WebSocket(`wss://127.0.0.1:${gateway.httpsPort}/ws`, { dispatcher: agent });
  await once(socket, 'open');
  for (const text of ['hello', 'a'.repeat(100)]) {
    socket.send(text);
    const [event] = await once(socket, 'message');
    assert.equal(Reflect.get(Object(event), 'data'), text);
  }
  socket.close(1000, 'done');
  const [closed] = await once(socket, 'close');
  assert.equal(Reflect.get(Object(closed), 'code'), 1000);
  assert.equal(upstream.upgrades.length, 1);
});
