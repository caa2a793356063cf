import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Exchange } from '../exchange.ts';
import { readMessage } from '../testing/message-reader.ts';
import { turns } from '../testing/stamped-body.ts';
import { startProxy, type TestProxy } from '../testing/test-engine.ts';
import { answerOf, planTo } from '../testing/test-handler.ts';

type Cleanup = Parameters<typeof startProxy>[0];

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const NEXT = 'GET /next HTTP/1.1\r\nHost: a\r\n\r\n';

function isNext({ head }: Exchange): boolean {
  return head?.bytes.toString('latin1', head.targetStart, head.targetEnd) === '/next';
}

/** Forwards once the body has been read. */
async function startReading(t: Cleanup, maxBytes = 1000, changes: Parameters<typeof planTo>[1] = {}): Promise<TestProxy> {
  const proxy = await startProxy(t);
  proxy.handler.decide = (exchange) => {
    if (isNext(exchange)) exchange.respond(answerOf(200, 'next'));
    else void exchange.readBody(maxBytes).then(() => exchange.forward(planTo(proxy.target, changes)));
  };
  return proxy;
}

test('a request of whose body only the start was collected goes on as the client framed it, byte for byte', async (t) => {
  const proxy = await startProxy(t);
  proxy.handler.decide = (exchange) => {
    if (isNext(exchange)) exchange.respond(answerOf(200, 'next'));
    else void exchange.readBodyStart(20_000).then(() => exchange.forward(planTo(proxy.target)));
  };
  const body = Buffer.alloc(300_000, 'abcdefghijklmnopqrstuvwxyz');
  let upstream: Awaited<ReturnType<typeof proxy.upstream.connection>> | undefined;
  for (const chunked of [false, true]) {
    const client = await proxy.client();
    const head = chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`;
    client.send(`POST /x HTTP/1.1\r\nHost: a\r\n${head}\r\n\r\n`);
    for (let start = 0; start < body.length; start += 30_000) {
      const piece = body.toString('latin1', start, start + 30_000);
      client.send(chunked ? `${piece.length.toString(16)}\r\n${piece}\r\n` : piece);
      await turns(2);
    }
    client.send(`${chunked ? '0\r\n\r\n' : ''}${NEXT}`);
    // The second request comes on the connection of the first.
    upstream ??= await proxy.upstream.connection();
    const received = await readMessage(upstream);
    assert.equal(received.body.equals(body), true, head);
    upstream.send(OK);
    assert.equal((await readMessage(client)).body.toString(), 'ok');
    assert.equal((await readMessage(client)).body.toString(), 'next');
    client.socket.destroy();
  }
});

const BODIES: readonly (readonly [string, string])[] = [
  ['with a length', 'Content-Length: 11\r\n\r\nhello world'],
  ['in chunks', 'Transfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n'],
];

describe('what was collected is forwarded with its length', () => {
  for (const [name, rest] of BODIES) {
    test(`originally ${name}`, async (t) => {
      const proxy = await startReading(t);
      const client = await proxy.client();
      client.send(`POST /x HTTP/1.1\r\nHost: a\r\nX-A: 1\r\n${rest}${NEXT}`);
      const upstream = await proxy.upstream.connection();
      const expected = 'POST /x HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nContent-Length: 11\r\n\r\nhello world';
      assert.equal(await upstream.takeThrough('world'), expected);
      upstream.send(OK);
      assert.equal((await readMessage(client)).body.toString(), 'ok');
      assert.equal((await readMessage(client)).body.toString(), 'next');
      assert.equal(upstream.received.length, 0);
    });
  }

  test('none where there was none', async (t) => {
    const proxy = await startReading(t);
    const client = await proxy.client();
    client.send('GET /x HTTP/1.1\r\nHost: a\r\n\r\n');
    const upstream = await proxy.upstream.connection();
    assert.equal(await upstream.takeThrough('\r\n\r\n'), 'GET /x HTTP/1.1\r\nHost: a\r\n\r\n');
    upstream.send(OK);
    assert.equal((await readMessage(client)).body.toString(), 'ok');
  });

  test('a large one too, to an upstream that reads slowly', async (t) => {
    const length = 2 * 1024 * 1024;
    const proxy = await startReading(t, length);
    const client = await proxy.client();
    const head = `POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`;
    client.send(head);
    client.send(Buffer.alloc(length, 'x'));
    const upstream = await proxy.upstream.connection();
    upstream.socket.pause();
    await turns(20);
    upstream.socket.resume();
    await upstream.takeThrough('\r\n\r\n');
    assert.ok((await upstream.takeBytes(length)).equals(Buffer.alloc(length, 'x')));
    upstream.send(OK);
    assert.equal((await readMessage(client)).body.toString(), 'ok');
    assert.equal((await proxy.handler.whenFinished(1))[0]?.bytesFromClient, head.length + length);
  });

  test('and again, where a kept connection had been closed', async (t) => {
    for (const length of [11, 100_000]) {
      const proxy = await startReading(t, length);
      const client = await proxy.client();
      const body = 'y'.repeat(length);
      client.send('PUT /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx');
      const stale = await proxy.upstream.connection();
      await stale.takeThrough('x');
      stale.send(OK);
      await readMessage(client);
      await turns(3);
      client.send(`PUT /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${length.toString(16)}\r\n${body}\r\n0\r\n\r\n`);
      await stale.takeThrough('PUT /2');
      stale.socket.destroy();
      const upstream = await proxy.upstream.connection();
      await upstream.takeThrough(`Content-Length: ${length}\r\n\r\n`);
      assert.equal((await upstream.takeBytes(length)).toString(), body);
      upstream.send(OK);
      assert.equal((await readMessage(client)).body.toString(), 'ok');
    }
  });
});

describe('a body that was read in part goes on as it was sent', () => {
  test('in chunks, when it was too large to be collected', async (t) => {
    const proxy = await startReading(t, 3);
    const client = await proxy.client();
    client.send('POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n');
    await turns(3);
    client.send('3\r\nllo\r\n');
    const upstream = await proxy.upstream.connection();
    assert.equal(
      await upstream.takeThrough('hello\r\n'),
      'POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n',
    );
    client.send('1\r\n!\r\n0\r\nX-Sum: 1\r\n\r\n');
    assert.equal(await upstream.takeThrough('\r\n\r\n'), '1\r\n!\r\n0\r\nX-Sum: 1\r\n\r\n');
    upstream.send(OK);
    assert.equal((await readMessage(client)).body.toString(), 'ok');
  });

  test('when its length is too large', async (t) => {
    const proxy = await startReading(t, 3);
    const client = await proxy.client();
    client.send('POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n');
    assert.equal(await client.takeThrough('\r\n\r\n'), 'HTTP/1.1 100 Continue\r\n\r\n');
    client.send('hello');
    const upstream = await proxy.upstream.connection();
    assert.equal(await upstream.takeThrough('hello'), 'POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello');
    upstream.send(OK);
    assert.equal((await readMessage(client)).body.toString(), 'ok');
  });

  test('when the handler did not wait for all of it', async (t) => {
    for (const framing of ['length', 'chunked']) {
      const proxy = await startProxy(t);
      let forward = (): void => assert.fail('no request');
      let rejection = '';
      proxy.handler.decide = (exchange) => {
        exchange.readBody(100).catch((error: unknown) => {
          rejection = String(error);
        });
        forward = () => exchange.forward(planTo(proxy.target));
      };
      const client = await proxy.client();
      const head = framing === 'length' ? 'Content-Length: 10' : 'Transfer-Encoding: chunked';
      client.send(`POST /x HTTP/1.1\r\nHost: a\r\n${head}\r\n\r\n${framing === 'length' ? 'hello' : '5\r\nhello\r\n'}`);
      while (proxy.server.exchangesInFlight === 0) await turns(1);
      await turns(3);
      forward();
      const upstream = await proxy.upstream.connection();
      await upstream.takeThrough('hello');
      client.send(framing === 'length' ? 'world' : '5\r\nworld\r\n0\r\n\r\n');
      await upstream.takeThrough('world');
      upstream.send(OK);
      assert.equal((await readMessage(client)).body.toString(), 'ok');
      assert.match(rejection, /decided before the body/);
    }
  });
});
