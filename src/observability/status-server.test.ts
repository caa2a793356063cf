import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { exchangeRaw } from '../../test-support/raw-client.ts';
import { RecordingLogger } from '../../test-support/recording-logger.ts';
import { createStatusServer, type StatusHandler } from './status-server.ts';

const ROUTES: ReadonlyMap<string, StatusHandler> = new Map<string, StatusHandler>([
  ['GET /status', () => ({ status: 200, body: { status: 'ok' } })],
  ['GET /status/ready', async () => ({ status: 503, body: { error: 'no configuration' } })],
  ['POST /level', ({ query }) => ({ status: 200, body: { level: query.get('level') } })],
  [
    'GET /broken',
    () => {
      throw new Error('the handler broke with a secret');
    },
  ],
]);

async function running(t: TestContext): Promise<{ readonly base: string; readonly port: number; readonly log: RecordingLogger }> {
  const log = new RecordingLogger();
  const server = createStatusServer({ listeners: [{ kind: 'address', host: '127.0.0.1', port: 0 }], routes: ROUTES, log });
  t.after(() => server.close());
  const [port = 0] = await server.listen();
  return { base: `http://127.0.0.1:${port}`, port, log };
}

test('a route answers its status and body as JSON, whatever the query', async (t) => {
  const { base } = await running(t);
  const response = await fetch(`${base}/status?x=1`);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'application/json');
  assert.equal(response.headers.get('cache-control'), 'no-store');
  assert.deepEqual(await response.json(), { status: 'ok' });
  assert.equal((await fetch(`${base}/status/ready`)).status, 503);
});

test('HEAD answers as GET does, without a body', async (t) => {
  const { base } = await running(t);
  const response = await fetch(`${base}/status`, { method: 'HEAD' });
  assert.equal(response.headers.get('content-length'), '16');
  assert.equal(await response.text(), '');
});

test('an unknown path is 404, a wrong method 405 with those allowed', async (t) => {
  const { base } = await running(t);
  assert.equal((await fetch(`${base}/nowhere`)).status, 404);
  assert.equal((await fetch(`${base}/__proto__`)).status, 404);
  assert.equal((await fetch(`${base}//status`)).status, 404);
  const refused = await fetch(`${base}/status`, { method: 'POST' });
  assert.equal(refused.status, 405);
  assert.equal(refused.headers.get('allow'), 'GET, HEAD');
  assert.equal((await fetch(`${base}/level`)).headers.get('allow'), 'POST');
  assert.deepEqual(await (await fetch(`${base}/level?level=debug`, { method: 'POST' })).json(), { level: 'debug' });
});

test('a handler that throws is a 500 without its words, and the words are in the log', async (t) => {
  const { base, log } = await running(t);
  const response = await fetch(`${base}/broken`);
  assert.equal(response.status, 500);
  assert.deepEqual(await response.json(), { error_msg: 'internal error' });
  assert.match(String(log.lines[0]?.error), /the handler broke/);
});

test('a request with a body is answered without reading it, and the connection ends', async (t) => {
  const { port } = await running(t);
  const answer = await exchangeRaw(
    t,
    { port },
    'GET /status HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nGET /broken HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n',
  );
  assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/);
  assert.match(answer, /\r\nConnection: close\r\n/);
  assert.equal(answer.match(/HTTP\/1\.1/g)?.length, 1);
});

test('malformed and huge heads are refused and the server lives on', async (t) => {
  const { base, port } = await running(t);
  assert.match(await exchangeRaw(t, { port }, 'nonsense\r\n\r\n'), /^HTTP\/1\.1 400 /);
  assert.match(await exchangeRaw(t, { port }, `GET /status HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(10_000)}\r\n\r\n`), /^HTTP\/1\.1 431 /);
  assert.equal((await fetch(`${base}/status`)).status, 200);
});

test('all listeners answer, and their ports are told in order', async (t) => {
  const listener = { kind: 'address', host: '127.0.0.1', port: 0 } as const;
  const server = createStatusServer({ listeners: [listener, listener], routes: ROUTES, log: new RecordingLogger() });
  t.after(() => server.close());
  const ports = await server.listen();
  assert.equal(new Set(ports).size, 2);
  for (const port of ports) assert.equal((await fetch(`http://127.0.0.1:${port}/status`)).status, 200);
});

test('when one port is taken nothing listens', async (t) => {
  const { port } = await running(t);
  const second = createStatusServer({
    listeners: [
      { kind: 'address', host: '127.0.0.1', port: 0 },
      { kind: 'address', host: '127.0.0.1', port },
    ],
    routes: ROUTES,
    log: new RecordingLogger(),
  });
  await assert.rejects(second.listen(), { code: 'EADDRINUSE' });
});

test('the end cuts connections that wait, half-sent requests too', async (t) => {
  const server = createStatusServer({
    listeners: [{ kind: 'address', host: '127.0.0.1', port: 0 }],
    routes: ROUTES,
    log: new RecordingLogger(),
  });
  t.after(() => server.close());
  const [port = 0] = await server.listen();
  const halfSent = exchangeRaw(t, { port }, 'GET /status HTTP/1.1\r\nHo');
  const kept = await fetch(`http://127.0.0.1:${port}/status`);
  await kept.text();
  await server.close();
  assert.equal(await halfSent, '');
  await assert.rejects(fetch(`http://127.0.0.1:${port}/status`));
});
