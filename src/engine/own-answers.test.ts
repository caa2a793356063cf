import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LocalAnswer } from './exchange.ts';
import { readMessage } from './testing/message-reader.ts';
import { closedPort, startEngine, type TestEngine } from './testing/test-engine.ts';
import { answerOf, planTo } from './testing/test-handler.ts';

type Cleanup = Parameters<typeof startEngine>[0];

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

/** An engine whose only upstream refuses. */
async function startRefused(t: Cleanup): Promise<TestEngine> {
  const dead = await closedPort(t);
  const engine = await startEngine(t, (exchange) => exchange.forward(planTo(target)));
  const target = engine.pool.target('127.0.0.1', dead);
  return engine;
}

test("the engine's own answer may be changed, and its reason stays", async (t) => {
  const engine = await startRefused(t);
  const seen: LocalAnswer[] = [];
  engine.handler.filterAnswer = (exchange, answer) => {
    assert.equal(exchange.attempts, 1);
    seen.push(answer);
    return { ...answerOf(418, 'changed'), headerLines: Buffer.from('X-Changed: yes\r\n') };
  };
  const client = await engine.client();
  client.send(`${GET}${GET}`);
  for (let round = 0; round < 2; round++) {
    const answer = await readMessage(client);
    assert.equal(answer.startLine, "HTTP/1.1 418 I'm a Teapot");
    assert.equal(answer.header('x-changed'), 'yes');
    assert.equal(answer.body.toString(), 'changed');
  }
  assert.deepEqual(
    (await engine.handler.whenFinished(2)).map(({ status, reason, bodyBytesToClient }) => [status, reason, bodyBytesToClient]),
    [
      [418, 'connect_refused', 7],
      [418, 'connect_refused', 7],
    ],
  );
  assert.deepEqual(
    seen.map(({ status, reason }) => [status, reason]),
    [
      [502, 'connect_refused'],
      [502, 'connect_refused'],
    ],
  );
});

test('throwing leaves the answer as it is', async (t) => {
  const engine = await startRefused(t);
  engine.handler.filterAnswer = () => {
    throw new Error('a defect');
  };
  const client = await engine.client();
  client.send(GET);
  const answer = await readMessage(client);
  assert.equal(answer.body.toString(), '{"error_msg":"the upstream refused the connection"}\n');
  assert.match(String(engine.failures), /a defect/);
});

test('what else is done to the exchange then comes too late', async (t) => {
  const engine = await startRefused(t);
  engine.handler.filterAnswer = (exchange, answer) => {
    exchange.abort('service_overloaded');
    return answer;
  };
  const client = await engine.client();
  client.send(`${GET}${GET}`);
  for (let round = 0; round < 2; round++) assert.equal((await readMessage(client)).startLine, 'HTTP/1.1 502 Bad Gateway');
});

test('a decision that never came is answered through it, and one taken there comes too late', async (t) => {
  const engine = await startEngine(t, () => {});
  engine.handler.filterAnswer = (exchange) => {
    exchange.respond(answerOf(200, 'no'));
    return answerOf(504, 'changed');
  };
  const client = await engine.client();
  client.send(GET);
  while (engine.server.exchangesInFlight === 0) await new Promise(setImmediate);
  engine.clock.advance(60_500);
  assert.equal((await readMessage(client)).body.toString(), 'changed');
});

test("a handler's own answer, and one to a head that could not be read, are left alone", async (t) => {
  const engine = await startEngine(t, (exchange) => exchange.respond(answerOf(200, 'mine')));
  engine.handler.filterAnswer = () => assert.fail('it must not be asked');
  const client = await engine.client();
  client.send(`${GET}GET / HTTP/1.1\r\nbad header\r\n\r\n`);
  assert.equal((await readMessage(client)).body.toString(), 'mine');
  assert.equal((await readMessage(client)).startLine, 'HTTP/1.1 400 Bad Request');
  const slow = await engine.client();
  slow.send('GET / HT');
  while (engine.server.exchangesInFlight === 0) await new Promise(setImmediate);
  engine.clock.advance(60_500);
  assert.equal((await readMessage(slow)).startLine, 'HTTP/1.1 408 Request Timeout');
  assert.deepEqual(engine.failures, []);
});
