import assert from 'node:assert/strict';
import { Agent, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import test from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { RecordingLogger } from '../../../test-support/recording-logger.ts';
import { MetricsServer, type MetricsText } from '../../observability/index.ts';
import { type RequestText, sendRequest } from '../testing/send-request.ts';
import type { TestEnd } from '../testing/test-upstream.ts';
import { METRICS_PATH } from './metrics-export.ts';

function textOf(...pieces: string[]): MetricsText {
  const buffers = pieces.map((piece) => Buffer.from(piece));
  return { pieces: buffers, byteLength: Buffer.concat(buffers).length };
}

async function startServer(context: TestEnd, read: () => Promise<MetricsText>) {
  const clock = new FakeClock();
  const log = new RecordingLogger();
  const server = new MetricsServer({ path: METRICS_PATH, listeners: [{ kind: 'address', host: '127.0.0.1', port: 0 }], read, clock, log });
  const [port = 0] = await server.listen();
  context.after(() => server.close());
  return { port, clock, log, server, ask: (text: RequestText = {}) => sendRequest(port, { target: METRICS_PATH, ...text }) };
}

test('the text comes as Prometheus wants it, whole, with its length', async (context) => {
  const { ask } = await startServer(context, async () => textOf('a 1\n', 'b{x="é"} 2\n'));
  const answer = await ask();
  assert.equal(answer.status, 200);
  assert.equal(Buffer.from(answer.body, 'latin1').toString(), 'a 1\nb{x="é"} 2\n');
  assert.match(answer.head, /^Content-Type: text\/plain; version=0\.0\.4; charset=utf-8\r$/m);
  assert.match(answer.head, /^Content-Length: 16\r$/m);
  assert.equal((await ask({ target: `${METRICS_PATH}?x=1` })).status, 200);
});

test('HEAD has the same head and no body', async (context) => {
  const { ask } = await startServer(context, async () => textOf('a 1\n'));
  const answer = await ask({ method: 'HEAD' });
  assert.deepEqual([answer.status, answer.body], [200, '']);
  assert.match(answer.head, /^Content-Length: 4\r$/m);
});

test('every other path and method is 404', async (context) => {
  let reads = 0;
  const { ask } = await startServer(context, async () => {
    reads++;
    return textOf('a 1\n');
  });
  const others: readonly RequestText[] = [
    { target: '/' },
    { target: '/metrics' },
    { target: `${METRICS_PATH}/` },
    { target: `/x${METRICS_PATH}` },
    { target: METRICS_PATH.toUpperCase() },
    { method: 'POST', body: 'x' },
    { method: 'DELETE' },
  ];
  for (const other of others) {
    const answer = await ask(other);
    assert.deepEqual([answer.status, answer.body], [404, '{"error_msg":"not found"}\n']);
  }
  assert.equal(reads, 0);
});

test('metrics that cannot be read are 500, and the log says why', async (context) => {
  const { ask, log } = await startServer(context, () => Promise.reject(new Error('broken')));
  const answer = await ask();
  assert.deepEqual([answer.status, answer.body], [500, '{"message":"An unexpected error occurred"}\n']);
  assert.equal(log.lines.length, 1);
});

test('a scraper keeps its connection', async (context) => {
  const { port, server } = await startServer(context, async () => textOf('a 1\n'));
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  context.after(() => agent.destroy());
  const ask = (): Promise<boolean> =>
    new Promise((resolve, reject) => {
      const request = httpRequest({ host: '127.0.0.1', port, path: METRICS_PATH, agent }, (answer) => {
        answer.resume().on('end', () => resolve(request.reusedSocket));
      });
      request.on('error', reject).end();
    });
  assert.deepEqual([await ask(), await ask(), await ask()], [false, true, true]);
  server.stopAccepting();
  assert.equal(await ask(), true);
});

test('at most four answers are under way; whoever comes beyond is told so, and there is room again when they are over', async (context) => {
  const gate = Promise.withResolvers<MetricsText>();
  const asked = Promise.withResolvers<void>();
  let reads = 0;
  const { ask } = await startServer(context, () => {
    if (++reads === 4) asked.resolve();
    return gate.promise;
  });
  const four = [ask(), ask(), ask(), ask()];
  await asked.promise;
  const refused = await ask();
  assert.equal(refused.status, 503);
  assert.match(refused.head, /^Retry-After: 1\r$/m);
  gate.resolve(textOf('a 1\n'));
  assert.deepEqual((await Promise.all(four)).map(({ status }) => status), [200, 200, 200, 200]); // biome-ignore format: one thought
  assert.equal((await ask()).status, 200);
});

test('a scraper that does not read is given up after ten seconds, and holds no place longer', async (context) => {
  const long = textOf(...Array.from({ length: 500 }, () => 'x'.repeat(64 * 1024)));
  const { port, clock, ask } = await startServer(context, async () => long);
  const lazy = Array.from({ length: 4 }, () => connect({ host: '127.0.0.1', port }));
  context.after(() => {
    for (const socket of lazy) socket.destroy();
  });
  for (const socket of lazy) socket.on('error', () => {}).pause();
  for (const socket of lazy) socket.write(`GET ${METRICS_PATH} HTTP/1.1\r\nHost: x\r\n\r\n`);
  while ((await ask({ method: 'HEAD' })).status !== 503);
  clock.advance(10_000);
  while ((await ask({ method: 'HEAD' })).status === 503);
});
