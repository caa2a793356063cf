import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readMessage } from '../testing/message-reader.ts';
import { turns } from '../testing/stamped-body.ts';
import { startProxy, type TestProxy } from '../testing/test-engine.ts';
import { answerOf, planTo } from '../testing/test-handler.ts';

type Cleanup = Parameters<typeof startProxy>[0];

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const NEXT = 'GET /next HTTP/1.1\r\nHost: a\r\n\r\n';

/** Forwards with this body; `reads`: the client's is read before. */
async function startReplacing(t: Cleanup, body: Buffer, reads = false): Promise<TestProxy> {
  const proxy = await startProxy(t);
  proxy.handler.decide = (exchange) => {
    const { head } = exchange;
    if (head?.bytes.toString('latin1', head.targetStart, head.targetEnd) === '/next') exchange.respond(answerOf(200, 'next'));
    else if (reads) void exchange.readBody(1000).then(() => exchange.forward(planTo(proxy.target, { body })));
    else exchange.forward(planTo(proxy.target, { body }));
  };
  return proxy;
}

describe('a new body goes with a length of its own, whatever the client sends', () => {
  const requests: readonly (readonly [string, string])[] = [
    ['none', '\r\n'],
    ['a length', 'Content-Length: 7\r\n\r\nclient!'],
    ['chunks', 'Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n7\r\nclient!\r\n0\r\nX-Sum: 1\r\n\r\n'],
  ];
  for (const [name, rest] of requests) {
    for (const reads of [true, false]) {
      for (const body of ['', 'new body', 'n'.repeat(100_000)]) {
        test(`${name}, ${reads ? 'read' : 'not read'}, ${body.length} bytes`, async (t) => {
          const proxy = await startReplacing(t, Buffer.from(body), reads);
          const client = await proxy.client();
          client.send(`POST / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\n${rest}${NEXT}`);
          const upstream = await proxy.upstream.connection();
          const head = `POST / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nContent-Length: ${body.length}\r\n\r\n`;
          assert.equal((await upstream.takeBytes(head.length + body.length)).toString(), head + body);
          upstream.send(OK);
          assert.equal((await readMessage(client)).body.toString(), 'ok');
          assert.equal((await readMessage(client)).body.toString(), 'next');
          assert.equal(upstream.received.length, 0);
          // The upstream has had the whole request, so its connection serves on.
          await turns(4);
          client.send(`POST / HTTP/1.1\r\nHost: a\r\n${rest}`);
          await upstream.takeThrough('\r\n\r\n');
          assert.equal(proxy.upstream.connections.length, 1);
        });
      }
    }
  }
});

test('what the client has not sent of its own body is thrown away behind the answer', async (t) => {
  const proxy = await startReplacing(t, Buffer.from('new'));
  const client = await proxy.client();
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhe');
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('new');
  upstream.send(OK);
  const answer = await readMessage(client);
  assert.equal(answer.header('connection'), undefined);
  client.send(`llo worl${NEXT}`);
  assert.equal((await readMessage(client)).body.toString(), 'next');
});

test('a client is not blamed for a body that nobody waits for', async (t) => {
  const proxy = await startReplacing(t, Buffer.from('new'));
  const client = await proxy.client();
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhe');
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('new');
  proxy.clock.advance(59_000);
  upstream.send('HTTP/1.1 103 Early Hints\r\n\r\n');
  await client.takeThrough('\r\n\r\n');
  proxy.clock.advance(59_000);
  upstream.send(OK);
  assert.equal((await readMessage(client)).body.toString(), 'ok');
});

test('a rest that is too large, or that may never come, closes the connection behind the answer', async (t) => {
  for (const framing of ['Content-Length: 100000\r\n\r\n', 'Content-Length: 5\r\nExpect: 100-continue\r\n\r\n']) {
    const proxy = await startReplacing(t, Buffer.from('new'));
    const client = await proxy.client();
    client.send(`POST / HTTP/1.1\r\nHost: a\r\n${framing}`);
    const upstream = await proxy.upstream.connection();
    await upstream.takeThrough('new');
    upstream.send(OK);
    const answer = await readMessage(client);
    assert.equal(answer.startLine, 'HTTP/1.1 200 OK');
    assert.equal(answer.header('connection'), 'close');
    assert.equal(await client.takeRest(), '');
  }
});

test('a request of another method than usual with a new body costs the upstream its connection', async (t) => {
  const proxy = await startReplacing(t, Buffer.from('new'));
  const client = await proxy.client();
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const upstream = await proxy.upstream.connection();
  assert.equal(await upstream.takeThrough('new'), 'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nnew');
  upstream.send(OK);
  assert.equal((await readMessage(client)).body.toString(), 'ok');
  await upstream.takeRest();
});
