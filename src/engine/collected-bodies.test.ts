import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Exchange } from './exchange.ts';
import { readMessage } from './testing/message-reader.ts';
import { turns } from './testing/stamped-body.ts';
import { startEngine, type TestEngine } from './testing/test-engine.ts';
import { answerOf } from './testing/test-handler.ts';

type Cleanup = Parameters<typeof startEngine>[0];

const NEXT = 'GET /next HTTP/1.1\r\nHost: a\r\n\r\n';

function isNext({ head }: Exchange): boolean {
  return head?.bytes.toString('latin1', head.targetStart, head.targetEnd) === '/next';
}

/** Answers with the body, or with what came of reading it. */
async function echo(exchange: Exchange, maxBytes: number): Promise<void> {
  const body = await exchange.readBody(maxBytes);
  exchange.respond(body === 'too-large' ? answerOf(413, body) : answerOf(200, body.toString('latin1')));
}

function startEcho(t: Cleanup, maxBytes = 1000, wait = 0): Promise<TestEngine> {
  return startEngine(t, (exchange) => {
    if (isNext(exchange)) exchange.respond(answerOf(200, 'next'));
    else void turns(wait).then(() => echo(exchange, maxBytes));
  });
}

const BODIES: readonly (readonly [string, string])[] = [
  ['with a length', 'Content-Length: 11\r\n\r\nhello world'],
  ['in chunks', 'Transfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n'],
];

describe('a body is collected in any framing and pieces, at once and later, and the next request is left alone', () => {
  for (const [name, rest] of BODIES) {
    for (const wait of [0, 3]) {
      test(`${name}, ${wait === 0 ? 'at once' : 'later'}`, async (t) => {
        const engine = await startEcho(t, 11, wait);
        const message = `POST / HTTP/1.1\r\nHost: a\r\n${rest}${NEXT}`;
        for (let cut = 0; cut <= message.length; cut += cut % 3 === 0 ? 1 : 7) {
          const client = await engine.client();
          client.send(message.slice(0, cut));
          await turns(cut % 2);
          client.send(message.slice(cut));
          assert.equal((await readMessage(client)).body.toString(), 'hello world');
          assert.equal((await readMessage(client)).body.toString(), 'next');
          client.socket.destroy();
        }
        const client = await engine.client();
        for (const byte of Buffer.from(message)) await client.sendAll(Buffer.from([byte]));
        assert.equal((await readMessage(client)).body.toString(), 'hello world');
        assert.equal((await readMessage(client)).body.toString(), 'next');
        assert.deepEqual(engine.failures, []);
      });
    }
  }
});

test('a request without a body has an empty one', async (t) => {
  const engine = await startEcho(t, 0);
  const client = await engine.client();
  for (const framing of ['', 'Content-Length: 0\r\n', 'Transfer-Encoding: chunked\r\n']) {
    client.send(`POST / HTTP/1.1\r\nHost: a\r\n${framing}\r\n${framing.startsWith('T') ? '0\r\n\r\n' : ''}`);
    assert.equal((await readMessage(client)).startLine, 'HTTP/1.1 200 OK');
  }
});

test('a client that waits for 100 gets it when the body is wanted, and one that does not wait gets none', async (t) => {
  for (const wait of [0, 3]) {
    const engine = await startEcho(t, 4, wait);
    const waiting = await engine.client();
    const head = 'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n';
    waiting.send(head);
    assert.equal(await waiting.takeThrough('\r\n\r\n'), 'HTTP/1.1 100 Continue\r\n\r\n');
    waiting.send('body');
    assert.equal((await readMessage(waiting)).body.toString(), 'body');
    const sending = await engine.client();
    sending.send(`${head}bo`);
    sending.send('dy');
    assert.equal((await readMessage(sending)).body.toString(), 'body');
  }
});

test('a body known to be too large is not asked for, and the answer closes', async (t) => {
  const engine = await startEcho(t, 3);
  const client = await engine.client();
  client.send('PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n');
  const answer = await readMessage(client);
  assert.equal(answer.startLine, 'HTTP/1.1 413 Payload Too Large');
  assert.equal(answer.header('connection'), 'close');
});

