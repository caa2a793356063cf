import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ByteStream } from '../testing/byte-stream.ts';
import { readMessage } from '../testing/message-reader.ts';
import { startProxy, type TestProxy } from '../testing/test-engine.ts';
import { planTo } from '../testing/test-handler.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const EVIL = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil';
const POST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n';

/** Sends a request and gives the client and the upstream's connection with the request taken off it. */
async function exchange(proxy: TestProxy, request = GET): Promise<{ readonly client: ByteStream; readonly upstream: ByteStream }> {
  const client = await proxy.client();
  client.send(request);
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  return { client, upstream };
}

describe('a second answer, in a packet of its own while another client waits already, meets nobody', () => {
  const heads: readonly (readonly [string, string, string])[] = [
    ['behind HEAD', 'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 42\r\n\r\n'],
    ['behind 204', GET, 'HTTP/1.1 204 No Content\r\n\r\n'],
    ['behind 304', GET, 'HTTP/1.1 304 Not Modified\r\n\r\n'],
    ['behind a body of known length', GET, OK],
    ['behind a body in chunks', GET, 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n'],
    ['behind the answer to a POST', POST, OK],
  ];
  for (const [name, request, answer] of heads) {
    test(name, async (t) => {
      const proxy = await startProxy(t);
      const { client, upstream } = await exchange(proxy, request);
      const other = await proxy.client();
      const { handler } = proxy;
      const finished = handler.onFinished.bind(handler);
      let waiting: Parameters<typeof handler.decide>[0] | undefined;
      handler.onFinished = (ended) => {
        finished(ended);
        if (handler.finished.length > 1) return;
        upstream.send(EVIL);
        waiting?.forward(planTo(proxy.target));
      };
      handler.decide = (asked) => {
        waiting = asked;
      };
      other.send(POST);
      while (waiting === undefined) await new Promise(setImmediate);
      upstream.send(answer);
      await readMessage(client, { withoutBody: !answer.includes('ok') });
      const next = await proxy.upstream.connection();
      await next.takeThrough('\r\n\r\n');
      next.send(OK);
      assert.equal((await readMessage(other)).body.toString(), 'ok');
      await upstream.takeRest();
      assert.equal(proxy.pool.openConnections, 1);
    });
  }

  test('of which the loop hears in the same breath as of the next request: what may be sent again is, the rest is a 502', async (t) => {
    for (const [request, line] of [
      [GET, 'HTTP/1.1 200 OK'],
      [POST, 'HTTP/1.1 502 Bad Gateway'],
    ] as const) {
      const proxy = await startProxy(t);
      const { client, upstream } = await exchange(proxy);
      upstream.send(OK);
      await readMessage(client);
      for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
      // Both are there when the loop looks next, the request in front.
      client.send(request);
      upstream.send(EVIL);
      const next = request === GET ? await proxy.upstream.connection() : undefined;
      await next?.takeThrough('\r\n\r\n');
      next?.send(OK);
      const answer = await readMessage(client);
      assert.equal(answer.startLine, line);
      assert.ok(!answer.body.includes('evil'));
      await upstream.takeThrough('\r\n\r\n');
      await upstream.takeRest();
      assert.equal((await proxy.handler.whenFinished(2))[1]?.reason, request === GET ? undefined : 'upstream_uninvited');
    }
  });

  test('the end of a connection that a request waits for costs it nothing, whatever its method', async (t) => {
    const proxy = await startProxy(t);
    const { client, upstream } = await exchange(proxy);
    const { handler } = proxy;
    const finished = handler.onFinished.bind(handler);
    handler.onFinished = (ended) => {
      finished(ended);
      if (handler.finished.length === 1) upstream.socket.end();
    };
    client.send(POST);
    upstream.send(OK);
    assert.equal((await readMessage(client)).body.toString(), 'ok');
    const next = await proxy.upstream.connection();
    assert.match(await next.takeThrough('\r\n\r\n'), /^POST /);
    next.send(OK);
    assert.equal((await readMessage(client)).body.toString(), 'ok');
    assert.equal((await handler.whenFinished(2))[1]?.attempts, 1);
    assert.equal(await upstream.takeRest(), '');
  });

  test('an answer that has none costs no connection', async (t) => {
    const proxy = await startProxy(t);
    const client = await proxy.client();
    for (let count = 0; count < 3; count++) {
      client.send('HEAD / HTTP/1.1\r\nHost: a\r\n\r\n');
      const upstream = proxy.upstream.connections[0] ?? (await proxy.upstream.connection());
      await upstream.takeThrough('\r\n\r\n');
      upstream.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n');
      await readMessage(client, { withoutBody: true });
      for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
    }
    assert.equal(proxy.upstream.connections.length, 1);
  });
});
