import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ERROR_CODES } from '../errors/index.ts';
import type { Exchange } from './exchange.ts';
import { readMessage } from './testing/message-reader.ts';
import { hostileHeads } from './testing/request-head-corpus.ts';
import { startEngine } from './testing/test-engine.ts';
import { answerOf } from './testing/test-handler.ts';

const GET = 'GET /x HTTP/1.1\r\nHost: a\r\n\r\n';

function targetOf(exchange: Exchange): string {
  const head = exchange.head;
  return head === undefined ? '' : head.bytes.toString('latin1', head.targetStart, head.targetEnd);
}

function echoTarget(exchange: Exchange): void {
  exchange.respond(answerOf(200, targetOf(exchange)));
}

test('an answer carries Date, Server, Content-Length and the given lines, and the connection goes on', async (t) => {
  const engine = await startEngine(t, echoTarget);
  const client = await engine.client();
  client.send(GET);
  const answer = await readMessage(client);
  assert.equal(answer.startLine, 'HTTP/1.1 200 OK');
  assert.deepEqual(answer.lines, [
    'Date: Fri, 15 Jan 2027 08:00:00 GMT',
    'Server: Portcullis',
    'Content-Type: text/plain',
    'Content-Length: 2',
  ]);
  assert.equal(answer.body.toString(), '/x');
  client.send('GET /again HTTP/1.1\r\nHost: a\r\n\r\n');
  assert.equal((await readMessage(client)).body.toString(), '/again');
  const [first] = await engine.handler.whenFinished(2);
  assert.equal(first?.status, 200);
  assert.equal(first?.bytesFromClient, GET.length);
  assert.equal(engine.server.exchangesInFlight, 0);
});

test('the date moves with the clock', async (t) => {
  const engine = await startEngine(t, echoTarget);
  const client = await engine.client();
  client.send(GET);
  assert.match((await readMessage(client)).header('date') ?? '', /08:00:00/);
  engine.clock.advance(1000);
  client.send(GET);
  assert.match((await readMessage(client)).header('date') ?? '', /08:00:01/);
});

test('an answer to HEAD has the length of the body and no body', async (t) => {
  const engine = await startEngine(t, echoTarget);
  const client = await engine.client();
  client.send(`HEAD /head HTTP/1.1\r\nHost: a\r\n\r\n${GET}`);
  const head = await readMessage(client, { withoutBody: true });
  assert.equal(head.header('content-length'), '5');
  assert.equal((await readMessage(client)).body.toString(), '/x');
});

test('204 and 304 have neither body nor length', async (t) => {
  const engine = await startEngine(t, (exchange) => exchange.respond(answerOf(targetOf(exchange) === '/204' ? 204 : 304, 'never')));
  const client = await engine.client();
  client.send('GET /204 HTTP/1.1\r\nHost: a\r\n\r\nGET /304 HTTP/1.1\r\nHost: a\r\n\r\n');
  for (const status of ['204 No Content', '304 Not Modified']) {
    const answer = await readMessage(client);
    assert.equal(answer.startLine, `HTTP/1.1 ${status}`);
    assert.equal(answer.header('content-length'), undefined);
  }
});

test('pipelined requests are answered in order, also when the first is decided last', async (t) => {
  const pending: (() => void)[] = [];
  const engine = await startEngine(t, (exchange) => {
    const answer = answerOf(200, targetOf(exchange));
    if (pending.length === 0) pending.push(() => exchange.respond(answer));
    else exchange.respond(answer);
  });
  const client = await engine.client();
  client.send(['/1', '/2', '/3'].map((target) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''));
  client.send('GET /4 HTTP/1.1\r\nHo');
  while (pending.length === 0) await new Promise(setImmediate);
  pending[0]?.();
  client.send('st: a\r\n\r\n');
  for (const target of ['/1', '/2', '/3', '/4']) assert.equal((await readMessage(client)).body.toString(), target);
});

