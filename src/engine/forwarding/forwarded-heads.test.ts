import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readMessage } from '../testing/message-reader.ts';
import { startProxy, type TestProxy } from '../testing/test-engine.ts';
import { planTo } from '../testing/test-handler.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** Sends the head through the proxy and gives the head that reaches the upstream. */
async function forwardedHead(proxy: TestProxy, head: string): Promise<string> {
  const client = await proxy.client();
  client.send(head);
  const upstream = await proxy.upstream.connection();
  const received = await upstream.takeThrough('\r\n\r\n');
  upstream.send('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  await readMessage(client);
  return received;
}

/** Sends the response through the proxy and gives the head that reaches the client. */
async function relayedHead(proxy: TestProxy, response: string, request = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'): Promise<readonly string[]> {
  const client = await proxy.client();
  client.send(request);
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  upstream.send(response);
  const head = await client.takeThrough('\r\n\r\n');
  return head.slice(0, -4).split('\r\n');
}

test("a request's own fields go on byte for byte, in order", async (t) => {
  const proxy = await startProxy(t);
  const head =
    'GET /a%2Fb/../c?x=%zz HTTP/1.1\r\nHost: a.example\r\nX-Mixed-CASE:  a \r\naccept: */*\r\nX-Empty:\r\nX-High: \xe9\xff\r\n\r\n';
  assert.equal(await forwardedHead(proxy, head), head);
});

describe('fields between neighbours stay behind', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['Connection and what it names', 'Connection: close, X-Secret\r\nx-secret: 1\r\nX-Other: 2\r\n', 'X-Other: 2\r\n'],
    [
      'the whole standard list',
      'Keep-Alive: timeout=5\r\nProxy-Connection: x\r\nTE: trailers\r\nUpgrade: websocket\r\nTrailer: X\r\nX-A: 1\r\n',
      'X-A: 1\r\n',
    ],
    ['the last field', 'X-A: 1\r\nConnection: keep-alive\r\n', 'X-A: 1\r\n'],
    ['all fields', 'TE: x\r\nConnection: keep-alive\r\n', ''],
    ['fields that Connection names wrongly', 'Connection: Host, Content-Length\r\nContent-Length: 0\r\n', 'Content-Length: 0\r\n'],
    ['Expect', 'Expect: 100-continue\r\nX-A: 1\r\n', 'X-A: 1\r\n'],
    ['a length, which is written anew', 'Content-Length: 000\r\nX-A: 1\r\n', 'X-A: 1\r\nContent-Length: 0\r\n'],
  ];
  for (const [name, sent, expected] of cases) {
    test(name, async (t) => {
      const proxy = await startProxy(t);
      const head = await forwardedHead(proxy, `GET / HTTP/1.1\r\nHost: a\r\n${sent}\r\n`);
      assert.equal(head, `GET / HTTP/1.1\r\nHost: a\r\n${expected}\r\n`);
    });
  }
});

test('cut headers stay behind, appended lines come last and no Connection option removes them', async (t) => {
  const proxy = await startProxy(t);
  proxy.handler.decide = (exchange) => {
    const head = exchange.head;
    for (
      let index = head?.findHeader(Buffer.from('x-cut')) ?? -1;
      index !== -1;
      index = head?.findHeader(Buffer.from('x-cut'), index + 1) ?? -1
    ) {
      head?.cutHeader(index);
    }
    exchange.forward(planTo(proxy.target, { appendRequestLines: (writer) => writer.appendAscii('X-Consumer-Username: anna\r\n') }));
  };
  const sent = 'GET / HTTP/1.1\r\nHost: a\r\nX-Cut: 1\r\nX-Stays: 1\r\nx-cut: 2\r\nConnection: x-consumer-username, x-cut\r\n\r\n';
  assert.equal(await forwardedHead(proxy, sent), 'GET / HTTP/1.1\r\nHost: a\r\nX-Stays: 1\r\nX-Consumer-Username: anna\r\n\r\n');
});

