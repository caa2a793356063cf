import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ResponseHeadEditor } from '../response-filter.ts';
import { readMessage } from '../testing/message-reader.ts';
import { startProxy } from '../testing/test-engine.ts';
import { planTo } from '../testing/test-handler.ts';

type Cleanup = Parameters<typeof startProxy>[0];

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

/** The head that reaches the client of what the upstream answers, edited by `edit`. */
async function editedHead(
  t: Cleanup,
  response: string,
  edit: (head: ResponseHeadEditor) => void,
  options: Parameters<typeof startProxy>[1] = {},
  request = GET,
): Promise<readonly string[]> {
  const proxy = await startProxy(t, options);
  const onHead = (head: ResponseHeadEditor): undefined => edit(head) as undefined;
  proxy.handler.decide = (exchange) => exchange.forward(planTo(proxy.target, { responseFilter: { onHead } }));
  const client = await proxy.client();
  client.send(request);
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  upstream.send(response);
  const head = (await client.takeThrough('\r\n\r\n')).slice(0, -4).split('\r\n');
  assert.deepEqual(proxy.failures, []);
  return head;
}

const RESPONSE =
  'HTTP/1.1 200 Fine\r\nDate: then\r\nX-A: 1\r\nServer: up\r\nx-a:  2 \r\nX-B: \xff\r\nConnection: X-Hop, close\r\nX-Hop: 1\r\nContent-Length: 2\r\n\r\nok';

test('a filter sees what the client would get', async (t) => {
  let seen: unknown;
  await editedHead(t, RESPONSE, (head) => {
    seen = {
      status: head.status,
      hasBody: head.hasBody,
      names: head.headerNames(),
      first: head.header('x-a'),
      all: head.headerValues('x-a'),
      high: head.header('x-b'),
      length: head.header('content-length'),
      hidden: [head.header('x-hop'), head.header('server'), head.header('connection'), head.header('x-none')],
      none: head.headerValues('x-none'),
    };
  });
  assert.deepEqual(seen, {
    status: 200,
    hasBody: true,
    names: ['date', 'x-a', 'x-b', 'content-length'],
    first: '1',
    all: ['1', '2'],
    high: '\xff',
    length: '2',
    hidden: [undefined, undefined, undefined, undefined],
    none: [],
  });
});

test('fields are replaced, added and removed, the others stay as they were', async (t) => {
  const head = await editedHead(t, RESPONSE, (editor) => {
    editor.setHeader('X-A', 'new');
    editor.addHeader('X-A', 'second');
    editor.addHeader('X-B', '\xfe');
    editor.addHeader('X-C', 'gone');
    editor.removeHeader('x-c');
    assert.deepEqual(editor.headerValues('x-a'), ['new', 'second']);
    assert.deepEqual(editor.headerValues('x-b'), ['\xff', '\xfe']);
    assert.equal(editor.header('x-c'), undefined);
    assert.deepEqual(editor.headerNames(), ['date', 'x-b', 'content-length', 'x-a']);
  });
  assert.deepEqual(head, [
    'HTTP/1.1 200 Fine',
    'Date: then',
    'X-B: \xff',
    'X-A: new',
    'X-A: second',
    'X-B: \xfe',
    'Server: Portcullis',
    'Content-Length: 2',
  ]);
});

test("a Date that is removed is followed by the gateway's, and a length stays", async (t) => {
  const head = await editedHead(t, RESPONSE, (editor) => {
    for (const name of editor.headerNames()) editor.removeHeader(name);
    editor.removeHeader('content-length');
    editor.removeHeader('server');
  });
  assert.deepEqual(head, ['HTTP/1.1 200 Fine', 'Server: Portcullis', 'Date: Fri, 15 Jan 2027 08:00:00 GMT', 'Content-Length: 2']);
});

test('a new status gets its reason phrase, and the log knows both', async (t) => {
  const proxy = await startProxy(t);
  const onHead = (head: ResponseHeadEditor): undefined => {
    head.status = head.status === 500 ? 404 : 299;
    assert.ok(head.hasBody);
  };
  proxy.handler.decide = (exchange) => exchange.forward(planTo(proxy.target, { responseFilter: { onHead } }));
  const client = await proxy.client();
  client.send(`${GET}${GET}`);
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  upstream.send('HTTP/1.1 500 Bad\r\nContent-Length: 2\r\n\r\nno');
  const first = await readMessage(client);
  assert.equal(first.startLine, 'HTTP/1.1 404 Not Found');
  assert.equal(first.header('x-apisix-upstream-status'), '500');
  await upstream.takeThrough('\r\n\r\n');
  upstream.send('HTTP/1.1 200 Good\r\nContent-Length: 2\r\n\r\nok');
  assert.equal((await readMessage(client)).startLine, 'HTTP/1.1 299 ');
  const finished = await proxy.handler.whenFinished(2);
  assert.deepEqual(
    finished.map(({ status, upstreamStatus }) => [status, upstreamStatus]),
    [
      [404, 500],
      [299, 200],
    ],
  );
});

test('the same status keeps what the upstream wrote', async (t) => {
  const [line] = await editedHead(t, RESPONSE, (head) => {
    head.status = 200;
  });
  assert.equal(line, 'HTTP/1.1 200 Fine');
});

