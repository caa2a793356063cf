import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { BodyFilter } from '../response-filter.ts';
import { PatternCheck, patternBytes } from '../testing/byte-pattern.ts';
import { readMessage } from '../testing/message-reader.ts';
import { turns } from '../testing/stamped-body.ts';
import { startProxy, type TestProxy } from '../testing/test-engine.ts';
import { bodyFilterOf, filterOf, TEST_FILTERS } from '../testing/test-filters.ts';
import { planTo } from '../testing/test-handler.ts';

type Cleanup = Parameters<typeof startProxy>[0];

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const MEBIBYTE = 1024 * 1024;

async function startFiltering(t: Cleanup, make: () => BodyFilter): Promise<TestProxy> {
  const proxy = await startProxy(t);
  proxy.handler.decide = (exchange) => exchange.forward(planTo(proxy.target, { responseFilter: bodyFilterOf(make) }));
  return proxy;
}

function passing(): BodyFilter {
  return { write: (chunk, push) => push(chunk), end: () => {} };
}

test('a filtered answer is chunked, without the length and with the trailers that the upstream sent', async (t) => {
  const proxy = await startFiltering(t, passing);
  const client = await proxy.client();
  client.send(`${GET}${GET}`);
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  upstream.send('HTTP/1.1 200 OK\r\nDate: d\r\nContent-Length: 5\r\n\r\nhello');
  const expected = 'HTTP/1.1 200 OK\r\nDate: d\r\nServer: Portcullis\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n';
  assert.equal(await client.takeThrough('0\r\n\r\n'), expected);
  await upstream.takeThrough('\r\n\r\n');
  upstream.send(
    'HTTP/1.1 200 OK\r\nDate: d\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\nX-Sum: 1\r\nServer: x\r\n\r\n',
  );
  const head = 'HTTP/1.1 200 OK\r\nDate: d\r\nTrailer: X-Sum\r\nServer: Portcullis\r\nTransfer-Encoding: chunked\r\n\r\n';
  assert.equal(await client.takeThrough('X-Sum: 1\r\n\r\n'), `${head}5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n`);
  assert.equal(proxy.upstream.connections.length, 1);
  assert.equal((await proxy.handler.whenFinished(2))[0]?.bodyBytesToClient, '5\r\nhello\r\n0\r\n\r\n'.length);
});

test('to HTTP/1.0 a filtered body ends with the connection', async (t) => {
  const proxy = await startFiltering(t, passing);
  const client = await proxy.client();
  client.send('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  upstream.send('HTTP/1.1 200 OK\r\nDate: d\r\nContent-Length: 5\r\n\r\nhello');
  assert.equal(await client.takeRest(), 'HTTP/1.1 200 OK\r\nDate: d\r\nServer: Portcullis\r\nConnection: close\r\n\r\nhello');
});

test('pipelined requests are answered in order through filters of every manner, over one connection to the upstream', async (t) => {
  const proxy = await startProxy(t);
  let asked = 0;
  proxy.handler.decide = (exchange) => {
    const filter = TEST_FILTERS[asked++ % TEST_FILTERS.length];
    exchange.forward(planTo(proxy.target, { responseFilter: filter === undefined ? undefined : bodyFilterOf(filter.make) }));
  };
  const client = await proxy.client();
  const rounds = TEST_FILTERS.length * 4;
  client.send(GET.repeat(rounds));
  const upstream = await proxy.upstream.connection();
  for (let round = 0; round < rounds; round++) {
    await upstream.takeThrough('\r\n\r\n');
    const body = `body ${round}`;
    if (round % 2 === 0) upstream.send(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    else
      for (const byte of Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`))
        upstream.send(Buffer.from([byte]));
    const answer = await readMessage(client);
    assert.equal(answer.body.toString().replaceAll(/[<>]/g, ''), TEST_FILTERS[round % TEST_FILTERS.length]?.expected(body));
  }
  assert.equal(proxy.upstream.connections.length, 1);
  assert.deepEqual(proxy.failures, []);
});

describe('an answer without a body has no use for a filter of it', () => {
  const cases: readonly (readonly [string, string, string, string])[] = [
    ['HEAD', 'HEAD', 'HTTP/1.1 200 OK\r\nDate: d\r\nContent-Length: 5\r\n\r\n', 'HTTP/1.1 200 OK'],
    ['204', 'GET', 'HTTP/1.1 204 No Content\r\nDate: d\r\n\r\n', 'HTTP/1.1 204 No Content'],
    ['304', 'GET', 'HTTP/1.1 304 Not Modified\r\nDate: d\r\nContent-Length: 9\r\n\r\n', 'HTTP/1.1 304 Not Modified'],
  ];
  for (const [name, method, response, line] of cases) {
    test(name, async (t) => {
      const calls: string[] = [];
      const proxy = await startProxy(t);
      const responseFilter = filterOf((head) => {
        calls.push(`head ${head.hasBody}`);
        return { write: () => void calls.push('write'), end: () => void calls.push('end'), abort: () => void calls.push('abort') };
      });
      proxy.handler.decide = (exchange) => exchange.forward(planTo(proxy.target, { responseFilter }));
      const client = await proxy.client();
      client.send(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`);
      const upstream = await proxy.upstream.connection();
      await upstream.takeThrough('\r\n\r\n');
      upstream.send(response);
      // The length is not told, for the filter would have changed it.
      assert.equal(await client.takeThrough('\r\n\r\n'), `${line}\r\nDate: d\r\nServer: Portcullis\r\n\r\n`);
      await proxy.handler.whenFinished(1);
      assert.deepEqual(calls, ['head false', 'abort']);
    });
  }
});

