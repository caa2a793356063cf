import assert from 'node:assert/strict';
import type { LogFields } from '../../observability/index.ts';
import { guideItems } from './guide-items.ts';
import { type RequestText, sendRequest } from './send-request.ts';
import { startTestGateway, type TestGateway } from './test-gateway.ts';
import { startTestUpstream, type TestEnd } from './test-upstream.ts';

/** A request that the guide's configuration lets pass. */
const GOOD_REQUEST: RequestText = { target: '/anything/x', headers: ['apikey: secret-api-key'] };

/** A gateway with one worker that can be made to fail, and the guide's configuration in force. */
export async function startFragileGateway(test: TestEnd): Promise<TestGateway> {
  const upstream = await startTestUpstream(test);
  const gateway = await startTestGateway(test, { testHooks: true });
  await gateway.load(guideItems(upstream.port));
  await gateway.agent.whenReady();
  return gateway;
}

/** Resolves when a thread waits that can take a worker's place. */
export async function spareReady(gateway: TestGateway): Promise<void> {
  for (let spare = false; !spare; ) spare = JSON.parse((await sendRequest(gateway.statusPort, { target: '/status' })).body).spare;
}

/** The status of one answer, 0 when there was none. */
export async function statusOf(gateway: TestGateway): Promise<number> {
  const { status } = await sendRequest(gateway.httpPort, GOOD_REQUEST).catch(() => ({ status: 0 }));
  // Other work of this process must have its turn, even when a connection is refused at once.
  await new Promise((resolve) => setImmediate(resolve));
  return status;
}

/** Makes the worker fail after it has served a request, checks that another serves within a second, and tells what the log said. */
export async function failAndRecover(gateway: TestGateway, failure: string): Promise<LogFields> {
  await spareReady(gateway);
  await sendRequest(gateway.httpPort, GOOD_REQUEST);
  const ended = (): number => gateway.log.lines.filter(({ message }) => message.startsWith('a worker thread ended')).length;
  const endedBefore = ended();
  const hook = await sendRequest(gateway.statusPort, { method: 'POST', target: `/test/worker/0/${failure}` });
  assert.equal(hook.status, 202);
  // A spare worker may take over so soon that no request meets the gap.
  while ((await statusOf(gateway)) === 200 && ended() === endedBefore);
  const brokenAtMs = performance.now();
  while ((await statusOf(gateway)) !== 200);
  const outageMs = performance.now() - brokenAtMs;
  assert.ok(outageMs < 1000, `${outageMs} ms`);
  return gateway.log.lines.findLast((line) => line.message.startsWith('a worker thread ended'))?.fields ?? {};
}
