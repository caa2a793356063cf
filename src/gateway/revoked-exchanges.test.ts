import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { test } from 'node:test';
import { request } from 'undici';
import { WebSocket as WsSocket } from 'ws';
import { FakeClock } from '../../test-support/fake-clock.ts';
import type { SnapshotItem } from '../schema/index.ts';
import { createGateway } from './in-process/index.ts';
import { startUpstream } from './in-process/testing/echo-upstream.ts';
import { routeItem, serviceItem } from './testing/guide-items.ts';
import { keyDigestOf, startTestGateway } from './testing/test-gateway.ts';
import { startPipeline } from './testing/test-pipeline.ts';
import { routeChange, serviceChange, testPlugin } from './testing/test-runtime.ts';
import { startWebSocketUpstream } from './testing/web-socket-upstream.ts';

const keyItem = (id: string): SnapshotItem => ({
  kind: 'credential',
  id,
  consumer: 'jack',
  value: { name: id },
  keys: [keyDigestOf(`key-of-${id}`)],
});

async function openSocket(port: number, query: string): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws?${query}`);
  await once(socket, 'open');
  return socket;
}

async function echoes(socket: WebSocket): Promise<boolean> {
  socket.send('still there');
  await once(socket, 'message');
  return true;
}

test('a WebSocket and an answer that lasts end with their credential, and others go on whatever else changes', async (t) => {
  const upstream = await startWebSocketUpstream(t);
  const eventsPort = await startUpstream(t, (_incoming, response) => {
    response.setHeader('Content-Type', 'text/event-stream');
    response.write('data: 1\n\n');
  });
  const gateway = await startTestGateway(t);
  const events = { nodes: [{ host: '127.0.0.1', port: eventsPort, weight: 1 }] };
  await gateway.load([
    { kind: 'consumer', id: 'jack', value: { username: 'jack' }, keys: [] },
    keyItem('goes'),
    keyItem('stays'),
    serviceItem(upstream.port),
    { kind: 'service', id: 'events', value: { name: 'events', upstream: events } },
    routeItem('ws', { paths: ['/ws'], enable_websocket: true, plugins: { 'key-auth': {} } }),
    routeItem('events', { paths: ['/events'], service_id: 'events', plugins: { 'key-auth': {} } }),
  ]);
  await gateway.agent.whenReady();
  const goes = await openSocket(gateway.httpPort, 'apikey=key-of-goes');
  const stays = await openSocket(gateway.httpPort, 'apikey=key-of-stays');
  const answer = await request(`http://127.0.0.1:${gateway.httpPort}/events`, { headers: { apikey: 'key-of-goes' } });
  assert.equal(answer.statusCode, 200);
  const cut = assert.rejects(answer.body.text());
  const closed = once(goes, 'close');
  await gateway.change(
    { op: 'delete', name: { kind: 'credential', id: 'goes', parentId: 'jack' } },
    { op: 'put', item: { kind: 'consumer', id: 'jack', value: { username: 'jack', labels: { team: 'blue' } }, keys: [] } },
    { op: 'put', item: keyItem('another') },
    { op: 'put', item: routeItem('ws', { paths: ['/ws'], enable_websocket: true, priority: 3, plugins: { 'key-auth': {}, cors: {} } }) },
  );
  await Promise.all([closed, cut]);
  assert.equal(await echoes(stays), true);
  const last = once(stays, 'close');
  await gateway.change({ op: 'delete', name: { kind: 'consumer', parentId: '', id: 'jack' } });
  await last;
});

test('a WebSocket ends when the token expires by which it was opened', async (t) => {
  const upstream = await startWebSocketUpstream(t);
  const clock = new FakeClock();
  const secret = 'a text of at least thirty-two bytes';
  const gateway = createGateway(
    {
      services: { s: { name: 's', upstream: { nodes: [{ host: '127.0.0.1', port: upstream.port, weight: 1 }] } } },
      routes: { ws: { name: 'ws', service_id: 's', paths: ['/ws'], enable_websocket: true, plugins: { 'jwt-auth': {} } } },
      consumers: { jack: {} },
      credentials: { jack: { c: { plugins: { 'jwt-auth': { key: 'jack', secret } } } } },
    },
    { clock },
  );
  t.after(() => gateway.close());
  const port = await gateway.port();
  const token = (lastsS: number): string => {
    const parts = [
      { alg: 'HS256', typ: 'JWT' },
      { key: 'jack', exp: clock.nowMs() / 1000 + lastsS },
    ];
    const text = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
  };
  const short = await openSocket(port, `jwt=${token(20)}`);
  const long = await openSocket(port, `jwt=${token(60)}`);
  clock.advance(19_000);
  assert.equal(await echoes(short), true);
  const closed = once(short, 'close');
  clock.advance(4_000);
  await closed;
  assert.equal(await echoes(long), true);
});