test('the rest of a body that is too large is thrown away as behind any early answer', async (t) => {
  const engine = await startEcho(t, 3);
  const client = await engine.client();
  client.send(`PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody${NEXT}`);
  assert.equal((await readMessage(client)).body.toString(), 'too-large');
  assert.equal((await readMessage(client)).body.toString(), 'next');
  client.send(`PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n2\r\ndy\r\n`);
  assert.equal((await readMessage(client)).body.toString(), 'too-large');
  client.send(`3\r\n...\r\n0\r\n\r\n${NEXT}`);
  assert.equal((await readMessage(client)).body.toString(), 'next');
  client.send('PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n');
  assert.equal((await readMessage(client)).header('connection'), 'close');
  assert.equal(await client.takeRest(), '');
});

test('another call gives the same bytes, and one that allows more goes on', async (t) => {
  const outcomes: string[] = [];
  const engine = await startEngine(t, (exchange) => {
    const read = async (): Promise<void> => {
      for (const maxBytes of [2, 3, 100, 4, 3]) outcomes.push(String(await exchange.readBody(maxBytes)));
      exchange.respond(answerOf(200, outcomes.join(' ')));
    };
    void read();
  });
  const client = await engine.client();
  client.send('PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n1\r\nc\r\n1\r\nd\r\n0\r\n\r\n');
  assert.equal((await readMessage(client)).body.toString(), 'too-large too-large abcd abcd too-large');
});

