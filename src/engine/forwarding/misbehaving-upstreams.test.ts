import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ByteStream } from '../testing/byte-stream.ts';
import { readMessage } from '../testing/message-reader.ts';
import { startProxy, type TestProxy } from '../testing/test-engine.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** A second client gets its own answer, over a connection that the misbehaviour has not touched. */
async function assertNextClientIsUntouched(proxy: TestProxy): Promise<void> {
  const client = await proxy.client();
  client.send('GET /next HTTP/1.1\r\nHost: b\r\n\r\n');
  const upstream = await proxy.upstream.connection();
  assert.match(await upstream.takeThrough('\r\n\r\n'), /^GET \/next /);
  upstream.send('HTTP/1.1 200 OK\r\nX-Stamp: next\r\nContent-Length: 4\r\n\r\nnext');
  const answer = await readMessage(client);
  assert.equal(answer.header('x-stamp'), 'next');
  assert.equal(answer.body.toString(), 'next');
  assert.equal(client.received.length, 0);
}

/** Sends a request and gives the client and the upstream's connection with the request taken off it. */
async function exchange(proxy: TestProxy, request = GET): Promise<{ readonly client: ByteStream; readonly upstream: ByteStream }> {
  const client = await proxy.client();
  client.send(request);
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  return { client, upstream };
}

