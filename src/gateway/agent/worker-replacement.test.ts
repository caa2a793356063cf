import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import type { LogFields } from '../../observability/index.ts';
import { guideItems } from '../testing/guide-items.ts';
import { type RawAnswer, sendRequest } from '../testing/send-request.ts';
import { startTestGateway } from '../testing/test-gateway.ts';
import { startTestUpstream } from '../testing/test-upstream.ts';

const upstream = await startTestUpstream({ after });
const gateway = await startTestGateway({ after }, { testHooks: true });
await gateway.load(guideItems(upstream.port));
await gateway.agent.whenReady();

const request = { target: '/anything/x', headers: ['apikey: secret-api-key'] };

/** Resolves when a thread waits that can take a worker's place. */
async function spareReady(): Promise<void> {
  for (let spare = false; !spare; ) spare = JSON.parse((await sendRequest(gateway.statusPort, { target: '/status' })).body).spare;
}

/** Asks until the one worker has died, then until its successor answers; gives the milliseconds between the two. */
async function outageMs(): Promise<number> {
  while ((await statusOf(sendRequest(gateway.httpPort, request))) === 200);
  const brokenAtMs = performance.now();
  while ((await statusOf(sendRequest(gateway.httpPort, request))) !== 200);
  return performance.now() - brokenAtMs;
}

async function statusOf(answer: Promise<RawAnswer>): Promise<number> {
  const { status } = await answer.catch(() => ({ status: 0 }));
  // Other work of this process must have its turn, even when a connection is refused at once.
  await new Promise((resolve) => setImmediate(resolve));
  return status;
}

/** Makes the worker fail after it has served a request, and tells what the log said of its end. */
async function failWith(failure: string): Promise<LogFields> {
  await spareReady();
  await sendRequest(gateway.httpPort, request);
  const hook = await sendRequest(gateway.statusPort, { method: 'POST', target: `/test/worker/0/${failure}` });
  assert.equal(hook.status, 202);
  const measuredMs = await outageMs();
  assert.ok(measuredMs < 1000, `${measuredMs} ms`);
  const line = gateway.log.lines.findLast((each) => each.message.startsWith('a worker thread ended'));
  return line?.fields ?? {};
}

for (const failure of ['throw', 'exhaust-heap']) {
  test(`a worker that dies of ${failure} is replaced within a second, and the log names what it entered last`, async () => {
    const fields = await failWith(failure);
    assert.equal(fields.worker, 0);
    assert.equal(fields.last_route, 'route');
    assert.equal(fields.last_plugin, 'key-auth');
  });
}

test('a change at the moment of a death is in force in the successor', async () => {
  await spareReady();
  await sendRequest(gateway.statusPort, { method: 'POST', target: '/test/worker/0/exit' });
  await gateway.change({ op: 'delete', name: { kind: 'route', parentId: '', id: 'route' } });
  let status = 200;
  while (status === 0 || status === 200) status = await statusOf(sendRequest(gateway.httpPort, request));
  assert.equal(status, 404);
});
