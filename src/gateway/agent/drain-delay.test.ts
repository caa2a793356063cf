import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import test from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { spareReady } from '../testing/failing-worker.ts';
import { sendRequest } from '../testing/send-request.ts';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.ts';

const REQUEST = 'GET /none HTTP/1.1\r\nHost: test\r\n\r\n';
/** So short that a clock which jumps over it does not make a heartbeat seem silent. */
const DELAY_MS = 1000;
/** After this time a worker that ended gets a successor to its successor. */
const RESTART_MS = 500;

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
  assert.match(String(await once(kept, 'data')), /^HTTP\/1.1 404 [\s\S]*^Connection: close\r$/m);
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
  await endWorker(gateway);
  assert.ok(await patiently(() => endsItsConnection(gateway.httpPort)), 'the spare thread');
  clock.advance(RESTART_MS);
  await spareReady(gateway);
  await endWorker(gateway);
  assert.ok(await patiently(() => endsItsConnection(gateway.httpPort)), 'a thread that started during the delay');
  clock.advance(DELAY_MS - RESTART_MS);
  await drained;
});

/** Resolves when the worker in service is gone: from then on its successor answers. */
async function endWorker(gateway: TestGateway): Promise<void> {
  gateway.log.lines.length = 0;
  await sendRequest(gateway.statusPort, { method: 'POST', target: '/test/worker/0/exit' });
  while (!gateway.log.lines.some((line) => line.message === 'a worker thread ended and is replaced')) {
    await sendRequest(gateway.statusPort, { target: '/status' });
  }
}

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