test('a status without a body, set by a filter, leaves the body out and the connections in order', async (t) => {
  for (const framing of ['Content-Length: 5\r\n\r\nhello', 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n']) {
    for (const status of [204, 304]) {
      const proxy = await startProxy(t);
      const responseFilter = filterOf((head) => {
        head.status = status;
        assert.equal(head.hasBody, false);
        return undefined;
      });
      proxy.handler.decide = (exchange) => exchange.forward(planTo(proxy.target, { responseFilter }));
      const client = await proxy.client();
      for (let round = 0; round < 3; round++) {
        client.send(GET);
        const upstream = proxy.upstream.connections[0] ?? (await proxy.upstream.connection());
        await upstream.takeThrough('\r\n\r\n');
        upstream.send(`HTTP/1.1 200 OK\r\n${framing}`);
        assert.match(await client.takeThrough('\r\n\r\n'), new RegExp(`^HTTP/1\\.1 ${status} `));
        assert.equal(client.received.length, 0);
      }
      assert.equal(proxy.upstream.connections.length, 1);
    }
  }
});

test('a filter may give a body to an answer that had none', async (t) => {
  const proxy = await startProxy(t);
  const responseFilter = filterOf((head) => {
    head.status = 200;
    return { write: () => assert.fail('there is nothing to write'), end: (push) => push(Buffer.from('new')) };
  });
  proxy.handler.decide = (exchange) => exchange.forward(planTo(proxy.target, { responseFilter }));
  const client = await proxy.client();
  client.send(GET);
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  upstream.send('HTTP/1.1 204 No Content\r\nDate: d\r\n\r\n');
  assert.equal((await readMessage(client)).body.toString(), 'new');
});

test('a 304 that a filter makes a 200 is empty, whatever length it tells', async (t) => {
  const proxy = await startProxy(t);
  const responseFilter = filterOf((head) => {
    head.status = 200;
    return undefined;
  });
  proxy.handler.decide = (exchange) => exchange.forward(planTo(proxy.target, { responseFilter }));
  const client = await proxy.client();
  client.send(GET);
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  upstream.send('HTTP/1.1 304 Not Modified\r\nDate: d\r\nContent-Length: 50\r\n\r\n');
  assert.equal(await client.takeThrough('\r\n\r\n'), 'HTTP/1.1 200 OK\r\nDate: d\r\nServer: Portcullis\r\nContent-Length: 0\r\n\r\n');
});

test('a head without any of its body goes at once, and each piece when the filter gives it', async (t) => {
  const proxy = await startFiltering(t, passing);
  const client = await proxy.client();
  client.send(GET);
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  upstream.send('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n');
  await client.takeThrough('\r\n\r\n');
  for (let event = 0; event < 5; event++) {
    upstream.send('data: x\n\n');
    assert.equal(await client.takeThrough('\n\n\r\n'), '9\r\ndata: x\n\n\r\n');
  }
  upstream.socket.end();
  assert.equal(await client.takeThrough('\r\n\r\n'), '0\r\n\r\n');
});

test('what a filter pushes while its promise is awaited goes at once', async (t) => {
  let release = (): void => {};
  const proxy = await startFiltering(t, () => ({
    async write(_chunk, push) {
      await turns(1);
      push(Buffer.from('early'));
      await new Promise<void>((resolve) => (release = resolve));
      push(Buffer.from('late'));
    },
    end: () => {},
  }));
  const client = await proxy.client();
  client.send(GET);
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  upstream.send('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello');
  assert.match(await client.takeThrough('early\r\n'), /^HTTP\/1\.1 200 OK\r\n.*\r\n\r\n5\r\nearly\r\n$/s);
  release();
  assert.equal(await client.takeThrough('0\r\n\r\n'), '4\r\nlate\r\n0\r\n\r\n');
});

/** A filter that takes its time, and passes a copy of everything on. */
function slowly(): BodyFilter {
  return {
    async write(chunk, push) {
      const copy = Buffer.from(chunk);
      await turns(1);
      push(copy);
    },
    async end() {
      await turns(1);
    },
  };
}

async function sendPattern(upstream: { sendAll(bytes: Buffer): Promise<void> }, owner: number, length: number): Promise<void> {
  for (let offset = 0; offset < length; offset += 65_536) await upstream.sendAll(patternBytes(owner, offset, 65_536));
}

async function readPattern(client: Awaited<ReturnType<TestProxy['client']>>, owner: number, length: number): Promise<void> {
  const check = new PatternCheck(owner);
  while (check.offset < length) {
    let size = Number.parseInt(await client.takeThrough('\r\n'), 16);
    while (size > 0) {
      const piece = await client.take((received) => (received.length === 0 ? undefined : Math.min(received.length, size)));
      check.take(piece);
      size -= piece.length;
    }
    await client.takeThrough('\r\n');
  }
  assert.equal(await client.takeThrough('\r\n\r\n'), '0\r\n\r\n');
}

describe('a slow client holds the upstream back through a filter, and gets every byte', () => {
  for (const [name, make] of [
    ['one that answers at once', passing],
    ['one that answers later', slowly],
  ] as const) {
    test(name, async (t) => {
      const length = 32 * MEBIBYTE;
      const proxy = await startFiltering(t, make);
      const client = await proxy.client();
      client.send(GET);
      const upstream = await proxy.upstream.connection();
      await upstream.takeThrough('\r\n\r\n');
      client.socket.pause();
      upstream.send(`HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`);
      const sending = sendPattern(upstream, 7, length);
      let last = -1;
      for (let quiet = 0; quiet < 300; quiet++) {
        const sent = upstream.socket.bytesWritten - upstream.socket.writableLength;
        if (sent !== last) quiet = 0;
        last = sent;
        await turns(1);
      }
      assert.ok(last < 24 * MEBIBYTE, `the upstream sent ${last} bytes that nobody read`);
      const before = process.memoryUsage().arrayBuffers;
      await turns(100);
      assert.ok(process.memoryUsage().arrayBuffers - before < 4 * MEBIBYTE);
      client.socket.resume();
      await client.takeThrough('\r\n\r\n');
      await Promise.all([readPattern(client, 7, length), sending]);
      assert.deepEqual(proxy.failures, []);
    });
  }
});

test('a filter that waits holds the upstream back', async (t) => {
  let release = (): void => {};
  let calls = 0;
  const proxy = await startFiltering(t, () => ({
    async write() {
      calls++;
      await new Promise<void>((resolve) => (release = resolve));
    },
    end: () => {},
  }));
  const client = await proxy.client();
  client.send(GET);
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  upstream.send(`HTTP/1.1 200 OK\r\nContent-Length: ${32 * MEBIBYTE}\r\n\r\n`);
  void sendPattern(upstream, 1, 32 * MEBIBYTE).catch(() => {});
  let last = -1;
  for (let quiet = 0; quiet < 300; quiet++) {
    const sent = upstream.socket.bytesWritten - upstream.socket.writableLength;
    if (sent !== last) quiet = 0;
    last = sent;
    await turns(1);
  }
  assert.equal(calls, 1);
  assert.ok(last < 24 * MEBIBYTE, `the upstream sent ${last} bytes that nobody took`);
  release();
  await turns(5);
  assert.equal(calls, 2);
  client.socket.resetAndDestroy();
  await proxy.handler.whenFinished(1);
});

test('bytes behind a filtered response cost the upstream its connection', async (t) => {
  for (const make of [passing, slowly]) {
    const proxy = await startFiltering(t, make);
    const client = await proxy.client();
    client.send(GET);
    const upstream = await proxy.upstream.connection();
    await upstream.takeThrough('\r\n\r\n');
    upstream.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil');
    assert.equal((await readMessage(client)).body.toString(), 'ok');
    await upstream.takeRest();
    client.send(GET);
    const next = await proxy.upstream.connection();
    await next.takeThrough('\r\n\r\n');
    next.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    assert.equal((await readMessage(client)).body.toString(), 'ok');
  }
});
