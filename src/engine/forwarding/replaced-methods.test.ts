import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readMessage } from '../testing/message-reader.ts';
import { turns } from '../testing/stamped-body.ts';
import { startProxy, type TestProxy } from '../testing/test-engine.ts';
import { bodyFilterOf } from '../testing/test-filters.ts';
import { planTo } from '../testing/test-handler.ts';

type Cleanup = Parameters<typeof startProxy>[0];

async function startReplacing(t: Cleanup, method: string, changes: Parameters<typeof planTo>[1] = {}): Promise<TestProxy> {
  const proxy = await startProxy(t);
  proxy.handler.decide = (exchange) => exchange.forward(planTo(proxy.target, { requestMethod: Buffer.from(method), ...changes }));
  return proxy;
}

test('the upstream gets the new method, and everything else as it was sent', async (t) => {
  const proxy = await startReplacing(t, 'PATCH');
  const client = await proxy.client();
  client.send('POST /x?y HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nContent-Length: 4\r\n\r\nbody');
  const upstream = await proxy.upstream.connection();
  assert.equal(await upstream.takeThrough('body'), 'PATCH /x?y HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nContent-Length: 4\r\n\r\nbody');
  upstream.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  assert.equal((await readMessage(client)).body.toString(), 'ok');
});

describe('GET that is sent on as HEAD gets an empty body, and no client waits for one', () => {
  const answers: readonly (readonly [string, string, string])[] = [
    ['a length', 'Content-Length: 50\r\n', 'Content-Length: 0\r\n'],
    ['chunks', 'Transfer-Encoding: chunked\r\n', 'Content-Length: 0\r\n'],
    ['nothing', '', 'Content-Length: 0\r\n'],
  ];
  for (const [name, told, expected] of answers) {
    test(`where the upstream tells of ${name}`, async (t) => {
      const proxy = await startReplacing(t, 'HEAD');
      const client = await proxy.client();
      for (const version of ['HTTP/1.1', 'HTTP/1.0\r\nConnection: keep-alive']) {
        client.send(`GET / ${version}\r\nHost: a\r\n\r\n`);
        const upstream = proxy.upstream.connections[0] ?? (await proxy.upstream.connection());
        assert.match(await upstream.takeThrough('\r\n\r\n'), /^HEAD /);
        upstream.send(`HTTP/1.1 200 OK\r\nDate: d\r\n${told}\r\n`);
        const keeping = version === 'HTTP/1.1' ? '' : 'Connection: keep-alive\r\n';
        const head = `HTTP/1.1 200 OK\r\nDate: d\r\nServer: Portcullis\r\n${expected}${keeping}\r\n`;
        assert.equal(await client.takeThrough('\r\n\r\n'), head);
        await turns(3);
      }
      assert.equal(client.received.length, 0);
      assert.equal(proxy.upstream.connections.length, 1);
    });
  }

  test('where a filter looks at the body', async (t) => {
    const responseFilter = bodyFilterOf(() => ({ write: () => assert.fail(), end: (push) => push(Buffer.from('made up')) }));
    const proxy = await startReplacing(t, 'HEAD', { responseFilter });
    const client = await proxy.client();
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const upstream = await proxy.upstream.connection();
    await upstream.takeThrough('\r\n\r\n');
    upstream.send('HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n');
    assert.equal((await readMessage(client)).body.toString(), 'made up');
  });

  test('where the upstream has no body for it either', async (t) => {
    const proxy = await startReplacing(t, 'HEAD');
    const client = await proxy.client();
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const upstream = await proxy.upstream.connection();
    await upstream.takeThrough('\r\n\r\n');
    upstream.send('HTTP/1.1 304 Not Modified\r\nDate: d\r\n\r\n');
    assert.equal(await client.takeThrough('\r\n\r\n'), 'HTTP/1.1 304 Not Modified\r\nDate: d\r\nServer: Portcullis\r\n\r\n');
  });
});

