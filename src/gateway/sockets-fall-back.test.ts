import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import type { ChangedNodeReport } from './testing/changed-node-gateway-process.ts';
import { routeItem, serviceItem } from './testing/guide-items.ts';
import { sendRequest } from './testing/send-request.ts';
import { startTestGateway } from './testing/test-gateway.ts';
import { startTestUpstream, type TestEnd } from './testing/test-upstream.ts';

async function startOnChangedNode(context: TestEnd, upstreamPort: number): Promise<ChangedNodeReport> {
  const file = fileURLToPath(new URL('./testing/changed-node-gateway-process.ts', import.meta.url));
  const preload = new URL('./testing/handles-of-sockets-alone.ts', import.meta.url).href;
  const child = fork(file, { execArgv: ['--import', preload], env: { ...process.env, UPSTREAM_PORT: `${upstreamPort}` } });
  const exited = once(child, 'exit');
  context.after(async () => {
    if (child.connected) child.send('stop');
    await exited;
  });
  const [report] = (await once(child, 'message')) as [ChangedNodeReport];
  return report;
}

test('a worker on whose Node the quicker sockets do not do what they should says so, and serves on documented ones', async (context) => {
  const upstream = await startTestUpstream(context);
  const { httpPort, said } = await startOnChangedNode(context, upstream.port);
  // The worker that serves, and perhaps by now the spare one.
  assert.deepEqual(said.slice(0, 2), [
    { refused: 'handle', failure: 'this handle belongs to no socket', used: 'documented' },
    { refused: 'onread', failure: 'this handle belongs to no socket', used: 'documented' },
  ]);
  const body = 'x'.repeat(3_000_000);
  const answer = await sendRequest(httpPort, { method: 'POST', body });
  assert.deepEqual([answer.status, answer.body], [200, 'upstream']);
  assert.equal(upstream.requests[0]?.body, body);
});

test('a worker that is told to use documented sockets checks no others', async (context) => {
  const upstream = await startTestUpstream(context);
  const gateway = await startTestGateway(context, { engine: { limits: {}, timeouts: {}, transport: 'documented' } });
  await gateway.load([serviceItem(upstream.port), routeItem('route', { paths: ['/*'] })]);
  await gateway.agent.whenReady();
  assert.equal((await sendRequest(gateway.httpPort)).status, 200);
  assert.deepEqual(
    gateway.log.lines.filter(({ message }) => message.startsWith('sockets')),
    [],
  );
});
