import assert from 'node:assert/strict';
import { once } from 'node:events';
import test, { after } from 'node:test';
import { guideItems, routeItem, serviceItem } from './testing/guide-items.ts';
import { startTestGateway } from './testing/test-gateway.ts';
import { startWebSocketUpstream } from './testing/web-socket-upstream.ts';

const gateway = await startTestGateway({ after });

async function open(path: string): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${gateway.httpPort}${path}`, 'chat');
  await once(socket, 'open');
  return socket;
}

test('a WebSocket client talks through a route that allows it, and the upstream learns who it is', async (context) => {
  const upstream = await startWebSocketUpstream(context);
  const upstreamItem = serviceItem(upstream.port);
  await gateway.load([
    ...guideItems(upstream.port),
    upstreamItem,
    routeItem('key-auth', { paths: ['/ws'], enable_websocket: true, plugins: { 'key-auth': {} } }),
  ]);
  await gateway.agent.whenReady();
  const refused = new WebSocket(`ws://127.0.0.1:${gateway.httpPort}/ws`);
  await once(refused, 'error');
  assert.equal(upstream.upgrades.length, 0);
  const socket = await open('/ws?apikey=secret-api-key');
  const messages: string[] = [];
  for (const text of ['hello', 'a'.repeat(100), '']) {
    socket.send(text);
    const [event] = await once(socket, 'message');
    messages.push(String(Reflect.get(Object(event), 'data')));
  }
  assert.deepEqual(messages, ['hello', 'a'.repeat(100), '']);
  socket.close(1000, 'done');
  const [closed] = await once(socket, 'close');
  assert.equal(Reflect.get(Object(closed), 'code'), 1000);
  assert.equal(upstream.upgrades[0]?.['x-consumer-username'], 'jack');
  assert.equal(upstream.upgrades[0]?.['sec-websocket-protocol'], 'chat');
});

test('what the service says holds for its routes, unless they say something else', async (context) => {
  const upstream = await startWebSocketUpstream(context);
  await gateway.load([
    serviceItem(upstream.port, { enable_websocket: true }),
    routeItem('on', { paths: ['/on'] }),
    routeItem('off', { paths: ['/off'], enable_websocket: false }),
  ]);
  await gateway.agent.whenReady();
  const socket = await open('/on');
  socket.close();
  await once(socket, 'close');
  const refused = new WebSocket(`ws://127.0.0.1:${gateway.httpPort}/off`);
  await once(refused, 'error');
  assert.equal(upstream.upgrades.length, 1);
});
