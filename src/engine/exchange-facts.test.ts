import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readMessage } from './testing/message-reader.ts';
import { startEngine, startProxy } from './testing/test-engine.ts';
import { answerOf } from './testing/test-handler.ts';

test('an exchange knows how many requests came before it on its connection', async (t) => {
  const engine = await startEngine(t, (exchange) => exchange.respond(answerOf(200, String(exchange.connectionRequests))));
  for (let round = 0; round < 2; round++) {
    const client = await engine.client();
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(3));
    for (const before of ['0', '1', '2']) assert.equal((await readMessage(client)).body.toString(), before);
  }
  assert.deepEqual(
    (await engine.handler.whenFinished(6)).map(({ connectionRequests }) => connectionRequests),
    [0, 1, 2, 0, 1, 2],
  );
});

test('the bytes of an answer are told apart from those of its head', async (t) => {
  const engine = await startEngine(t, (exchange) => exchange.respond(answerOf(exchange.connectionRequests === 2 ? 304 : 200, 'four')));
  const client = await engine.client();
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\nHEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\nnonsense\r\n\r\n');
  await client.takeRest();
  assert.deepEqual(
    (await engine.handler.whenFinished(4)).map(({ status, bodyBytesToClient }) => [status, bodyBytesToClient]),
    [
      [200, 4],
      [200, 0],
      [304, 0],
      [400, '{"error_msg":"malformed request line"}\n'.length],
    ],
  );
});

test('the body of a forwarded answer counts with the framing of its chunks, and no interim response does', async (t) => {
  const proxy = await startProxy(t);
  const client = await proxy.client();
  const bodies = [
    'Content-Length: 5\r\n\r\nhello',
    'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    'Content-Length: 100000\r\n\r\n',
  ];
  for (const rest of bodies) {
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const upstream = proxy.upstream.connections[0] ?? (await proxy.upstream.connection());
    await upstream.takeThrough('\r\n\r\n');
    upstream.send(`HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n${rest}`);
    await client.takeThrough('\r\n\r\n');
    if (rest.endsWith('\r\n\r\n') && rest.startsWith('C')) upstream.send('x'.repeat(100_000));
    await readMessage(client);
  }
  assert.deepEqual(
    (await proxy.handler.whenFinished(3)).map(({ bodyBytesToClient }) => bodyBytesToClient),
    [5, '5\r\nhello\r\n0\r\n\r\n'.length, 100_000],
  );
});

test('nothing sent is no body', async (t) => {
  const proxy = await startProxy(t);
  const client = await proxy.client();
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  client.socket.resetAndDestroy();
  const [finished] = await proxy.handler.whenFinished(1);
  assert.deepEqual([finished?.status, finished?.bytesToClient, finished?.bodyBytesToClient], [0, 0, 0]);
});
