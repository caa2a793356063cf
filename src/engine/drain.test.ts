import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { readMessage } from './testing/message-reader.ts';
import { startEngine, startProxy } from './testing/test-engine.ts';
import { answerOf } from './testing/test-handler.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

test('a drain closes idle connections, lets requests in flight finish and says close', async (t) => {
  const proxy = await startProxy(t);
  const [idle, busy] = [await proxy.client(), await proxy.client()];
  idle.send(GET);
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  upstream.send(OK);
  await readMessage(idle);
  busy.send(GET);
  await upstream.takeThrough('\r\n\r\n');
  proxy.server.beginDrain();
  proxy.server.stopAccepting();
  assert.equal(await idle.takeRest(), '');
  upstream.send(OK);
  const answer = await readMessage(busy);
  assert.equal(answer.header('connection'), 'close');
  assert.equal(await busy.takeRest(), '');
  idle.socket.end();
  busy.socket.end();
  await proxy.server.whenIdle();
});

test('a request that arrived before the drain began is answered', async (t) => {
  const engine = await startEngine(t, (exchange) => exchange.respond(answerOf(200, 'yes')));
  const client = await engine.client();
  client.send(GET);
  await readMessage(client);
  await client.sendAll(Buffer.from(GET));
  engine.server.beginDrain();
  const answer = await readMessage(client);
  assert.equal(answer.body.toString(), 'yes');
  assert.equal(answer.header('connection'), 'close');
});

test('requests that came behind one which is being forwarded are answered before the connection closes', async (t) => {
  const proxy = await startProxy(t);
  const client = await proxy.client();
  client.send(GET.repeat(3));
  const upstream = await proxy.upstream.connection();
  for (const connection of [undefined, undefined, 'close']) {
    await upstream.takeThrough('\r\n\r\n');
    proxy.server.announceDrain();
    upstream.send(OK);
    assert.equal((await readMessage(client)).header('connection'), connection);
  }
  assert.equal(await client.takeRest(), '');
});

test('a connection that has not sent its first request gets a moment to do so', async (t) => {
  const engine = await startEngine(t, (exchange) => exchange.respond(answerOf(200, 'yes')));
  const [prompt, silent] = [await engine.client(), await engine.client()];
  while (engine.server.openConnections < 2) await new Promise(setImmediate);
  engine.server.beginDrain();
  engine.server.stopAccepting();
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
  prompt.send(GET);
  assert.equal((await readMessage(prompt)).header('connection'), 'close');
  engine.clock.advance(1500);
  assert.equal(await silent.takeRest(), '');
});

test('nothing is accepted after stopAccepting', async (t) => {
  const engine = await startEngine(t, (exchange) => exchange.respond(answerOf(200, '')));
  engine.server.stopAccepting();
  const socket = connect(engine.port, '127.0.0.1');
  const [error] = await once(socket, 'error');
  assert.equal(Reflect.get(Object(error), 'code'), 'ECONNREFUSED');
});

test('destroyAll ends requests in flight and reports them', async (t) => {
  const proxy = await startProxy(t);
  const client = await proxy.client();
  client.send(GET);
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  proxy.server.destroyAll();
  await proxy.server.whenIdle();
  await upstream.takeRest();
  assert.equal((await proxy.handler.whenFinished(1)).length, 1);
  assert.equal(proxy.server.exchangesInFlight, 0);
});

test('several listeners serve at once, and a taken port is an error', async (t) => {
  const engine = await startEngine(t, (exchange) => exchange.respond(answerOf(200, String(exchange.connection.localPort))));
  const { port } = await engine.server.listen({ host: '127.0.0.1', port: 0 });
  const socket = connect(port, '127.0.0.1');
  socket.write(GET);
  const [bytes] = await once(socket, 'data');
  assert.match(String(bytes), new RegExp(`${port}$`));
  socket.destroy();
  await assert.rejects(engine.server.listen({ host: '127.0.0.1', port }), { code: 'EADDRINUSE' });
});