test('the start of a longer body comes without waiting for the rest, in any framing and pieces', async (t) => {
  const engine = await startEngine(t, (exchange) => {
    if (isNext(exchange)) exchange.respond(answerOf(200, 'next'));
    else void exchange.readBodyStart(7).then((start) => exchange.respond(answerOf(200, start.toString('latin1'))));
  });
  for (const [, rest] of BODIES) {
    const message = `POST / HTTP/1.1\r\nHost: a\r\n${rest}`;
    for (let cut = message.indexOf('\r\n\r\n'); cut <= message.length; cut++) {
      const client = await engine.client();
      client.send(message.slice(0, cut));
      await turns(cut % 2);
      client.send(message.slice(cut));
      assert.equal((await readMessage(client)).body.toString(), 'hello w');
      client.socket.destroy();
    }
  }
  const client = await engine.client();
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nhello world');
  assert.equal((await readMessage(client)).body.toString(), 'hello w');
  const short = await engine.client();
  short.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi${NEXT}`);
  assert.equal((await readMessage(short)).body.toString(), 'hi');
  assert.equal((await readMessage(short)).body.toString(), 'next');
  assert.deepEqual(engine.failures, []);
});

test('two calls at once, and one behind the decision, are refused', async (t) => {
  const failures: string[] = [];
  const engine = await startEngine(t, (exchange) => {
    const note = (error: unknown): void => void failures.push(String(error));
    const first = exchange.readBody(10);
    exchange.readBody(10).catch(note);
    void first.then((body) => {
      exchange.respond(answerOf(200, String(body)));
      exchange.readBody(10).catch(note);
    });
  });
  const client = await engine.client();
  client.send('PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody');
  assert.equal((await readMessage(client)).body.toString(), 'body');
  assert.deepEqual(failures, ['Error: the body is being read already', 'Error: the exchange is decided, or over']);
});

describe('an exchange that ends before its body does', () => {
  /** Reads, and tells with what that was rejected. */
  async function startRejected(t: Cleanup): Promise<{ readonly engine: TestEngine; readonly rejection: Promise<string> }> {
    let tell = (_: string): void => {};
    const rejection = new Promise<string>((resolve) => (tell = resolve));
    const engine = await startEngine(t, (exchange) => {
      exchange.readBody(1_000_000).catch((error: unknown) => {
        tell(String(error));
        exchange.respond(answerOf(200, 'too late'));
      });
    });
    return { engine, rejection };
  }

  test('because of a malformed chunk gets 400', async (t) => {
    for (const body of ['zz\r\n', '1\r\naX', '1\r\na\r\n0\r\nHost: b\r\n\r\n']) {
      const { engine, rejection } = await startRejected(t);
      const client = await engine.client();
      client.send(`PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${body}${NEXT}`);
      assert.equal((await readMessage(client)).startLine, 'HTTP/1.1 400 Bad Request');
      assert.equal(await client.takeRest(), '');
      assert.match(await rejection, /ended before the body/);
      assert.deepEqual(
        engine.handler.finished.map(({ reason }) => reason),
        ['bad_chunk'],
      );
    }
  });

  test('because the client goes away', async (t) => {
    for (const how of ['end', 'reset']) {
      const { engine, rejection } = await startRejected(t);
      const client = await engine.client();
      client.send('PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nbe');
      await turns(3);
      if (how === 'end') client.socket.end();
      else client.socket.resetAndDestroy();
      assert.match(await rejection, /ended before the body/);
      const [finished] = await engine.handler.whenFinished(1);
      assert.deepEqual([finished?.status, finished?.reason], [0, 'client_aborted']);
    }
  });

  test('because it is silent, or too slow, gets 408', async (t) => {
    for (const trickles of [false, true]) {
      const { engine, rejection } = await startRejected(t);
      const client = await engine.client();
      client.send('PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n');
      while (engine.server.exchangesInFlight === 0) await turns(1);
      const startMs = engine.clock.monotonicMs();
      while (engine.handler.finished.length === 0) {
        assert.ok(engine.clock.monotonicMs() - startMs < 200_000, 'it goes on for ever');
        if (trickles) client.send('x');
        await turns(3);
        engine.clock.advance(10_000);
      }
      assert.ok(engine.clock.monotonicMs() - startMs >= 60_000);
      assert.equal((await readMessage(client)).startLine, 'HTTP/1.1 408 Request Timeout');
      assert.match(await rejection, /ended before the body/);
    }
  });

  test('because of the end of a drain gets 503', async (t) => {
    const { engine, rejection } = await startRejected(t);
    const client = await engine.client();
    client.send('PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nbe');
    while (engine.server.exchangesInFlight === 0) await turns(1);
    engine.server.destroyAll();
    assert.equal((await readMessage(client)).startLine, 'HTTP/1.1 503 Service Unavailable');
    assert.match(await rejection, /ended before the body/);
  });

  test('because the handler throws after all gets 500', async (t) => {
    const engine = await startEngine(t, (exchange) => {
      void exchange.readBody(10);
      throw new Error('a defect');
    });
    const client = await engine.client();
    client.send('PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nbe');
    assert.equal((await readMessage(client)).startLine, 'HTTP/1.1 500 Internal Server Error');
  });
});

test('the time for a decision begins anew with a body that took long', async (t) => {
  const engine = await startEngine(t, (exchange) => void exchange.readBody(1_000_000));
  const client = await engine.client();
  client.send('PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n');
  while (engine.server.exchangesInFlight === 0) await turns(1);
  for (let sent = 0; sent < 6; sent++) {
    engine.clock.advance(20_000);
    client.send('x'.repeat(10_000));
    await turns(3);
  }
  engine.clock.advance(59_000);
  assert.equal(engine.handler.finished.length, 0);
  engine.clock.advance(1_500);
  assert.equal((await readMessage(client)).startLine, 'HTTP/1.1 500 Internal Server Error');
  assert.equal(engine.handler.finished[0]?.reason, 'decision_timeout');
});

test('time that the handler took before it wanted the body is not counted as slowness of the client', async (t) => {
  let begin = (): void => assert.fail('no request');
  const engine = await startEngine(t, (exchange) => {
    begin = () => void echo(exchange, 100);
  });
  const client = await engine.client();
  client.send('PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n');
  while (engine.server.exchangesInFlight === 0) await turns(1);
  engine.clock.advance(50_000);
  begin();
  engine.clock.advance(50_000);
  client.send('body');
  assert.equal((await readMessage(client)).body.toString(), 'body');
});

test('an answer that does not wait for the body ends the reading, and the rest is thrown away', async (t) => {
  let respond = (): void => assert.fail('no request');
  let rejection = '';
  const engine = await startEngine(t, (exchange) => {
    if (isNext(exchange)) {
      exchange.respond(answerOf(200, 'next'));
      return;
    }
    exchange.readBody(100).catch((error: unknown) => {
      rejection = String(error);
    });
    respond = () => exchange.respond(answerOf(401, 'no'));
  });
  const client = await engine.client();
  client.send('POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello');
  while (engine.server.exchangesInFlight === 0) await turns(1);
  await turns(3);
  respond();
  assert.equal((await readMessage(client)).body.toString(), 'no');
  client.send(`world${NEXT}`);
  assert.equal((await readMessage(client)).body.toString(), 'next');
  assert.match(rejection, /decided before the body/);
});
