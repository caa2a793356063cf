import assert from 'node:assert/strict';
import test from 'node:test';
import type { UsageReport } from '../distribution/gateway-side.ts';
import { spareReady, startFragileGateway, statusOf } from './testing/failing-worker.ts';
import { guideItems } from './testing/guide-items.ts';
import { sendRequest } from './testing/send-request.ts';
import { startTestGateway } from './testing/test-gateway.ts';
import { startTestUpstream } from './testing/test-upstream.ts';

const worker = { httpDescriptors: [], httpsDescriptors: [] };

function countsOf(reports: readonly UsageReport[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const [consumer, credential, route, status, requests] of reports.flatMap(({ entries }) => entries)) {
    const key = [consumer, credential, route, status].join(' ');
    counts.set(key, (counts.get(key) ?? 0) + requests);
  }
  return counts;
}

test('a gateway tells exactly who used what, over all of its workers', async (context) => {
  const upstream = await startTestUpstream(context);
  const gateway = await startTestGateway(context, { workers: [worker, worker] });
  await gateway.load(guideItems(upstream.port));
  await gateway.agent.whenReady();
  const key = { headers: ['apikey: secret-api-key'] };
  await Promise.all(Array.from({ length: 40 }, () => sendRequest(gateway.httpPort, { target: '/anything/x', ...key })));
  // Keys that nobody has are counted as nobody's, however many there are.
  for (let index = 0; index < 5; index++)
    await sendRequest(gateway.httpPort, { target: '/anything/x', headers: [`apikey: guess-${index}`] });
  for (let index = 0; index < 3; index++) await sendRequest(gateway.httpPort, { target: `/none-${index}` });
  await gateway.agent.drain({ delayMs: 0, timeoutMs: 1000 });
  assert.deepEqual(
    countsOf(gateway.usageReports),
    new Map([
      ['jack cred route 200', 40],
      ['  route 401', 5],
      ['   404', 3],
    ]),
  );
  assert.doesNotMatch(JSON.stringify(gateway.usageReports), /secret|guess/);
});

test('what a worker has counted outlives it', async (context) => {
  const gateway = await startFragileGateway(context);
  const before = await statusOf(gateway);
  assert.equal(before, 200);
  await spareReady(gateway);
  await sendRequest(gateway.statusPort, { method: 'POST', target: '/test/worker/0/exit' });
  while ((await statusOf(gateway)) !== 200);
  await gateway.agent.drain({ delayMs: 0, timeoutMs: 1000 });
  assert.ok((countsOf(gateway.usageReports).get('jack cred route 200') ?? 0) >= 2);
});
