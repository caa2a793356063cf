import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { request as httpsRequest } from 'node:https';
import { createServer, connect as netConnect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { RecordingLogger } from '../../../test-support/recording-logger.ts';
import { createSelfSignedCertificate } from '../../distribution/index.ts';
import { StartError } from '../../errors/index.ts';
import { systemClock } from '../../lib/clock.ts';
import type { Listener } from '../../lib/listener.ts';
import { systemRandom } from '../../lib/random.ts';
import { authenticatorOf } from '../testing/caller-of-token.ts';
import { REQUEST_RATES } from '../testing/request-rates.ts';
import { type AdminServer, startAdminServer } from './admin-server.ts';
import { AnswerMemory } from './answer-memory.ts';
import type { ApiRoute } from './api-route.ts';
import { ADMIN_SERVER_LIMITS, type AdminServerLimits } from './limits.ts';

const TOKEN = 'a-token-that-only-tests-know';
const LOCAL: Listener = { kind: 'address', host: '127.0.0.1', port: 0 };
const clock = new FakeClock();
const certificate = await createSelfSignedCertificate({ names: ['localhost'] }, systemClock);

const ECHO: ApiRoute = {
  method: 'PUT',
  path: '/echo',
  permission: 'gateway:UpdateConsumer',
  handle: async (request) => ({ body: JSON.stringify(request.body()).length }),
};

interface Options {
  readonly routes?: readonly ApiRoute[];
  readonly listeners?: readonly Listener[];
  readonly limits?: Partial<AdminServerLimits>;
}

async function start(t: TestContext, options: Options = {}) {
  const log = new RecordingLogger();
  const serverClock = new FakeClock();
  const server = await startAdminServer({
    routes: options.routes ?? [ECHO],
    listeners: options.listeners ?? [LOCAL],
    authenticator: authenticatorOf(TOKEN),
    answers: new AnswerMemory(clock, clock),
    isAddressAllowed: () => true,
    isTrustedProxy: () => false,
    requestRates: REQUEST_RATES,
    certificate,
    limits: { ...ADMIN_SERVER_LIMITS, ...options.limits },
    random: systemRandom,
    softwareVersion: '1.2.3',
    clock: serverClock,
    log,
  });
  t.after(async () => {
    const drained = server.drain(0);
    serverClock.advance(0);
    await drained;
  });
  return { server, log, clock: serverClock, port: portOf(server) };
}

function portOf(server: AdminServer): number {
  return server.addresses[0]?.port ?? 0;
}

/** Everything that a server sends until it closes the connection. */
async function readAll(socket: TLSSocket | Socket): Promise<string> {
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk;
  });
  socket.on('error', () => undefined);
  await once(socket, 'close');
  return text;
}

async function open(t: TestContext, port: number): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
  t.after(() => socket.destroy());
  await once(socket, 'secureConnect');
  return socket;
}

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

async function put(port: number, body: string): Promise<Reply> {
  const request = httpsRequest({
    host: '127.0.0.1',
    port,
    method: 'PUT',
    path: '/echo',
    rejectUnauthorized: false,
    headers: { 'x-api-key': TOKEN, 'content-length': Buffer.byteLength(body) },
  });
  request.end(body);
  const [response] = await once(request, 'response');
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk;
  // A refusal comes while the body is still on its way.
  if (!request.writableFinished) await once(request, 'finish');
  return { status: response.statusCode, headers: response.headers, body: text };
}

test('the server speaks TLS 1.2 and later with the certificate it was given, and the next one from then on', async (t) => {
  const { server, port } = await start(t);
  const first = await open(t, port);
  assert.equal(first.getPeerX509Certificate()?.fingerprint256, new X509Certificate(certificate.certificate).fingerprint256);
  assert.equal((first.authorizationError as unknown as string) ?? '', 'DEPTH_ZERO_SELF_SIGNED_CERT');
  const next = await createSelfSignedCertificate({ names: ['next'] }, clock);
  server.useCertificate(next);
  const second = await open(t, port);
  assert.equal(second.getPeerX509Certificate()?.fingerprint256, new X509Certificate(next.certificate).fingerprint256);
  const old = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, maxVersion: 'TLSv1.1', minVersion: 'TLSv1' });
  await assert.rejects(once(old, 'secureConnect'));
});