describe('HEAD that is sent on as GET gets the head alone', () => {
  const HEAD = 'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n';

  const bodies: readonly (readonly [string, string, string])[] = [
    ['a length', 'Content-Length: 5\r\n\r\nhello', 'Content-Length: 5\r\n'],
    ['chunks', 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n', ''],
  ];
  for (const [name, rest, told] of bodies) {
    test(`of a body with ${name}, in any pieces, over one connection to the upstream`, async (t) => {
      const proxy = await startReplacing(t, 'GET');
      const client = await proxy.client();
      const response = `HTTP/1.1 200 OK\r\nDate: d\r\n${rest}`;
      for (let cut = 1; cut <= response.length; cut++) {
        client.send(HEAD);
        const upstream = proxy.upstream.connections[0] ?? (await proxy.upstream.connection());
        assert.match(await upstream.takeThrough('\r\n\r\n'), /^GET /);
        await upstream.sendAll(Buffer.from(response.slice(0, cut)));
        await turns(2);
        await upstream.sendAll(Buffer.from(response.slice(cut)));
        assert.equal(await client.takeThrough('\r\n\r\n'), `HTTP/1.1 200 OK\r\nDate: d\r\nServer: Portcullis\r\n${told}\r\n`);
        await turns(4);
      }
      assert.equal(client.received.length, 0);
      assert.equal(proxy.upstream.connections.length, 1);
      assert.equal(proxy.handler.finished[0]?.bodyBytesToClient, 0);
    });
  }

  test('and the next request is served while the body is still coming', async (t) => {
    const proxy = await startReplacing(t, 'GET');
    const client = await proxy.client();
    client.send(`${HEAD}${HEAD}`);
    const upstream = await proxy.upstream.connection();
    await upstream.takeThrough('\r\n\r\n');
    upstream.send('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegin');
    await client.takeThrough('\r\n\r\n');
    const next = await proxy.upstream.connection();
    await next.takeThrough('\r\n\r\n');
    next.send('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n');
    await client.takeThrough('\r\n\r\n');
    upstream.send('x'.repeat(95));
    await turns(5);
    client.send(HEAD);
    await upstream.takeThrough('\r\n\r\n');
  });

  const ends: readonly (readonly [string, string, (proxy: TestProxy) => void])[] = [
    ['a body that is too long', `Content-Length: 70000\r\n\r\n`, () => {}],
    ['a body that proves too long', `Transfer-Encoding: chunked\r\n\r\n20000\r\n${'x'.repeat(0x20000)}`, () => {}],
    ['a body that takes too long', 'Content-Length: 70\r\n\r\n', (proxy) => proxy.clock.advance(2000)],
    ['a malformed body', 'Transfer-Encoding: chunked\r\n\r\nzz\r\n', () => {}],
    ['a body with more behind', 'Content-Length: 2\r\n\r\nok!', () => {}],
    ['a body that ends with the connection', '\r\nhello', () => {}],
  ];
  for (const [name, rest, then] of ends) {
    test(`${name} ends its connection, not the answer`, async (t) => {
      const proxy = await startReplacing(t, 'GET');
      const client = await proxy.client();
      client.send(HEAD);
      const upstream = await proxy.upstream.connection();
      await upstream.takeThrough('\r\n\r\n');
      upstream.send(`HTTP/1.1 200 OK\r\n${rest}`);
      const answer = await readMessage(client, { withoutBody: true });
      assert.equal(answer.header('connection'), undefined);
      const [finished] = await proxy.handler.whenFinished(1);
      assert.deepEqual([finished?.status, finished?.reason], [200, undefined]);
      then(proxy);
      await upstream.takeRest();
      while (proxy.pool.openConnections > 0) await turns(1);
    });
  }
});

describe('a request is sent twice only where both methods may be', () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['PUT', 'DELETE', true],
    ['POST', 'PUT', false],
    ['PUT', 'POST', false],
  ];
  for (const [sent, method, again] of cases) {
    test(`${sent} as ${method}: ${again ? 'again' : 'not again'}`, async (t) => {
      const proxy = await startReplacing(t, method);
      const client = await proxy.client();
      client.send('GET /1 HTTP/1.1\r\nHost: a\r\n\r\n');
      const stale = await proxy.upstream.connection();
      await stale.takeThrough('\r\n\r\n');
      stale.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      await readMessage(client);
      client.send(`${sent} /2 HTTP/1.1\r\nHost: a\r\n\r\n`);
      await stale.takeThrough('/2 ');
      stale.socket.destroy();
      if (again) {
        const upstream = await proxy.upstream.connection();
        await upstream.takeThrough('\r\n\r\n');
        upstream.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
        assert.equal((await readMessage(client)).body.toString(), 'ok');
      } else {
        assert.equal((await readMessage(client)).startLine, 'HTTP/1.1 502 Bad Gateway');
      }
    });
  }
});