describe('what cannot stand in an answer is refused', () => {
  const cases: readonly (readonly [string, (head: ResponseHeadEditor) => void, RegExp])[] = [
    ['a name with a space', (head) => head.setHeader('X A', '1'), /TypeError/],
    ['an empty name', (head) => head.addHeader('', '1'), /TypeError/],
    ['a line break in a value', (head) => head.setHeader('X-A', '1\r\nX-B: 2'), /TypeError/],
    ['a character beyond a byte', (head) => head.addHeader('X-A', '€'), /TypeError/],
    ['a NUL', (head) => head.addHeader('X-A', '\0'), /TypeError/],
    ['a length', (head) => head.setHeader('Content-Length', '1'), /content-length cannot be set/],
    ['a transfer coding', (head) => head.addHeader('transfer-encoding', 'chunked'), /cannot be set/],
    ['a Connection', (head) => head.setHeader('Connection', 'close'), /cannot be set/],
    ['a Date', (head) => head.setHeader('Date', 'now'), /cannot be set/],
    ['a Server', (head) => head.setHeader('Server', 'me'), /cannot be set/],
    ['a field of the gateway', (head) => head.setHeader('request-NAME', '1'), /cannot be set/],
    ['a status below 200', (head) => Object.assign(head, { status: 101 }), /RangeError/],
    ['a status above 599', (head) => Object.assign(head, { status: 600 }), /RangeError/],
    ['half a status', (head) => Object.assign(head, { status: 200.5 }), /RangeError/],
  ];
  for (const [name, edit, message] of cases) {
    test(name, async (t) => {
      const head = await editedHead(t, RESPONSE, (editor) => assert.throws(() => edit(editor), message), {
        ownResponseFields: ['Request-Name'],
      });
      assert.equal(head[0], 'HTTP/1.1 200 Fine');
    });
  }
});

test('a filter that throws is answered with 500, and both connections end', async (t) => {
  const proxy = await startProxy(t);
  const onHead = (): undefined => {
    throw new Error('a defect');
  };
  proxy.handler.decide = (exchange) => exchange.forward(planTo(proxy.target, { responseFilter: { onHead } }));
  const client = await proxy.client();
  client.send(GET);
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  upstream.send(`HTTP/1.1 103 Early Hints\r\n\r\n${RESPONSE}`);
  assert.equal((await client.takeThrough('\r\n\r\n')).slice(0, 12), 'HTTP/1.1 103');
  const answer = await readMessage(client);
  assert.equal(answer.startLine, 'HTTP/1.1 500 Internal Server Error');
  assert.equal(answer.body.toString(), '{"error_msg":"internal error"}\n');
  assert.equal(await client.takeRest(), '');
  await upstream.takeRest();
  const [finished] = await proxy.handler.whenFinished(1);
  assert.deepEqual([finished?.status, finished?.upstreamStatus, finished?.reason], [500, 200, 'internal']);
  assert.match(String(proxy.failures[0]), /a defect/);
});

test('an editor is of no use when its answer is on the way', async (t) => {
  let kept: ResponseHeadEditor | undefined;
  await editedHead(t, RESPONSE, (head) => {
    kept = head;
  });
  const late = kept;
  assert.ok(late !== undefined);
  for (const use of [() => late.header('x-a'), () => late.status, () => late.setHeader('a', 'b'), () => late.headerNames()]) {
    assert.throws(use, /on its way already/);
  }
});

test('interim responses and changes of protocol are nothing for a filter', async (t) => {
  const proxy = await startProxy(t);
  const statuses: number[] = [];
  const onHead = (head: ResponseHeadEditor): undefined => void statuses.push(head.status);
  proxy.handler.decide = (exchange) => exchange.forward(planTo(proxy.target, { allowsUpgrade: true, responseFilter: { onHead } }));
  const client = await proxy.client();
  client.send(GET);
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  upstream.send(
    'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 201 Made\r\nContent-Length: 0\r\n\r\n',
  );
  assert.equal(await client.takeThrough('\r\n\r\n'), 'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n');
  assert.equal(await client.takeThrough('\r\n\r\n'), 'HTTP/1.1 103 Early Hints\r\n\r\n');
  assert.match(await client.takeThrough('\r\n\r\n'), /^HTTP\/1\.1 201 Made/);
  client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: test\r\n\r\n');
  await upstream.takeThrough('\r\n\r\n');
  upstream.send('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: test\r\n\r\nhello');
  await client.takeThrough('hello');
  assert.deepEqual(statuses, [201]);
});

test('a head that comes byte by byte is edited alike', async (t) => {
  const proxy = await startProxy(t);
  const onHead = (head: ResponseHeadEditor): undefined => {
    head.setHeader('x-a', `${head.headerValues('x-a').join('+')}`);
    head.status = 202;
  };
  proxy.handler.decide = (exchange) => exchange.forward(planTo(proxy.target, { responseFilter: { onHead } }));
  const client = await proxy.client();
  client.send(GET);
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  for (const byte of Buffer.from(RESPONSE, 'latin1')) await upstream.sendAll(Buffer.from([byte]));
  const answer = await readMessage(client);
  assert.equal(answer.startLine, 'HTTP/1.1 202 Accepted');
  assert.equal(answer.header('x-a'), '1+2');
  assert.equal(answer.body.toString(), 'ok');
});