const fields = (...lines: readonly string[]): string => `HTTP/1.1 200 OK\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;

describe('a head that is none is a 502, and the connection is dropped', () => {
  const heads: readonly (readonly [string, string])[] = [
    ['an empty line', '\r\n\r\n'],
    ['an empty line in front', `\r\n${OK}`],
    ['no status', 'HTTP/1.1\r\n\r\n'],
    ['no number', 'HTTP/1.1 OK\r\n\r\n'],
    ['two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
    ['four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
    ['a status below 100', 'HTTP/1.1 000 OK\r\n\r\n'],
    ['HTTP/2', 'HTTP/2.0 200 OK\r\n\r\n'],
    ['HTTP in lower case', 'http/1.1 200 OK\r\n\r\n'],
    ['ICY', 'ICY 200 OK\r\n\r\n'],
    ['HTTP/0.9', '<html>hello</html>'],
    ['a banner of SSH', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['an alert of TLS', '\x15\x03\x01\x00\x02\x02\x28'],
    ['a frame of HTTP/2', '\0\0\x12\x04\0\0\0\0\0'],
    ['bare LFs', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok'],
    ['a bare CR in a value', fields('X: a\rb')],
    ['NUL in the reason', 'HTTP/1.1 200 O\0K\r\n\r\n'],
    ['NUL in a value', fields('X: a\0b')],
    ['NUL in a name', fields('X\0: b')],
    ['a space before the colon', fields('Content-Length : 2')],
    ['no colon', fields('Content-Length 2')],
    ['no name', fields(': 2')],
    ['a folded line', fields('X: a', ' b')],
    ['two framings', `${fields('Content-Length: 5', 'Transfer-Encoding: chunked')}0\r\n\r\n`],
    ['two lengths', `${fields('Content-Length: 2', 'Content-Length: 3')}ok`],
    ['two equal lengths', `${fields('Content-Length: 2', 'Content-Length: 2')}ok`],
    ['a list of lengths', `${fields('Content-Length: 2, 2')}ok`],
    ['a negative length', fields('Content-Length: -1')],
    ['a length of 2^64', fields('Content-Length: 18446744073709551616')],
    ['an empty length', fields('Content-Length:')],
    ['another coding', fields('Transfer-Encoding: gzip')],
    ['chunked twice', fields('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked')],
    ['chunked in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['a head without end', `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(70_000)}`],
    ['fields without end', `HTTP/1.1 200 OK\r\n${'X: 1\r\n'.repeat(600)}\r\n`],
    ['101, for which nobody asked', 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n'],
    ['a flood of 1xx', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(100)],
    ['1xx with a body', `HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\nhello${OK}`],
    ['a bad chunk size at once', `${fields('Transfer-Encoding: chunked')}-1\r\n`],
    ['a bare LF in a chunk extension at once', `${fields('Transfer-Encoding: chunked')}2;\nok\r\n0\r\n\r\n`],
    ['more data than the chunk has, at once', `${fields('Transfer-Encoding: chunked')}2\r\nokay\r\n0\r\n\r\n`],
  ];
  for (const [name, response] of heads) {
    test(name, async (t) => {
      const proxy = await startProxy(t);
      const { client, upstream } = await exchange(proxy);
      upstream.send(response);
      let answer = await readMessage(client, {});
      while (answer.startLine.startsWith('HTTP/1.1 1')) answer = await readMessage(client, {});
      assert.equal(answer.startLine, 'HTTP/1.1 502 Bad Gateway');
      await upstream.takeRest();
      assert.equal(client.received.length, 0, 'nothing of what the upstream sent follows');
      await assertNextClientIsUntouched(proxy);
    });
  }

  for (const [name, response] of [
    ['no byte', ''],
    ['half a status line', 'HTTP/1.1 20'],
    ['half a head', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n'],
    ['only interim responses', 'HTTP/1.1 100 Continue\r\n\r\n'],
  ] as const) {
    for (const how of ['end', 'reset'] as const) {
      test(`${name}, then ${how}`, async (t) => {
        const proxy = await startProxy(t);
        const { client, upstream } = await exchange(proxy);
        if (response !== '') await upstream.sendAll(Buffer.from(response));
        if (how === 'end') upstream.socket.end();
        else upstream.socket.resetAndDestroy();
        let answer = await readMessage(client, {});
        if (answer.startLine.startsWith('HTTP/1.1 1')) answer = await readMessage(client, {});
        assert.equal(answer.startLine, 'HTTP/1.1 502 Bad Gateway');
        assert.equal(proxy.upstream.connections.length, 1, 'a request on a fresh connection is not sent again');
        await assertNextClientIsUntouched(proxy);
      });
    }
  }
});

describe('a body that goes wrong behind its head is an aborted answer, and the connection is dropped', () => {
  const bodies: readonly (readonly [string, string, string, 'stay' | 'end' | 'reset'])[] = [
    ['a bad chunk size', 'Transfer-Encoding: chunked', '2\r\nok\r\nzz\r\n', 'stay'],
    ['a bare LF behind a chunk size', 'Transfer-Encoding: chunked', '2\nok\r\n0\r\n\r\n', 'stay'],
    ['data without a line break', 'Transfer-Encoding: chunked', '2\r\nok0\r\n\r\n', 'stay'],
    ['endless extensions', 'Transfer-Encoding: chunked', `2;${'a'.repeat(5000)}`, 'stay'],
    ['endless trailers', 'Transfer-Encoding: chunked', `0\r\n${'X: 1\r\n'.repeat(2000)}`, 'stay'],
    ['a malformed trailer', 'Transfer-Encoding: chunked', '0\r\nX\r\n\r\n', 'stay'],
    ['no last chunk', 'Transfer-Encoding: chunked', '2\r\nok\r\n', 'end'],
    ['no end of the trailers', 'Transfer-Encoding: chunked', '2\r\nok\r\n0\r\n', 'end'],
    ['a chunk cut short', 'Transfer-Encoding: chunked', '5\r\nok', 'end'],
    ['a length cut short', 'Content-Length: 10', 'ok', 'end'],
    ['a length cut short by a reset', 'Content-Length: 10', 'ok', 'reset'],
    ['a reset where the end of the connection is the end of the body', 'X: 1', 'ok', 'reset'],
  ];
  for (const [name, framing, body, how] of bodies) {
    test(name, async (t) => {
      const proxy = await startProxy(t);
      const { client, upstream } = await exchange(proxy);
      upstream.send(fields(framing));
      await client.takeThrough('\r\n\r\n');
      await upstream.sendAll(Buffer.from(body));
      if (how === 'end') upstream.socket.end();
      if (how === 'reset') upstream.socket.resetAndDestroy();
      const rest = await client.takeRest();
      assert.ok(framing.startsWith('Content-Length') ? rest.length < 10 : !rest.includes('0\r\n\r\n'), 'the answer does not look complete');
      assert.equal(client.failure, undefined, 'it ends in order, so that nothing is lost that came before');
      await upstream.takeRest();
      await assertNextClientIsUntouched(proxy);
    });
  }
});

test('an answer that is cut off takes no earlier one along that the client has not read yet', async (t) => {
  const proxy = await startProxy(t);
  const client = await proxy.client();
  client.socket.pause();
  client.send(`${GET}${GET}`);
  const upstream = await proxy.upstream.connection();
  const whole = 'x'.repeat(100_000);
  await upstream.takeThrough('\r\n\r\n');
  upstream.send(`HTTP/1.1 200 OK\r\nContent-Length: ${whole.length}\r\n\r\n${whole}`);
  await upstream.takeThrough('\r\n\r\n');
  await upstream.sendAll(Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'));
  upstream.socket.resetAndDestroy();
  assert.deepEqual(
    (await proxy.handler.whenFinished(2)).map(({ reason }) => reason),
    [undefined, 'upstream_truncated'],
  );
  client.socket.resume();
  assert.equal((await readMessage(client)).body.toString(), whole);
  await client.takeThrough('\r\n\r\n');
  assert.ok((await client.takeRest()).length < 10);
  assert.equal(client.failure, undefined);
});

test('a cut answer of which a part is pending is a reset: the client is not waited for', async (t) => {
  const proxy = await startProxy(t);
  const client = await proxy.client();
  client.send(GET);
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  client.socket.pause();
  upstream.send('HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n');
  const piece = Buffer.alloc(1024 * 1024);
  // More than the kernel's buffers on the way hold, so that some of it waits in the gateway.
  for (let sent = 0; sent < 32; sent++) upstream.send(piece);
  for (let left = -1; left !== upstream.socket.writableLength; ) {
    left = upstream.socket.writableLength;
    for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
  }
  for (let minute = 0; minute < 3; minute++) proxy.clock.advance(61_000);
  assert.equal(proxy.handler.finished[0]?.reason, 'client_write_timeout');
  client.socket.resume();
  await client.whenClosed();
  assert.equal(client.failure, 'ECONNRESET');
});

describe('an answer with more behind it is relayed without that, and the connection is dropped', () => {
  const answers: readonly (readonly [string, string, string, string])[] = [
    ['two answers at once', 'GET', `${OK}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`, 'ok'],
    ['bytes behind a length', 'GET', `${OK}HTTP`, 'ok'],
    ['bytes behind the last chunk', 'GET', `${fields('Transfer-Encoding: chunked')}2\r\nok\r\n0\r\n\r\nHTTP/1.1 200 evil\r\n\r\n`, 'ok'],
    ['an interim response behind the final one', 'GET', `${OK}HTTP/1.1 103 Early Hints\r\n\r\n`, 'ok'],
    ['a body behind HEAD', 'HEAD', OK, ''],
    ['a body behind 204', 'GET', 'HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nevil', ''],
    ['a chunked body behind 204', 'GET', 'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nevil\r\n0\r\n\r\n', ''],
    ['a body behind 304', 'GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nevil', ''],
  ];
  for (const [name, method, response, body] of answers) {
    test(name, async (t) => {
      const proxy = await startProxy(t);
      const { client, upstream } = await exchange(proxy, `${method} / HTTP/1.1\r\nHost: a\r\n\r\n`);
      upstream.send(response);
      const answer = await readMessage(client, { withoutBody: body === '' });
      assert.match(answer.startLine, /^HTTP\/1\.1 [23]0/);
      assert.equal(answer.body.toString(), body);
      await upstream.takeRest();
      assert.equal(client.received.length, 0);
      await assertNextClientIsUntouched(proxy);
    });
  }

  for (const field of ['Content-Length: 4', 'Transfer-Encoding: chunked']) {
    test(`a 204 that announces a body, which may come when the next request is under way (${field})`, async (t) => {
      const proxy = await startProxy(t);
      const { client, upstream } = await exchange(proxy);
      upstream.send(`HTTP/1.1 204 No Content\r\n${field}\r\n\r\n`);
      assert.equal((await readMessage(client, { withoutBody: true })).startLine, 'HTTP/1.1 204 No Content');
      await upstream.takeRest();
      await assertNextClientIsUntouched(proxy);
    });
  }

  test('a 204 without a body, whether or not it says that it has none, costs no connection', async (t) => {
    const proxy = await startProxy(t);
    const { client, upstream } = await exchange(proxy);
    for (const field of ['', 'Content-Length: 0\r\n', '']) {
      upstream.send(`HTTP/1.1 204 No Content\r\n${field}\r\n`);
      await readMessage(client, { withoutBody: true });
      client.send(GET);
      await upstream.takeThrough('\r\n\r\n');
    }
  });

  test('an answer that was there before the request, and another to the request', async (t) => {
    const proxy = await startProxy(t);
    const client = await proxy.client();
    client.send(GET);
    const upstream = await proxy.upstream.connection();
    upstream.send(OK);
    await upstream.takeThrough('\r\n\r\n');
    assert.equal((await readMessage(client)).body.toString(), 'ok');
    upstream.send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil');
    await upstream.takeRest();
    assert.equal(client.received.length, 0);
    await assertNextClientIsUntouched(proxy);
  });
});

/** Leaves so many idle upstream connections behind and gives them. */
async function idleConnections(proxy: TestProxy, count: number): Promise<readonly ByteStream[]> {
  const exchanges = [];
  for (let index = 0; index < count; index++) exchanges.push(await exchange(proxy));
  for (const { client, upstream } of exchanges) {
    upstream.send(OK);
    await readMessage(client);
  }
  return exchanges.map(({ upstream }) => upstream);
}

describe('a kept connection that closes under a request', () => {
  test('a GET is sent once more, on a fresh connection and not on another kept one', async (t) => {
    const proxy = await startProxy(t);
    const idle = await idleConnections(proxy, 3);
    const client = await proxy.client();
    client.send('GET /again HTTP/1.1\r\nHost: a\r\n\r\n');
    const used = await Promise.any(idle.map(async (stream) => stream.takeThrough('\r\n\r\n').then(() => stream)));
    used.socket.resetAndDestroy();
    const fresh = await proxy.upstream.connection();
    assert.match(await fresh.takeThrough('\r\n\r\n'), /^GET \/again /);
    fresh.socket.resetAndDestroy();
    assert.equal((await readMessage(client)).startLine, 'HTTP/1.1 502 Bad Gateway');
    assert.equal(proxy.upstream.connections.length, 4);
    for (const stream of idle) assert.equal(stream.received.length, 0);
  });

  test('a GET of which one byte was answered is not sent again', async (t) => {
    const proxy = await startProxy(t);
    const [stale] = await idleConnections(proxy, 1);
    assert.ok(stale);
    const client = await proxy.client();
    client.send(GET);
    await stale.takeThrough('\r\n\r\n');
    await stale.sendAll(Buffer.from('H'));
    stale.socket.end();
    assert.equal((await readMessage(client)).startLine, 'HTTP/1.1 502 Bad Gateway');
    assert.equal(proxy.upstream.connections.length, 1);
  });

  const bodies: readonly (readonly [string, string, string])[] = [
    ['without a body', 'Content-Length: 0\r\n\r\n', ''],
    ['whose body is there', 'Content-Length: 4\r\n\r\nbody', 'body'],
    ['whose body has come in part', 'Content-Length: 8\r\n\r\nbody', 'body'],
    ['whose chunked body has come in part', 'Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n', 'body'],
  ];
  for (const method of ['POST', 'PATCH', 'LOCK', 'post']) {
    for (const [name, rest, taken] of bodies) {
      test(`${method} ${name} is never sent again`, async (t) => {
        const proxy = await startProxy(t);
        const [stale] = await idleConnections(proxy, 1);
        assert.ok(stale);
        const client = await proxy.client();
        client.send(`${method} / HTTP/1.1\r\nHost: a\r\n${rest}`);
        await stale.takeThrough('\r\n\r\n');
        await stale.takeThrough(taken);
        stale.socket.resetAndDestroy();
        assert.equal((await readMessage(client)).startLine, 'HTTP/1.1 502 Bad Gateway');
        assert.equal(proxy.upstream.connections.length, 1);
      });
    }
  }
});

describe('a final answer while the body is still on its way', () => {
  for (const framing of ['Content-Length: 1000000', 'Transfer-Encoding: chunked']) {
    test(`is relayed whole and ends both connections (${framing})`, async (t) => {
      const proxy = await startProxy(t);
      const { client, upstream } = await exchange(proxy, `POST / HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n`);
      upstream.send('HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig');
      const answer = await readMessage(client);
      assert.equal(answer.startLine, 'HTTP/1.1 413 Content Too Large');
      assert.equal(answer.body.toString(), 'big');
      assert.equal(answer.header('connection'), 'close');
      await upstream.takeRest();
      client.send('GET /smuggled HTTP/1.1\r\nHost: s\r\n\r\n');
      assert.equal(await client.takeRest(), '');
      await assertNextClientIsUntouched(proxy);
    });
  }
});