test('several listeners serve one API', async (t) => {
  const { server } = await start(t, { listeners: [LOCAL, { kind: 'address', host: '127.0.0.2', port: 0 }] });
  const [one, two] = server.addresses;
  assert.deepEqual([one?.host, two?.host], ['127.0.0.1', '127.0.0.2']);
  assert.equal((await put(one?.port ?? 0, '1')).status, 200);
});

test('a socket that another process bound is served by its descriptor', async (t) => {
  const bound = createServer().listen(0, '127.0.0.1');
  await once(bound, 'listening');
  const address = bound.address();
  const handle: unknown = Reflect.get(bound, '_handle');
  const fd: unknown = typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'fd') : undefined;
  assert.ok(typeof fd === 'number' && typeof address === 'object' && address !== null);
  const script = fileURLToPath(new URL('../testing/serve-descriptor.ts', import.meta.url));
  const child = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit', fd] });
  bound.close();
  const exited = once(child, 'exit');
  t.after(async () => {
    child.stdin?.end();
    await exited;
  });
  assert.ok(child.stdout);
  await once(child.stdout, 'data');
  const socket = await open(t, address.port);
  socket.write('GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  assert.match(await readAll(socket), /^HTTP\/1\.1 200 OK.*"by descriptor"$/s);
});

test('a port in use is one sentence, and what was opened before is closed again', async (t) => {
  const { port } = await start(t);
  const free = createServer().listen(0, '127.0.0.1');
  await once(free, 'listening');
  const address = free.address();
  assert.ok(typeof address === 'object' && address !== null);
  free.close();
  await once(free, 'close');
  const listeners: readonly Listener[] = [
    { kind: 'address', host: '127.0.0.1', port: address.port },
    { kind: 'address', host: '127.0.0.1', port },
  ];
  await assert.rejects(
    start(t, { listeners }),
    (error) =>
      error instanceof StartError && error.message === `The Admin API cannot listen on 127.0.0.1 port ${port}: the port is in use.`,
  );
  const again = createServer().listen(address.port, '127.0.0.1');
  await once(again, 'listening');
  again.close();
});

