import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { readAnswer, startHttp2Proxy } from '../testing/http2-proxy.ts';
import { answerOf } from '../testing/test-handler.ts';

test('a request goes on as HTTP/1.1, and the answer comes back as HTTP/2', async (t) => {
  const proxy = await startHttp2Proxy(t);
  const request = proxy.session().request({ ':path': '/hello?a=b', cookie: ['a=1', 'b=2'], 'x-name': 'value' });
  const answer = readAnswer(request);
  const upstream = await proxy.upstream.connection();
  assert.equal(
    await upstream.takeThrough('\r\n\r\n'),
    `GET /hello?a=b HTTP/1.1\r\nHost: 127.0.0.1:${proxy.port}\r\nx-name: value\r\ncookie: a=1; b=2\r\n\r\n`,
  );
  upstream.send(
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: x-hop\r\nX-Hop: 1\r\nX-Name: V\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\nhello',
  );
  const { status, headers, body, rstCode } = await answer;
  assert.equal(status, 200);
  assert.equal(body.toString(), 'hello');
  assert.equal(rstCode, 0);
  assert.deepEqual(headers['set-cookie'], ['a', 'b']);
  assert.equal(headers['x-name'], 'V');
  assert.equal(headers['content-length'], '5');
  for (const name of ['connection', 'x-hop', 'transfer-encoding']) assert.equal(headers[name], undefined);
  const [finished] = await proxy.handler.whenFinished(1);
  assert.equal(finished?.status, 200);
  assert.equal(finished?.reason, undefined);
});

test('many requests of one session are answered out of order and never for each other', async (t) => {
  const proxy = await startHttp2Proxy(t);
  const session = proxy.session();
  const answers = Array.from({ length: 50 }, (_, number) => readAnswer(session.request({ ':path': `/${number}` })));
  const upstreams = await Promise.all(answers.map(() => proxy.upstream.connection()));
  for (const upstream of upstreams.reverse()) {
    const path = (await upstream.takeThrough('\r\n\r\n')).split(' ')[1] ?? '';
    upstream.send(`HTTP/1.1 200 OK\r\nContent-Length: ${path.length}\r\n\r\n${path}`);
  }
  assert.deepEqual(
    (await Promise.all(answers)).map(({ body }) => body.toString()),
    answers.map((_, number) => `/${number}`),
  );
});

