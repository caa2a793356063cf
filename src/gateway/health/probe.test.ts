import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createSecureServer } from 'node:https';
import { createServer, type Socket } from 'node:net';
import test, { type TestContext } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { httpAnswer, startMockUpstream } from '../../../test-support/mock-upstream.ts';
import { createTestCertificate } from '../../../test-support/test-certificate.ts';
import type { JsonObject } from '../../lib/json.ts';
import { type ActiveChecks, asUpstreamDocument, readUpstream } from '../../schema/index.ts';
import { startProbe } from './probe.ts';

function checksOf(active: JsonObject): ActiveChecks {
  const { checks } = readUpstream(asUpstreamDocument({ nodes: [], checks: { active } }));
  assert.ok(checks);
  return checks.active;
}

function targetOf(port: number, host = 'node.test') {
  return { address: '127.0.0.1', port, host };
}

/** A server that writes these bytes to whoever connects. */
async function startRaw(t: TestContext, onConnection: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    onConnection(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return address.port;
}

test('a probe is one GET with the headers that were asked for, and its status is what the lists say', async (t) => {
  const statuses = [200, 302, 404, 418];
  const upstream = await startMockUpstream(t, () => httpAnswer(statuses.shift() ?? 200, 'body'));
  const checks = checksOf({ http_path: '/up?a=1', req_headers: ['X-A: 1', 'User-Agent: me'] });
  const outcomes: unknown[] = [];
  for (let turn = 0; turn < 4; turn++) outcomes.push(await startProbe(checks, targetOf(upstream.port), new FakeClock()).outcome);
  assert.deepEqual(outcomes, ['success', 'success', 'http_failure', undefined]);
  const [request] = upstream.requests;
  assert.deepEqual(
    [request?.method, request?.target, request?.values('host'), request?.values('x-a')],
    ['GET', '/up?a=1', ['node.test'], ['1']],
  );
  assert.equal(upstream.acceptedConnections, 4);
});

test('a probe has the method and body that are wanted, one Host and one length, whatever its headers say', async (t) => {
  const upstream = await startMockUpstream(t, () => httpAnswer(200, ''));
  const ask = async (active: JsonObject): Promise<unknown> =>
    startProbe(checksOf(active), targetOf(upstream.port), new FakeClock()).outcome;
  const req_headers = ['host: other.test', 'USER-AGENT: me', 'Content-Length: 9', 'Transfer-Encoding: chunked', 'Connection: keep-alive'];
  assert.equal(await ask({ http_method: 'POST', http_req_body: 'ü?', req_headers }), 'success');
  assert.equal(await ask({ http_method: 'PUT' }), 'success');
  assert.equal(await ask({ http_method: 'HEAD' }), 'success');
  const seen = upstream.requests.map((request) => [
    request.method,
    request.body.toString(),
    ...['host', 'user-agent', 'content-length', 'transfer-encoding', 'connection'].map((name) => request.values(name)),
  ]);
  assert.deepEqual(seen, [
    ['POST', 'ü?', ['other.test'], ['me'], ['3'], [], ['close']],
    ['PUT', '', ['node.test'], ['Portcullis/healthcheck'], ['0'], [], ['close']],
    ['HEAD', '', ['node.test'], ['Portcullis/healthcheck'], [], [], ['close']],
  ]);
});

test('every way to fail is told by its kind', async (t) => {
  const closed = await startRaw(t, (socket) => socket.destroy());
  const garbage = await startRaw(t, (socket) => socket.write('SSH-2.0-nothing\r\n'));
  const huge = await startRaw(t, (socket) => socket.write(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}`));
  const upgrade = await startRaw(t, (socket) => socket.write('HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'));
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  assert.ok(typeof address === 'object' && address !== null);
  listener.close();
  await once(listener, 'close');
  const outcome = (port: number, active = {}) => startProbe(checksOf(active), targetOf(port), new FakeClock()).outcome;
  assert.equal(await outcome(address.port), 'tcp_failure');
  assert.equal(await outcome(address.port, { type: 'tcp' }), 'tcp_failure');
  assert.equal(await outcome(closed), 'tcp_failure');
  assert.equal(await outcome(garbage), 'http_failure');
  assert.equal(await outcome(huge), 'http_failure');
  assert.equal(await outcome(upgrade), undefined);
  assert.equal(await outcome(garbage, { type: 'tcp' }), 'success');
  assert.equal(await outcome(garbage, { type: 'https', https_verify_certificate: false }), 'tcp_failure');
});

test('silence is a time-out, which ends the connection, and so does the end of the probe', async (t) => {
  const ended: Promise<unknown>[] = [];
  const waits: (() => void)[] = [];
  const port = await startRaw(t, (socket) => {
    ended.push(once(socket, 'close'));
    socket.resume();
    for (const wake of waits.splice(0)) wake();
  });
  const connected = (): Promise<void> => new Promise((resolve) => waits.push(resolve));
  const clock = new FakeClock();
  let arrival = connected();
  const probe = startProbe(checksOf({ timeout: 0.25 }), targetOf(port), clock);
  await arrival;
  clock.advance(250);
  assert.equal(await probe.outcome, 'timeout_failure');
  arrival = connected();
  const given = startProbe(checksOf({}), targetOf(port), clock);
  await arrival;
  given.end();
  assert.equal(await given.outcome, undefined);
  await Promise.all(ended);
  assert.equal(clock.pendingTasks, 0);
});

test('https is asked by the name of Host, and its certificate counts unless it is said not to', async (t) => {
  const certificate = await createTestCertificate();
  const names: unknown[] = [];
  const server = createSecureServer(
    {
      ...certificate,
      SNICallback: (name, done) => {
        names.push(name);
        done(null);
      },
    },
    (_request, response) => response.end('ok'),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const outcome = (verify: boolean) =>
    startProbe(checksOf({ type: 'https', https_verify_certificate: verify }), targetOf(address.port, 'shop.test:8443'), new FakeClock())
      .outcome;
  assert.equal(await outcome(true), 'tcp_failure');
  assert.equal(await outcome(false), 'success');
  assert.deepEqual(new Set(names), new Set(['shop.test']));
});