test('target and Host are replaced where the plan says so', async (t) => {
  const proxy = await startProxy(t);
  proxy.handler.decide = (exchange) =>
    exchange.forward(planTo(proxy.target, { requestTarget: Buffer.from('/new?q'), hostValue: Buffer.from('node.example:81') }));
  const head = await forwardedHead(proxy, 'GET /old HTTP/1.1\r\nX-A: 1\r\nHost: a\r\nX-B: 2\r\n\r\n');
  assert.equal(head, 'GET /new?q HTTP/1.1\r\nHost: node.example:81\r\nX-A: 1\r\nX-B: 2\r\n\r\n');
});

describe('every request goes on as HTTP/1.1 with exactly one Host', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['HTTP/1.0', 'GET /x HTTP/1.0\r\nHost: a\r\n\r\n', 'GET /x HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['HTTP/1.0 without Host', 'GET /x HTTP/1.0\r\nX-A: 1\r\n\r\n', 'GET /x HTTP/1.1\r\nHost: \r\nX-A: 1\r\n\r\n'],
    ['absolute-form', 'GET http://a:80/x?y HTTP/1.1\r\nHost: a:80\r\n\r\n', 'GET /x?y HTTP/1.1\r\nHost: a:80\r\n\r\n'],
    ['absolute-form in HTTP/1.0', 'GET http://a HTTP/1.0\r\n\r\n', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['OPTIONS of an authority', 'OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n', 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['OPTIONS of its root', 'OPTIONS http://a/ HTTP/1.1\r\nHost: a\r\n\r\n', 'OPTIONS / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['OPTIONS *', 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n', 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n'],
  ];
  for (const [name, sent, expected] of cases) {
    test(name, async (t) => {
      const proxy = await startProxy(t);
      assert.equal(await forwardedHead(proxy, sent), expected);
    });
  }
});

test('a head larger than the usual buffer goes on whole', async (t) => {
  const proxy = await startProxy(t);
  const head = `GET / HTTP/1.1\r\nHost: a\r\nX-A: ${'a'.repeat(30_000)}\r\n\r\n`;
  assert.equal(await forwardedHead(proxy, head), head);
});

test('a response keeps its fields and gets Server, Date, the given lines and the framing', async (t) => {
  const proxy = await startProxy(t);
  proxy.handler.answerLines = 'X-Added: 1\r\n';
  const response =
    'HTTP/1.1 201 Made It\r\nServer: other/1\r\nX-Up: 1\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=9\r\nContent-Length: 02\r\n\r\nok';
  assert.deepEqual(await relayedHead(proxy, response), [
    'HTTP/1.1 201 Made It',
    'X-Up: 1',
    'Server: Portcullis',
    'Date: Fri, 15 Jan 2027 08:00:00 GMT',
    'X-Added: 1',
    'Content-Length: 2',
  ]);
});

test("fields that are the gateway's own are left out of what an upstream answers", async (t) => {
  const proxy = await startProxy(t, { ownResponseFields: ['Request-Name'] });
  proxy.handler.answerLines = 'Request-Name: ours\r\n';
  const client = await proxy.client();
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  const forged = 'request-name: 1\r\nX-Up: 1\r\nREQUEST-NAME: 2\r\n';
  upstream.send(`HTTP/1.1 103 Early Hints\r\n${forged}\r\nHTTP/1.1 200 OK\r\nDate: then\r\n${forged}Content-Length: 0\r\n\r\n`);
  assert.equal(await client.takeThrough('\r\n\r\n'), 'HTTP/1.1 103 Early Hints\r\nX-Up: 1\r\n\r\n');
  const head = await client.takeThrough('\r\n\r\n');
  assert.equal(head, 'HTTP/1.1 200 OK\r\nDate: then\r\nX-Up: 1\r\nServer: Portcullis\r\nRequest-Name: ours\r\nContent-Length: 0\r\n\r\n');
});

test('a status line without the space behind its status gets one', async (t) => {
  const proxy = await startProxy(t);
  const [line] = await relayedHead(proxy, 'HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n');
  assert.equal(line, 'HTTP/1.1 200 ');
});

test("the upstream's Date stays, and its Server where that is wished", async (t) => {
  const proxy = await startProxy(t, { serverHeader: undefined });
  const response = 'HTTP/1.1 200 OK\r\nServer: other/1\r\nDate: then\r\nContent-Length: 0\r\n\r\n';
  assert.deepEqual(await relayedHead(proxy, response), ['HTTP/1.1 200 OK', 'Server: other/1', 'Date: then', 'Content-Length: 0']);
});

test('the status of a failing upstream is repeated in X-APISIX-Upstream-Status', async (t) => {
  const proxy = await startProxy(t);
  const response = 'HTTP/1.1 503 Service Unavailable\r\nDate: then\r\nx-apisix-upstream-status: 1\r\nContent-Length: 0\r\n\r\n';
  assert.deepEqual(await relayedHead(proxy, response), [
    'HTTP/1.1 503 Service Unavailable',
    'Date: then',
    'Server: Portcullis',
    'X-APISIX-Upstream-Status: 503',
    'Content-Length: 0',
  ]);
  const [finished] = await proxy.handler.whenFinished(1);
  assert.deepEqual([finished?.status, finished?.upstreamStatus, finished?.reason], [503, 503, undefined]);
});

test('an upstream connection is kept and the last one used is used first', async (t) => {
  const proxy = await startProxy(t);
  const [one, two] = [await proxy.client(), await proxy.client()];
  one.send('GET /1 HTTP/1.1\r\nHost: a\r\n\r\n');
  const first = await proxy.upstream.connection();
  await first.takeThrough('\r\n\r\n');
  two.send('GET /2 HTTP/1.1\r\nHost: a\r\n\r\n');
  const second = await proxy.upstream.connection();
  await second.takeThrough('\r\n\r\n');
  second.send(OK);
  await readMessage(two);
  first.send(OK);
  await readMessage(one);
  two.send('GET /3 HTTP/1.1\r\nHost: a\r\n\r\n');
  assert.match(await first.takeThrough('\r\n\r\n'), /^GET \/3 /);
  first.send(OK);
  await readMessage(two);
  assert.equal(proxy.upstream.connections.length, 2);
});

test('interim responses reach HTTP/1.1 clients and nobody else', async (t) => {
  const proxy = await startProxy(t);
  const response = `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: x\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n${OK}`;
  const client = await proxy.client();
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  upstream.send(response);
  assert.equal(await client.takeThrough('\r\n\r\n'), 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n');
  assert.equal(await client.takeThrough('\r\n\r\n'), 'HTTP/1.1 102 Processing\r\n\r\n');
  assert.equal((await readMessage(client)).startLine, 'HTTP/1.1 200 OK');
  const old = await proxy.client();
  old.send('GET / HTTP/1.0\r\n\r\n');
  await upstream.takeThrough('\r\n\r\n');
  upstream.send(response);
  assert.equal((await readMessage(old)).startLine, 'HTTP/1.1 200 OK');
});

describe('an answer without a body is told apart from one with', () => {
  const cases: readonly (readonly [string, string, string, string | undefined])[] = [
    ['HEAD with a length', 'HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n', '7'],
    ['HEAD with chunked', 'HEAD', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', undefined],
    ['HEAD without framing', 'HEAD', 'HTTP/1.1 200 OK\r\n\r\n', undefined],
    ['204', 'GET', 'HTTP/1.1 204 No Content\r\nContent-Length: 7\r\n\r\n', undefined],
    ['304 with a length', 'GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n', '7'],
    ['304 with chunked', 'GET', 'HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n', undefined],
  ];
  for (const [name, method, response, length] of cases) {
    test(name, async (t) => {
      const proxy = await startProxy(t);
      const client = await proxy.client();
      client.send(`${method} / HTTP/1.1\r\nHost: a\r\n\r\nGET /next HTTP/1.1\r\nHost: a\r\n\r\n`);
      const upstream = await proxy.upstream.connection();
      await upstream.takeThrough('\r\n\r\n');
      upstream.send(response);
      const answer = await readMessage(client, { withoutBody: true });
      assert.equal(answer.header('content-length'), length);
      assert.equal(answer.header('transfer-encoding'), undefined);
      // A 204 that tells of a body may still send it.
      const next = response.includes('204') ? await proxy.upstream.connection() : upstream;
      assert.match(await next.takeThrough('\r\n\r\n'), /^GET \/next /);
      next.send(OK);
      assert.equal((await readMessage(client)).body.toString(), 'ok');
      assert.equal(proxy.upstream.connections.length, next === upstream ? 1 : 2);
    });
  }
});