test('where the instance says so, what is under way outlives its credential', async () => {
  const guard = testPlugin('guard', 1, {
    rewrite: (request) => {
      const consumer = request.findConsumerByKey('key-auth', 'right');
      if (consumer !== undefined) request.attachConsumer(consumer);
      return undefined;
    },
  });
  const route = routeChange('a', ['/a'], { plugins: { guard: {} } });
  const { pipeline, ask, inForce } = await startPipeline([serviceChange(), route], [guard]);
  const exchange = ask('GET /a');
  assert.notEqual(exchange.plan, undefined);
  assert.equal(pipeline.objection(exchange), undefined);
  inForce.isCurrent = false;
  assert.equal(pipeline.objection(exchange), 'credential_revoked');
  inForce.keepsRevoked = true;
  assert.equal(pipeline.objection(exchange), undefined);
});

test('a whole snapshot, in another order and among others, ends nothing that is in it still, however its client was recognised', async (t) => {
  const upstream = await startWebSocketUpstream(t);
  const gateway = await startTestGateway(t);
  const consumer = (id: string, keys: readonly ReturnType<typeof keyDigestOf>[]): SnapshotItem => ({
    kind: 'consumer',
    id,
    value: { username: id },
    keys,
  });
  const login = { plugin: 'basic-auth', digest: keyDigestOf('jack').digest, data: { password_digest: keyDigestOf('word').digest } };
  const rotated = (...names: readonly string[]): SnapshotItem => ({
    kind: 'credential',
    id: 'rotated',
    consumer: 'jack',
    value: { name: 'rotated' },
    keys: names.map((name) => keyDigestOf(`key-of-${name}`)),
  });
  const either = { 'multi-auth': { auth_plugins: [{ 'basic-auth': {} }, { 'key-auth': {} }] } };
  const anonymous = { 'key-auth': { anonymous_consumer: 'nobody' } };
  const items: SnapshotItem[] = [
    consumer('jack', []),
    consumer('jill', [keyDigestOf('key-of-jill')]),
    consumer('nobody', []),
    { kind: 'credential', id: 'login', consumer: 'jack', value: { name: 'login' }, keys: [login] },
    rotated('old'),
    serviceItem(upstream.port),
    routeItem('ws', { paths: ['/ws'], enable_websocket: true, plugins: either }),
    routeItem('anonymous', { paths: ['/anonymous'], enable_websocket: true, plugins: anonymous }),
  ];
  const others = Array.from({ length: 300 }, (_, index) => consumer(`other-${index}`, [keyDigestOf(`key-of-other-${index}`)]));
  await gateway.load([...items, keyItem('first'), keyItem('second')]);
  await gateway.agent.whenReady();
  const open = async (path: string, key?: string, headers = {}): Promise<WsSocket> => {
    const socket = new WsSocket(`ws://127.0.0.1:${gateway.httpPort}${path}`, {
      headers: { ...(key && { apikey: `key-of-${key}` }), ...headers },
    });
    await once(socket, 'open');
    return socket;
  };
  const basic = { authorization: `Basic ${Buffer.from('jack:word').toString('base64')}` };
  const staying = [await open('/ws', 'jill'), await open('/ws', 'old'), await open('/ws', undefined, basic), await open('/anonymous')];
  const going = { first: await open('/ws', 'first'), second: await open('/ws', 'second') };
  const stayOpen = async (): Promise<void> => {
    for (const socket of staying) {
      socket.send('still there');
      await once(socket, 'message');
    }
  };
  // Each time all are looked at before the next one has ended that is not in it.
  const firstEnds = once(going.first, 'close');
  await gateway.load([...others, ...items.toReversed(), keyItem('second')]);
  await firstEnds;
  await gateway.change({ op: 'put', item: rotated('old', 'new') });
  const secondEnds = once(going.second, 'close');
  await gateway.load([...items.filter((item) => item.id !== 'rotated'), rotated('new', 'old')]);
  await secondEnds;
  await stayOpen();
  const all = staying.map((socket) => once(socket, 'close'));
  await gateway.load([serviceItem(upstream.port)]);
  await Promise.all(all);
});
