import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import test from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { spareReady } from '../testing/failing-worker.ts';
import { sendRequest } from '../testing/send-request.ts';
import { startTestGateway } from '../testing/test-gateway.ts';

const REQUEST = 'GET /none HTTP/1.1\r\nHost: test\r\n\r\n';
/** Shorter than the time between two looks at the heartbeats, which this clock would make come at once. */
const DELAY_MS = 200;

test('during the delay of a drain connections are accepted, idle ones are kept, and every answer ends its connection', async (context) => {
  const clock = new FakeClock();
  const gateway = await startTestGateway(context, { clock });
  await gateway.load([]);
  await gateway.agent.whenReady();
  const kept = connect({ host: '127.0.0.1', port: gateway.httpPort });
  context.after(() => kept.destroy());
  kept.write(REQUEST);
  assert.doesNotMatch(String(await once(kept, 'data')), /^Connection:/m);

  const drained = gateway.agent.drain({ delayMs: DELAY_MS, timeoutMs: 1000 });
  const ready = await sendRequest(gateway.statusPort, { target: '/status/ready' });
  assert.equal(JSON.parse(ready.body).error, 'the gateway is draining');
  // A request may overtake the agent's word to the worker.
  while (!(await endsItsConnection(gateway.httpPort)));
  kept.write(REQUEST);
  assert.match(String(await once(kept, 'data')), /^HTTP\/1.1 404 [^]*^Connection: close\r$/m);
  await once(kept, 'end');

  clock.advance(DELAY_MS);
  await drained;
  await assert.rejects(endsItsConnection(gateway.httpPort), { code: 'ECONNREFUSED' });
});

test('workers that take a place or start during the delay of a drain end their connections too', async (context) => {
  const clock = new FakeClock();
  const gateway = await startTestGateway(context, { clock, testHooks: true });
  await gateway.load([]);
  await gateway.agent.whenReady();
  await spareReady(gateway);
  const drained = gateway.agent.drain({ delayMs: DELAY_MS, timeoutMs: 1000 });
  while (!(await endsItsConnection(gateway.httpPort)));
  for (const place of ['the spare', 'a thread of its own']) {
    await sendRequest(gateway.statusPort, { method: 'POST', target: '/test/worker/0/exit' });
    // Until the worker is gone it answers; from then on its successor does.
    while (gateway.log.lines.filter((line) => line.message === 'a worker thread ended and is replaced').length === 0) {
      await sendRequest(gateway.statusPort, { target: '/status' });
    }
    gateway.log.lines.length = 0;
    assert.ok(await patiently(() => endsItsConnection(gateway.httpPort)), place);
    clock.advance(1000);
    await spareReady(gateway);
  }
  clock.advance(DELAY_MS);
  await drained;
});

/** Whether the answer to a request on a new connection, which does not ask for it, ends the connection. */
async function endsItsConnection(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port });
  socket.write(REQUEST);
  try {
    const [bytes] = await once(socket, 'data');
    return /^Connection: close\r$/m.test(String(bytes));
  } finally {
    socket.destroy();
  }
}

/** The first answer that comes while a place is taken over. */
async function patiently(ask: () => Promise<boolean>): Promise<boolean> {
  for (;;) {
    const answer = await ask().catch(() => undefined);
    if (answer !== undefined) return answer;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