test('what is no HTTP request gets 400 and the end of the connection', async (t) => {
  const { port } = await start(t);
  for (const garbage of [
    '\u0000\u0001\u0002\r\n\r\n',
    'GET\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
    'PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ]) {
    const socket = await open(t, port);
    socket.write(garbage);
    const text = await readAll(socket);
    assert.match(text, /^HTTP\/1\.1 400 Bad Request\r\n/, garbage);
    assert.match(text, /\r\nPortcullis-Version: 1\.2\.3\r\n/);
    assert.ok(text.endsWith('\r\n\r\n{"error_msg":"malformed request"}'));
  }
});

test('a head that is too large gets 431', async (t) => {
  const { port } = await start(t, { limits: { maxHeaderBytes: 4_096 } });
  const socket = await open(t, port);
  socket.write(`GET /echo HTTP/1.1\r\nHost: a\r\nX-Long: ${'x'.repeat(5_000)}\r\n\r\n`);
  assert.match(await readAll(socket), /^HTTP\/1\.1 431 .*\{"error_msg":"request header fields too large"\}$/s);
});

test('a request that does not arrive in time is ended with 408, be it in its head or in its body', async (t) => {
  const { port } = await start(t, { limits: { headersTimeoutMs: 100, requestTimeoutMs: 200 } });
  for (const half of [
    'GET /echo HTTP/1.1\r\nHost: a\r\n',
    `PUT /echo HTTP/1.1\r\nHost: a\r\nX-API-KEY: ${TOKEN}\r\nContent-Length: 100\r\n\r\n{"a":`,
  ]) {
    const socket = await open(t, port);
    socket.write(half);
    const text = await readAll(socket);
    assert.match(text, /^HTTP\/1\.1 408 Request Timeout\r\n.*\{"error_msg":"the request did not arrive in time"\}$/s);
  }
});

test('a client that says nothing, or goes away half-way, disturbs nobody', async (t) => {
  const { port, log } = await start(t, { limits: { handshakeTimeoutMs: 100 } });
  const socket = await open(t, port);
  socket.write(`PUT /echo HTTP/1.1\r\nHost: a\r\nX-API-KEY: ${TOKEN}\r\nContent-Length: 100\r\n\r\n{"a":`);
  socket.destroy();
  assert.equal((await put(port, '"fine"')).body, '6');
  assert.deepEqual(
    log.lines.filter((line) => line.level === 'error'),
    [],
  );
});

test('a body above the limit is refused before it has arrived, with and without a length', async (t) => {
  const { port } = await start(t, { limits: { maxBodyBytes: 1_000 } });
  const announced = await open(t, port);
  announced.write(`PUT /echo HTTP/1.1\r\nHost: a\r\nX-API-KEY: ${TOKEN}\r\nContent-Length: 1001\r\n\r\n`);
  const [first] = await once(announced.setEncoding('latin1'), 'data');
  assert.match(first, /^HTTP\/1\.1 413 /);
  assert.match(first, /the limit is 1000 bytes/);
  const chunked = await open(t, port);
  chunked.write(`PUT /echo HTTP/1.1\r\nHost: a\r\nX-API-KEY: ${TOKEN}\r\nTransfer-Encoding: chunked\r\n\r\n`);
  chunked.write(`3e9\r\n${'x'.repeat(1_001)}\r\n`);
  const [second] = await once(chunked.setEncoding('latin1'), 'data');
  assert.match(second, /^HTTP\/1\.1 413 /);
});

test('a client that sends ten megabytes at once still gets to see why they are refused', async (t) => {
  const { port } = await start(t);
  const answer = await put(port, `"${'x'.repeat(10_000_000)}"`);
  assert.deepEqual([answer.status, JSON.parse(answer.body)], [413, { error_msg: 'request body too large: the limit is 1572864 bytes' }]);
});

test('a body of the largest name and description passes', async (t) => {
  const { port } = await start(t);
  assert.equal((await put(port, JSON.stringify(['😀'.repeat(65_536), '😀'.repeat(65_536)]))).status, 200);
});

test('a client that expects 100 sends its body only when the head is accepted', async (t) => {
  const { port } = await start(t);
  const head = (token: string, length: number) =>
    `PUT /echo HTTP/1.1\r\nHost: a\r\nX-API-KEY: ${token}\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`;
  for (const [token, length, status] of [
    ['wrong', 3, 401],
    [TOKEN, 99_999_999, 413],
  ] as const) {
    const refused = await open(t, port);
    refused.write(head(token, length));
    const [text] = await once(refused.setEncoding('latin1'), 'data');
    assert.ok(String(text).startsWith(`HTTP/1.1 ${status} `), text);
  }
  const accepted = await open(t, port);
  accepted.write(head(TOKEN, 3));
  const [interim] = await once(accepted.setEncoding('latin1'), 'data');
  assert.equal(interim, 'HTTP/1.1 100 Continue\r\n\r\n');
  accepted.write('"a"');
  const [text] = await once(accepted, 'data');
  assert.match(String(text), /^HTTP\/1\.1 200 OK/);
});

test('a request without Host, or with an expectation that nobody can meet, is told so and leaves the connection usable', async (t) => {
  const { port } = await start(t);
  const good = `PUT /echo HTTP/1.1\r\nHost: a\r\nX-API-KEY: ${TOKEN}\r\nContent-Length: 3\r\nConnection: close\r\n\r\n"a"`;
  for (const [head, status, message] of [
    ['', 400, 'missing, repeated or malformed Host header'],
    ['Host: a\r\nExpect: magic\r\n', 417, 'unsupported Expect header'],
  ] as const) {
    const socket = await open(t, port);
    socket.write(`PUT /echo HTTP/1.1\r\n${head}X-API-KEY: ${TOKEN}\r\nContent-Length: 3\r\n\r\n"a"${good}`);
    const [refusal = '', answer = ''] = (await readAll(socket)).split(/(?=HTTP\/1\.1 200 )/);
    assert.ok(refusal.startsWith(`HTTP/1.1 ${status} `), refusal);
    assert.ok(refusal.endsWith(JSON.stringify({ error_msg: message })), refusal);
    assert.ok(answer.startsWith('HTTP/1.1 200 OK'), refusal);
  }
});

test('a client of HTTP/1.0 needs no Host', async (t) => {
  const { port } = await start(t);
  const socket = await open(t, port);
  socket.write(`PUT /echo HTTP/1.0\r\nX-API-KEY: ${TOKEN}\r\nContent-Length: 3\r\n\r\n"a"`);
  assert.match(await readAll(socket), /^HTTP\/1\.1 200 OK/);
});

test('hostile bodies get a clean 400', async (t) => {
  const { port } = await start(t);
  for (const body of ['['.repeat(100_000), '{"a":'.repeat(100_000), '{"__proto__":{}}', '{"a":1,"a":2}', '1e999', '\u0000', '']) {
    const answer = await put(port, body);
    assert.equal(answer.status, 400);
    assert.match(JSON.parse(answer.body).error_msg, /^invalid request body: /);
  }
});

test('a drain lets the running request end, refuses new connections and asks clients to close', async (t) => {
  const entered = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const slow: ApiRoute = {
    ...ECHO,
    handle: async () => {
      entered.resolve();
      await release.promise;
      return { body: 'done' };
    },
  };
  const { server, port } = await start(t, { routes: [slow] });
  const idle = await open(t, port);
  const idleClosed = once(idle, 'close');
  const running = put(port, '1');
  await entered.promise;
  const drained = server.drain(5_000);
  idle.resume();
  await idleClosed;
  const late = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
  await assert.rejects(once(late, 'secureConnect'));
  release.resolve();
  const answer = await running;
  assert.deepEqual([answer.status, answer.body, answer.headers.connection], [200, '"done"', 'close']);
  await drained;
});

test('a drain cuts what has not ended in time', async (t) => {
  const entered = Promise.withResolvers<void>();
  const stuck: ApiRoute = {
    ...ECHO,
    handle: () => {
      entered.resolve();
      return new Promise(() => undefined);
    },
  };
  const { server, port, clock } = await start(t, { routes: [stuck] });
  const running = put(port, '1');
  const cut = assert.rejects(running);
  await entered.promise;
  const drained = server.drain(5_000);
  clock.advance(5_000);
  await drained;
  await cut;
});

test('a client that goes on sending after a refusal is cut off when the time for its request is over', async (t) => {
  const { port } = await start(t, { limits: { maxBodyBytes: 10, headersTimeoutMs: 100, requestTimeoutMs: 200 } });
  const socket = await open(t, port);
  socket.write(`PUT /echo HTTP/1.1\r\nHost: a\r\nX-API-KEY: ${TOKEN}\r\nContent-Length: 99999\r\n\r\nx`);
  const text = await readAll(socket);
  assert.equal(text.match(/HTTP\/1\.1 /g)?.length, 1);
  assert.match(text, /^HTTP\/1\.1 413 /);
});

test('a client that connects and says nothing does not hold up a drain, whatever it has not said', async (t) => {
  const { server, port } = await start(t);
  const plain = netConnect({ host: '127.0.0.1', port });
  t.after(() => plain.destroy());
  await once(plain, 'connect');
  const encrypted = await open(t, port);
  encrypted.resume();
  plain.resume().on('error', () => undefined);
  // A second request shows that the server has taken in the connections before it.
  await put(port, '1');
  const closed = Promise.all([once(plain, 'close'), once(encrypted, 'close')]);
  await server.drain(60_000);
  await closed;
});

test('a connection on which no request ever comes is ended', async (t) => {
  const { port } = await start(t, { limits: { headersTimeoutMs: 100, requestTimeoutMs: 200 } });
  const socket = await open(t, port);
  await readAll(socket);
});

test('one address has so many connections and no more, and each that ends makes room for another', async (t) => {
  const { port, log } = await start(t, { limits: { maxConnectionsPerAddress: 2 } });
  const first = await open(t, port);
  await open(t, port);
  const third = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
  t.after(() => third.destroy());
  await assert.rejects(once(third, 'secureConnect'), { code: 'ECONNRESET' });
  assert.equal(log.lines.filter(({ message }) => /too many connections/.test(message)).length, 1);
  first.end('GET /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  assert.match(await readAll(first), /^HTTP\/1\.1 401/);
  // The server learns of the end a moment later.
  const again = (): Promise<Reply> =>
    put(port, '"x"').catch((error: { code?: string }) => (error.code === 'ECONNRESET' ? again() : Promise.reject(error)));
  assert.equal((await again()).body, '3');
});