test('thousands of pipelined requests in one write are all answered', async (t) => {
  const engine = await startEngine(t, echoTarget);
  const client = await engine.client();
  client.send(Array.from({ length: 5000 }, (_, index) => `GET /${index} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''));
  for (let index = 0; index < 5000; index++) assert.equal((await readMessage(client)).body.toString(), `/${index}`);
});

test('a decision that comes later still finds the head where the handler looks for it', async (t) => {
  let decide = (): void => assert.fail('no request');
  const engine = await startEngine(t, (exchange) => {
    if (targetOf(exchange) === '/other') {
      exchange.respond(answerOf(200, 'other'));
      return;
    }
    decide = () => exchange.respond(answerOf(200, targetOf(exchange)));
  });
  const slow = await engine.client();
  const quick = await engine.client();
  slow.send(`POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody`);
  while (engine.server.exchangesInFlight === 0) await new Promise(setImmediate);
  for (let index = 0; index < 20; index++) {
    quick.send('GET /other HTTP/1.1\r\nHost: a\r\n\r\n');
    await readMessage(quick);
  }
  decide();
  assert.equal((await readMessage(slow)).body.toString(), '/slow');
});

test('HTTP/1.0 closes by default and keeps the connection when asked', async (t) => {
  const engine = await startEngine(t, echoTarget);
  const closing = await engine.client();
  closing.send('GET /x HTTP/1.0\r\n\r\n');
  assert.equal((await readMessage(closing)).header('connection'), 'close');
  assert.equal(await closing.takeRest(), '');
  const keeping = await engine.client();
  keeping.send('GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
  assert.equal((await readMessage(keeping)).header('connection'), 'keep-alive');
  keeping.send('GET /y HTTP/1.0\r\n\r\n');
  assert.equal((await readMessage(keeping)).body.toString(), '/y');
});

test('Connection: close is obeyed and repeated', async (t) => {
  const engine = await startEngine(t, echoTarget);
  const client = await engine.client();
  client.send(`GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n${GET}`);
  assert.equal((await readMessage(client)).header('connection'), 'close');
  assert.equal(await client.takeRest(), '');
  assert.equal((await engine.handler.whenFinished(1)).length, 1);
});

test('a client that has ended its side still gets its answer', async (t) => {
  const engine = await startEngine(t, echoTarget);
  const client = await engine.client();
  client.socket.end(GET);
  assert.equal((await readMessage(client)).body.toString(), '/x');
  assert.equal(await client.takeRest(), '');
});

test('a client that pipelines requests and ends its side gets all answers', async (t) => {
  const pending: (() => void)[] = [];
  const engine = await startEngine(t, (exchange) => {
    const answer = answerOf(200, targetOf(exchange));
    pending.push(() => exchange.respond(answer));
  });
  const client = await engine.client();
  client.socket.end(['/1', '/2', '/3'].map((target) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''));
  for (const target of ['/1', '/2', '/3']) {
    while (pending.length === 0) await new Promise(setImmediate);
    pending.pop()?.();
    assert.equal((await readMessage(client)).body.toString(), target);
  }
  assert.equal(await client.takeRest(), '');
});

describe('a refused request is answered, and not a byte behind it is read as another', () => {
  for (const { name, bytes, reason } of hostileHeads) {
    test(name, async (t) => {
      const engine = await startEngine(t, echoTarget);
      engine.handler.answerLines = 'X-Engine-Answer: yes\r\n';
      const client = await engine.client();
      client.send(Buffer.concat([bytes, Buffer.from(`\r\n\r\n${GET}${GET}`)]));
      const answer = await readMessage(client);
      assert.match(answer.startLine, new RegExp(`^HTTP/1\\.1 ${ERROR_CODES[reason].status} `));
      assert.equal(answer.header('connection'), 'close');
      assert.equal(answer.header('content-type'), 'application/json');
      assert.equal(answer.header('x-engine-answer'), 'yes');
      assert.deepEqual(JSON.parse(answer.body.toString()), { error_msg: ERROR_CODES[reason].publicMessage });
      assert.equal(answer.body.at(-1), 0x0a);
      assert.equal(await client.takeRest(), '');
      assert.deepEqual(
        (await engine.handler.whenFinished(1)).map((exchange) => [exchange.status, exchange.reason]),
        [[ERROR_CODES[reason].status, reason]],
      );
    });
  }
});

test('a body that an early answer leaves unread is thrown away, never read as a request', async (t) => {
  const engine = await startEngine(t, (exchange) => exchange.respond(answerOf(401, 'no', 'key_missing')));
  const client = await engine.client();
  client.send(`POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: ${GET.length}\r\n\r\n${GET}GET /next HTTP/1.1\r\nHost: a\r\n\r\n`);
  await readMessage(client);
  await readMessage(client);
  client.send(`POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${GET.length.toString(16)}\r\n${GET}`);
  await readMessage(client);
  client.send('\r\n0\r\n\r\nGET /y HTTP/1.1\r\nHost: a\r\n\r\n');
  await readMessage(client);
  assert.equal((await engine.handler.whenFinished(4)).length, 4);
});

test('a body too large to be thrown away closes the connection behind the answer', async (t) => {
  const engine = await startEngine(t, (exchange) => exchange.respond(answerOf(401, 'no', 'key_missing')));
  const client = await engine.client();
  client.send(`POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n`);
  const answer = await readMessage(client);
  assert.equal(answer.header('connection'), 'close');
  assert.equal(await client.takeRest(), '');
  const chunked = await engine.client();
  chunked.send(`POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n`);
  assert.equal((await readMessage(chunked)).header('connection'), undefined);
  chunked.send(`30000\r\n${'x'.repeat(0x30000)}\r\n0\r\n\r\n${GET}`);
  assert.equal(await chunked.takeRest(), '');
  assert.equal(engine.handler.finished.length, 2);
});

test('malformed chunks in a body that is thrown away close the connection', async (t) => {
  const engine = await startEngine(t, (exchange) => exchange.respond(answerOf(401, 'no', 'key_missing')));
  const client = await engine.client();
  client.send(`POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n${GET}`);
  await readMessage(client);
  assert.equal(await client.takeRest(), '');
  assert.equal(engine.handler.finished.length, 1);
});

test('a refusal to a client that waits for 100 is final and closes', async (t) => {
  const engine = await startEngine(t, (exchange) => exchange.respond(answerOf(401, 'no', 'key_missing')));
  const client = await engine.client();
  client.send(`POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n`);
  const answer = await readMessage(client);
  assert.equal(answer.startLine, 'HTTP/1.1 401 Unauthorized');
  assert.equal(answer.header('connection'), 'close');
  assert.equal(await client.takeRest(), '');
});

test('a handler that throws costs its own request only', async (t) => {
  const engine = await startEngine(t, (exchange) => {
    if (targetOf(exchange) !== '/x') throw new Error('a defect');
    echoTarget(exchange);
  });
  const client = await engine.client();
  const other = await engine.client();
  client.send('GET /bad HTTP/1.1\r\nHost: a\r\n\r\n');
  assert.equal((await readMessage(client)).startLine, 'HTTP/1.1 500 Internal Server Error');
  other.send(GET);
  assert.equal((await readMessage(other)).body.toString(), '/x');
  assert.equal(engine.handler.finished[0]?.reason, 'internal');
  assert.match(String(engine.failures[0]), /a defect/);
});

test('what throws after deciding is answered with 500 as well', async (t) => {
  const engine = await startEngine(t, (exchange) => {
    exchange.respond(answerOf(200, 'yes'));
    throw new Error('a defect');
  });
  const client = await engine.client();
  client.send(GET);
  assert.equal((await readMessage(client)).startLine, 'HTTP/1.1 500 Internal Server Error');
});

test('of two decisions the first stands, and the second is reported', async (t) => {
  const engine = await startEngine(t, (exchange) => {
    exchange.respond(answerOf(200, 'first'));
    exchange.respond(answerOf(200, 'second'));
  });
  const client = await engine.client();
  client.send(GET);
  assert.equal((await readMessage(client)).body.toString(), 'first');
  assert.match(String(engine.failures[0]), /decided already/);
});

test('a handler may give an exchange up while it is asked, whatever it has decided before', async (t) => {
  const engine = await startEngine(t, (exchange) => {
    exchange.respond(answerOf(200, 'decided'));
    exchange.abort('service_overloaded');
  });
  const client = await engine.client();
  for (let request = 1; request <= 2; request++) {
    client.send(GET);
    assert.match((await readMessage(client)).startLine, /^HTTP.1\.1 503 /);
    const finished = await engine.handler.whenFinished(request);
    assert.deepEqual([finished.at(-1)?.status, finished.at(-1)?.reason], [503, 'service_overloaded']);
  }
});

test('what has come behind the head of an exchange that is given up while it is asked is a body, and then the next request', async (t) => {
  const targets: string[] = [];
  const engine = await startEngine(t, (exchange) => {
    targets.push(targetOf(exchange));
    if (targets.length < 3) exchange.abort('service_overloaded');
    else exchange.respond(answerOf(200, 'yes'));
  });
  const client = await engine.client();
  const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';
  const length = `Content-Length: ${smuggled.length + 10}`;
  client.send(`POST /length HTTP/1.1\r\nHost: a\r\n${length}\r\n\r\n${'x'.repeat(10)}`);
  assert.match((await readMessage(client)).startLine, / 503 /);
  client.send(`${smuggled}POST /chunks HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${smuggled.length.toString(16)}\r\n`);
  assert.match((await readMessage(client)).startLine, / 503 /);
  client.send(`${smuggled}\r\n0\r\n\r\nGET /next HTTP/1.1\r\nHost: a\r\n\r\n`);
  assert.match((await readMessage(client)).startLine, / 200 /);
  assert.deepEqual(targets, ['/length', '/chunks', '/next']);
});

test('a decision for a client that has gone is ignored', async (t) => {
  const exchanges: Exchange[] = [];
  const engine = await startEngine(t, (exchange) => void exchanges.push(exchange));
  const client = await engine.client();
  client.send(GET);
  while (exchanges.length === 0) await new Promise(setImmediate);
  client.socket.resetAndDestroy();
  const [finished] = await engine.handler.whenFinished(1);
  assert.deepEqual([finished?.status, finished?.reason], [0, 'client_aborted']);
  exchanges[0]?.respond(answerOf(200, 'too late'));
  assert.equal(exchanges[0]?.head, undefined);
  assert.equal(engine.handler.finished.length, 1);
});

test('a client that goes away inside a head counts as aborted', async (t) => {
  const engine = await startEngine(t, echoTarget);
  const client = await engine.client();
  client.socket.end('GET /x HT');
  const [finished] = await engine.handler.whenFinished(1);
  assert.deepEqual([finished?.status, finished?.reason], [0, 'client_aborted']);
  await client.whenClosed();
});

test('a client that reads nothing is not served beyond what the kernel takes', async (t) => {
  const body = 'x'.repeat(1024 * 1024);
  const engine = await startEngine(t, (exchange) => exchange.respond(answerOf(200, body)));
  const client = await engine.client();
  client.socket.pause();
  client.send(GET.repeat(100));
  await engine.handler.whenFinished(1);
  for (let turn = 0; turn < 200; turn++) await new Promise(setImmediate);
  assert.ok(engine.handler.finished.length < 50, `${engine.handler.finished.length} answers were written`);
  client.socket.resume();
  for (let index = 0; index < 100; index++) assert.equal((await readMessage(client)).body.length, body.length);
});

test('the address of a client is canonical', async (t) => {
  const engine = await startEngine(t, (exchange) => exchange.respond(answerOf(200, exchange.connection.remoteAddress)));
  const client = await engine.client();
  client.send(GET);
  assert.equal((await readMessage(client)).body.toString(), '127.0.0.1');
});
