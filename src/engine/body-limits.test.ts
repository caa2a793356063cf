import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readMessage } from './testing/message-reader.ts';
import { turns } from './testing/stamped-body.ts';
import { startProxy, type TestProxy } from './testing/test-engine.ts';
import { planTo } from './testing/test-handler.ts';

type Cleanup = Parameters<typeof startProxy>[0];

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const TOO_LARGE = 'HTTP/1.1 413 Payload Too Large';

async function startLimited(t: Cleanup, maxBodyBytes: number, reads = false): Promise<TestProxy> {
  const proxy = await startProxy(t);
  proxy.handler.decide = (exchange) => {
    const plan = planTo(proxy.target, { maxBodyBytes });
    if (reads) void exchange.readBody(1000).then(() => exchange.forward(plan));
    else exchange.forward(plan);
  };
  return proxy;
}

async function outcome(proxy: TestProxy): Promise<readonly [number, string | undefined, number]> {
  const [finished] = await proxy.handler.whenFinished(1);
  return [finished?.status ?? -1, finished?.reason, finished?.attempts ?? -1];
}

test('a body as long as is allowed passes, in any framing', async (t) => {
  const proxy = await startLimited(t, 5);
  const client = await proxy.client();
  for (const rest of ['Content-Length: 5\r\n\r\nhello', 'Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n', '\r\n']) {
    client.send(`POST / HTTP/1.1\r\nHost: a\r\n${rest}`);
    const upstream = proxy.upstream.connections[0] ?? (await proxy.upstream.connection());
    await upstream.takeThrough('\r\n\r\n');
    if (rest !== '\r\n') await upstream.takeThrough(rest.startsWith('T') ? '0\r\n\r\n' : 'hello');
    upstream.send(OK);
    assert.equal((await readMessage(client)).body.toString(), 'ok');
    await turns(4);
  }
});

describe('a longer one is refused', () => {
  test('by its length, before an upstream is dialled and before it is asked for', async (t) => {
    for (const expect of ['', 'Expect: 100-continue\r\n']) {
      const proxy = await startLimited(t, 5);
      const client = await proxy.client();
      client.send(`POST / HTTP/1.1\r\nHost: a\r\n${expect}Content-Length: 6\r\n\r\n`);
      const answer = await readMessage(client);
      assert.equal(answer.startLine, TOO_LARGE);
      assert.equal(answer.body.toString(), '{"error_msg":"request body too large"}\n');
      assert.equal(answer.header('connection'), 'close');
      client.send('too late');
      assert.equal(await client.takeRest(), '');
      assert.deepEqual(await outcome(proxy), [413, 'body_too_large', 0]);
      assert.equal(proxy.pool.openConnections, 0);
    }
  });

  test('by the chunks that came with its head, before an upstream is dialled', async (t) => {
    const proxy = await startLimited(t, 5);
    const client = await proxy.client();
    client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n3\r\nlo!\r\n');
    assert.equal((await readMessage(client)).startLine, TOO_LARGE);
    assert.deepEqual(await outcome(proxy), [413, 'body_too_large', 0]);
    assert.equal(proxy.pool.openConnections, 0);
  });

  test('while it streams, and the upstream hears no more of it', async (t) => {
    const proxy = await startLimited(t, 5);
    const client = await proxy.client();
    client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n');
    const upstream = await proxy.upstream.connection();
    await upstream.takeThrough('hel\r\n');
    client.send('2\r\nlo\r\n1\r\n!\r\n0\r\n\r\nGET / HTTP/1.1\r\n');
    const answer = await readMessage(client);
    assert.equal(answer.startLine, TOO_LARGE);
    assert.equal(answer.header('connection'), 'close');
    assert.equal(await upstream.takeRest(), '');
    assert.deepEqual(await outcome(proxy), [413, 'body_too_large', 1]);
  });

  test('behind the beginning of an answer, which is cut off', async (t) => {
    const proxy = await startLimited(t, 5);
    const client = await proxy.client();
    client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n');
    const upstream = await proxy.upstream.connection();
    await upstream.takeThrough('hel\r\n');
    upstream.send('HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nbegin');
    await client.takeThrough('begin');
    client.send('3\r\nlo!\r\n');
    assert.equal(await client.takeRest(), '');
    await upstream.takeRest();
    assert.deepEqual(await outcome(proxy), [200, 'body_too_large', 1]);
  });

  test('when it has been collected', async (t) => {
    for (const rest of ['Content-Length: 6\r\n\r\nhello!', 'Transfer-Encoding: chunked\r\n\r\n6\r\nhello!\r\n0\r\n\r\n']) {
      const proxy = await startLimited(t, 5, true);
      const client = await proxy.client();
      client.send(`POST / HTTP/1.1\r\nHost: a\r\n${rest}`);
      assert.equal((await readMessage(client)).startLine, TOO_LARGE);
      assert.deepEqual(await outcome(proxy), [413, 'body_too_large', 0]);
    }
  });

  test('when a part of it has been', async (t) => {
    const proxy = await startProxy(t);
    proxy.handler.decide = (exchange) => void exchange.readBody(2).then(() => exchange.forward(planTo(proxy.target, { maxBodyBytes: 5 })));
    const client = await proxy.client();
    client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n');
    const upstream = await proxy.upstream.connection();
    await upstream.takeThrough('hel\r\n');
    client.send('3\r\nlo!\r\n');
    assert.equal((await readMessage(client)).startLine, TOO_LARGE);
    await upstream.takeRest();
  });
});
