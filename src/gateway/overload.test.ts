import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { SnapshotItem } from '../schema/index.ts';
import type { LimitSettings } from './limits/index.ts';
import { type HeldUpstream, startHeldUpstream } from './testing/held-upstream.ts';
import { type RawAnswer, sendRequest } from './testing/send-request.ts';
import { startTestGateway, type TestGateway } from './testing/test-gateway.ts';
import { startTestUpstream } from './testing/test-upstream.ts';

const WORKER = { httpDescriptors: [], httpsDescriptors: [] };

function service(id: string, ports: readonly number[]): readonly SnapshotItem[] {
  const nodes = ports.map((port) => ({ host: '127.0.0.1', port, weight: 1 }));
  return [
    { kind: 'service', id, value: { name: id, upstream: { type: 'roundrobin', scheme: 'http', nodes } } },
    { kind: 'route', id, value: { name: id, service_id: id, paths: [`/${id}`] } },
  ];
}

async function startGateway(test: TestContext, limits: LimitSettings, items: readonly SnapshotItem[]): Promise<TestGateway> {
  const gateway = await startTestGateway(test, { limits, workers: [WORKER, WORKER], testHooks: true });
  await gateway.load(items);
  await gateway.agent.whenReady();
  return gateway;
}

const ask = (gateway: TestGateway, target: string): Promise<RawAnswer> => sendRequest(gateway.httpPort, { target });

async function statusOf(gateway: TestGateway) {
  return JSON.parse((await sendRequest(gateway.statusPort, { target: '/status' })).body);
}

const limitLine = (gateway: TestGateway) => gateway.log.lines.find(({ message }) => message === 'a limit is reached');

function assertRefused(answer: RawAnswer, message: string): void {
  assert.equal(answer.status, 503);
  assert.equal(answer.body, `{"error_msg":"${message}"}\n`);
  assert.match(answer.head, /\r\nRetry-After: 1\r\n/);
  assert.match(answer.head, /\r\nPortcullis-Request-Id: /);
}

/** Sends requests that the upstream holds, and resolves when it has them all. */
async function hold(gateway: TestGateway, upstream: HeldUpstream, count: number, target = '/slow'): Promise<readonly Promise<RawAnswer>[]> {
  const answers = Array.from({ length: count }, () => ask(gateway, target));
  for (const answer of answers) answer.catch(() => {});
  await upstream.holds(count);
  return answers;
}

test('a hanging service takes what it may, over all workers, and leaves the others alone', async (t) => {
  const [slow, quick] = [await startHeldUpstream(t), await startTestUpstream(t, 'quick')];
  const gateway = await startGateway(t, { requestsPerService: 3 }, [...service('slow', [slow.port]), ...service('quick', [quick.port])]);
  const held = await hold(gateway, slow, 3);
  for (let turn = 0; turn < 4; turn++) assertRefused(await ask(gateway, '/slow'), 'too many requests in flight for this service');
  for (let turn = 0; turn < 4; turn++) assert.equal((await ask(gateway, '/quick')).body, 'quick');
  let status = await statusOf(gateway);
  // The gateway notices the end of a closed connection a moment after its client.
  while (status.connections.client.open > 3) status = await statusOf(gateway);
  assert.equal(status.refused.service_overloaded, 4);
  assert.deepEqual([status.requests.limit_per_service, status.connections.client.open], [3, 3]);
  slow.release();
  for (const answer of held) assert.equal((await answer).body, 'held');
  assert.equal((await hold(gateway, slow, 1)).length, 1);
  let line = limitLine(gateway);
  while (line === undefined) {
    await new Promise((resolve) => setImmediate(resolve));
    line = limitLine(gateway);
  }
  assert.equal(line.fields.reason, 'service_overloaded');
});

test('a full node is passed over, and only when all are full the request is refused', async (t) => {
  const [one, two] = [await startHeldUpstream(t), await startHeldUpstream(t)];
  const gateway = await startGateway(t, { requestsPerNode: 1 }, service('slow', [one.port, two.port]));
  const held = [ask(gateway, '/slow'), ask(gateway, '/slow')];
  await Promise.all([one.holds(1), two.holds(1)]);
  assertRefused(await ask(gateway, '/slow'), 'too many requests in flight on every upstream node');
  one.release();
  await Promise.race(held);
  const next = ask(gateway, '/slow');
  await one.holds(1);
  one.release();
  two.release();
  for (const answer of [...held, next]) assert.equal((await answer).status, 200);
});

test('the limit of client connections is exact over all workers', async (t) => {
  const slow = await startHeldUpstream(t);
  const gateway = await startGateway(t, { clientConnections: 5 }, service('slow', [slow.port]));
  const held = await hold(gateway, slow, 5);
  const refused = await Promise.all(Array.from({ length: 6 }, () => ask(gateway, '/slow')));
  for (const answer of refused) assertRefused(answer, 'too many connections');
  const status = await statusOf(gateway);
  assert.deepEqual(status.connections.client, { open: 5, limit: 5, limit_per_address: 0 });
  assert.equal(status.refused.too_many_connections, 6);
  slow.release();
  for (const answer of held) assert.equal((await answer).status, 200);
});

test('a client address has its own limit', async (t) => {
  const slow = await startHeldUpstream(t);
  const gateway = await startGateway(t, { connectionsPerAddress: 2 }, service('slow', [slow.port]));
  await hold(gateway, slow, 2);
  assertRefused(await ask(gateway, '/slow'), 'too many connections from this address');
});

test('what a dead worker had open counts no more', async (t) => {
  const slow = await startHeldUpstream(t);
  const gateway = await startGateway(t, { requestsPerService: 2 }, service('slow', [slow.port]));
  await hold(gateway, slow, 2);
  assertRefused(await ask(gateway, '/slow'), 'too many requests in flight for this service');
  for (const worker of [0, 1]) await sendRequest(gateway.statusPort, { method: 'POST', target: `/test/worker/${worker}/exit` });
  let status = await statusOf(gateway);
  while (status.connections.client.open + status.connections.upstream.open > 0) status = await statusOf(gateway);
  assert.equal(status.refused.service_overloaded, 1);
  await gateway.agent.whenReady();
  slow.waiting.length = 0;
  await hold(gateway, slow, 2);
});