test('a body goes on with its length, or in chunks with its trailer fields', async (t) => {
  const proxy = await startHttp2Proxy(t);
  const session = proxy.session();
  const known = session.request({ ':method': 'POST', ':path': '/', 'content-length': '5' });
  const first = readAnswer(known);
  known.end('hello');
  const upstream = await proxy.upstream.connection();
  assert.match(await upstream.takeThrough('hello'), /\r\ncontent-length: 5\r\n|\r\nContent-Length: 5\r\n/);
  upstream.send('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n');
  assert.equal((await first).status, 204);
  const chunked = session.request({ ':method': 'POST', ':path': '/', trailer: 'x-sum' }, { waitForTrailers: true });
  chunked.on('wantTrailers', () => chunked.sendTrailers({ 'x-sum': '42' }));
  const second = readAnswer(chunked);
  chunked.write('hel');
  const again = await proxy.upstream.connection();
  assert.match(await again.takeThrough('3\r\nhel\r\n'), /\r\nTransfer-Encoding: chunked\r\n/);
  chunked.end('lo');
  assert.equal(await again.takeThrough('\r\n\r\n'), '2\r\nlo\r\n0\r\nx-sum: 42\r\n\r\n');
  again.send('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
  assert.equal((await second).status, 200);
});

test('trailer fields of an answer reach who asked for them', async (t) => {
  const proxy = await startHttp2Proxy(t);
  const session = proxy.session();
  for (const [te, expected] of [
    ['trailers', '7'],
    [undefined, undefined],
  ] as const) {
    const answer = readAnswer(session.request(te === undefined ? { ':path': '/' } : { ':path': '/', te }));
    const upstream = await proxy.upstream.connection();
    await upstream.takeThrough('\r\n\r\n');
    upstream.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n');
    const { body, trailers } = await answer;
    assert.equal(body.toString(), 'ok');
    assert.equal(trailers['x-sum'], expected);
  }
});

test('HEAD, 204, 304 and 205 have no body', async (t) => {
  const proxy = await startHttp2Proxy(t);
  const session = proxy.session();
  for (const [method, response, status, length] of [
    ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 500\r\nConnection: close\r\n\r\n', 200, '500'],
    ['HEAD', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n', 200, undefined],
    ['GET', 'HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n', 204, undefined],
    ['GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\nConnection: close\r\n\r\n', 304, '9'],
    ['GET', 'HTTP/1.1 205 Reset Content\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc', 205, undefined],
  ] as const) {
    const answer = readAnswer(session.request({ ':method': method, ':path': '/' }));
    const upstream = await proxy.upstream.connection();
    await upstream.takeThrough('\r\n\r\n');
    upstream.send(response);
    const { status: got, headers, body, rstCode } = await answer;
    assert.equal(got, status);
    assert.equal(headers['content-length'], length, response);
    assert.equal(body.length, 0);
    assert.equal(rstCode, 0);
  }
});

test('interim answers go through, and a client that waits for 100 gets it from the gateway', async (t) => {
  const proxy = await startHttp2Proxy(t);
  const request = proxy.session().request({ ':method': 'POST', ':path': '/', expect: '100-continue', 'content-length': '2' });
  const interim: unknown[] = [];
  request.on('headers', (fields) => interim.push(fields[':status']));
  request.on('continue', () => request.end('ok'));
  const answer = readAnswer(request);
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\nok');
  upstream.send('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
  assert.equal((await answer).status, 200);
  assert.deepEqual(interim, [100, 103]);
});

test('an answer of the gateway is whole although the body was not read, and the stream is closed in order', async (t) => {
  const proxy = await startHttp2Proxy(t);
  proxy.handler.decide = (exchange) => exchange.respond(answerOf(401, 'no', 'key_missing'));
  const request = proxy.session().request({ ':method': 'POST', ':path': '/' });
  const answer = readAnswer(request);
  request.write(Buffer.alloc(30_000));
  const { status, body, rstCode } = await answer;
  assert.equal(status, 401);
  assert.equal(body.toString(), 'no');
  assert.equal(rstCode, 0);
});

test('what nghttp2 lets through and HTTP/1.1 must not see is answered with its reason, on record like any other', async (t) => {
  const proxy = await startHttp2Proxy(t);
  const client = await proxy.frames();
  client.begin();
  const usual = [
    [':method', 'POST'],
    [':scheme', 'http'],
    [':path', '/'],
    [':authority', 'a'],
  ] as const;
  client.request(1, [...usual, ['host', 'b']], false);
  assert.equal(await client.status(1), 400);
  client.request(3, [
    [':method', 'CONNECT'],
    [':authority', 'a:443'],
  ]);
  assert.equal(await client.status(3), 501);
  client.request(5, [...usual, ['expect', 'more']]);
  assert.equal(await client.status(5), 417);
  client.request(7, [...usual, ['x', 'y'.repeat(40_000)]]);
  assert.equal(await client.status(7), 431);
  client.request(9, [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':path', `/${'x'.repeat(9000)}`],
    [':authority', 'a'],
  ]);
  assert.equal(await client.status(9), 414);
  const reasons = (await proxy.handler.whenFinished(5)).map(({ reason }) => reason);
  assert.deepEqual(reasons, ['bad_host', 'method_not_implemented', 'expectation_failed', 'head_too_large', 'uri_too_long']);
  assert.equal(proxy.upstream.connections.length, 0);
});

test('a client that gives a request up ends it at the upstream, and the log says so', async (t) => {
  const proxy = await startHttp2Proxy(t);
  const request = proxy.session().request({ ':path': '/' });
  request.on('error', () => {});
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  request.close(8);
  await upstream.takeRest();
  const [finished] = await proxy.handler.whenFinished(1);
  assert.equal(finished?.reason, 'client_aborted');
});

test('an upstream that breaks off inside a body is a stream error, and other requests go on', async (t) => {
  const proxy = await startHttp2Proxy(t);
  const session = proxy.session();
  const broken = readAnswer(session.request({ ':path': '/broken' }));
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  upstream.send('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf');
  upstream.socket.destroySoon();
  const cut = await broken;
  assert.equal(cut.status, 200);
  assert.notEqual(cut.rstCode, 0);
  const good = readAnswer(session.request({ ':path': '/good' }));
  const next = await proxy.upstream.connection();
  await next.takeThrough('\r\n\r\n');
  next.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  assert.equal((await good).body.toString(), 'ok');
});

test('the cleartext port goes on to speak HTTP/1.1, however the first bytes are cut', async (t) => {
  const proxy = await startHttp2Proxy(t);
  proxy.handler.decide = (exchange) => exchange.respond(answerOf(200, 'plain'));
  for (const pieces of [
    ['GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'],
    ['P', 'UT / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'],
  ]) {
    const socket = await proxy.socket();
    let received = '';
    socket.on('data', (bytes) => {
      received += bytes;
    });
    for (const piece of pieces) {
      socket.write(piece);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await once(socket, 'close');
    assert.match(received, /^HTTP\/1\.1 200 [\s\S]*plain$/);
  }
  const half = await proxy.socket();
  half.end('PRI * HT');
  let answered = '';
  half.on('data', (bytes) => {
    answered += bytes;
  });
  await once(half, 'close');
  assert.equal(answered, '');
});

test('a preface on a port that is not for HTTP/2 is refused', async (t) => {
  const proxy = await startHttp2Proxy(t, { http2Cleartext: false });
  const client = await proxy.client();
  client.send('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  assert.match(await client.takeThrough('\r\n\r\n'), /^HTTP\/1\.1 505 /);
});

test('an upgrade to h2c stays refused where prior knowledge is taken', async (t) => {
  const proxy = await startHttp2Proxy(t);
  const client = await proxy.client();
  client.send(
    'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n',
  );
  const upstream = await proxy.upstream.connection();
  assert.equal(await upstream.takeThrough('\r\n\r\n'), 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  upstream.send('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
  assert.match(await client.takeThrough('\r\n\r\n'), /^HTTP\/1\.1 200 /);
});
