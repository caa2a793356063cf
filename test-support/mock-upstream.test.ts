import assert from 'node:assert/strict';
import { test } from 'node:test';
import { httpAnswer, startMockUpstream } from './mock-upstream.ts';
import { openRawConnection } from './raw-client.ts';

test('an upstream records requests byte by byte and answers them in order on one connection', async (t) => {
  const upstream = await startMockUpstream(t, (request) =>
    httpAnswer(200, request.target, [['X-Count', String(upstream.requests.length)]]),
  );
  const client = await openRawConnection(t, upstream);
  const first = 'POST /one HTTP/1.1\r\nhost: x\r\nX-A:  1 \r\nContent-Length: 3\r\n\r\nabc';
  const second = 'PUT /two HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2;ext\r\nde\r\n1\r\nf\r\n0\r\nX-T: 9\r\n\r\n';
  client.send(first + second);
  assert.equal((await client.readResponse()).text(), '/one');
  assert.equal((await client.readResponse()).header('x-count'), '2');
  assert.deepEqual(
    upstream.requests.map((request) => [request.method, request.body.toString(), request.bytes.toString('latin1')]),
    [
      ['POST', 'abc', first],
      ['PUT', 'def', second],
    ],
  );
  assert.deepEqual(upstream.requests[0]?.headers, [
    ['host', 'x'],
    ['X-A', '1'],
    ['Content-Length', '3'],
  ]);
  assert.deepEqual(upstream.requests[1]?.trailers, [['X-T', '9']]);
  assert.deepEqual([upstream.acceptedConnections, upstream.faults.length], [1, 0]);
});

test('a client reads interim, bodiless, chunked and unframed responses', async (t) => {
  const answers = [
    'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n',
    'HTTP/1.1 200 OK\r\n\r\nuntil the end',
  ];
  const upstream = await startMockUpstream(t, (_, socket) => {
    socket.write(answers.shift() ?? '');
    if (answers.length === 0) socket.end();
    return undefined;
  });
  const client = await openRawConnection(t, upstream);
  client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(4));
  assert.equal((await client.readResponse()).status, 103);
  assert.equal((await client.readResponse()).status, 204);
  assert.equal((await client.readResponse('HEAD')).header('content-length'), '99');
  const chunked = await client.readResponse();
  assert.deepEqual([chunked.text(), chunked.trailers], ['abc', [['X-T', '1']]]);
  assert.equal((await client.readResponse()).text(), 'until the end');
});

test('a client fails on what is not strictly HTTP/1.1', async (t) => {
  for (const answer of [
    'HTTP/1.1 200 OK\nContent-Length: 0\n\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 0\nX: 1\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc',
    'HTTP/2 200\r\n\r\n',
    '',
  ]) {
    const upstream = await startMockUpstream(t, (_, socket) => {
      socket.end(answer);
      return undefined;
    });
    const client = await openRawConnection(t, upstream);
    client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await assert.rejects(client.readResponse(), Error, JSON.stringify(answer));
  }
});

test('an upstream can answer before the body has come, take over the bare connection, and tells of malformed requests', async (t) => {
  const early = await startMockUpstream(t, () => httpAnswer(413), { answerAt: 'head' });
  const earlyClient = await openRawConnection(t, early);
  earlyClient.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n');
  assert.equal((await earlyClient.readResponse()).status, 413);
  const bare = await startMockUpstream(t, undefined, { onConnection: (socket) => socket.end('not HTTP') });
  assert.equal((await (await openRawConnection(t, bare)).readUntilClose()).toString(), 'not HTTP');
  const plain = await startMockUpstream(t);
  const plainClient = await openRawConnection(t, plain);
  plainClient.send('GET / HTTP/1.1\r\nbad header\r\n\r\n').end();
  while (plain.faults.length === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.match(String(plain.faults[0]), /a header line should stand here/);
});
