import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { connect, createServer as createSocketServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { createTestCertificate } from '../../../test-support/test-certificate.ts';
import type { OutgoingRequest } from '../../plugin-kit/index.ts';
import { CallClient, type CallClientOptions } from './call-client.ts';
import { CallError, type CallFailure } from './call-error.ts';

interface Endpoint {
  readonly port: number;
  readonly url: string;
}

async function listen(test: TestContext, server: Server): Promise<Endpoint> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  test.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return { port: address.port, url: `http://127.0.0.1:${address.port}` };
}

function startServer(test: TestContext, listener: RequestListener): Promise<Endpoint> {
  return listen(test, createServer(listener));
}

function clientOf(test: TestContext, options: Partial<CallClientOptions> = {}): CallClient {
  const client = new CallClient({
    clock: new FakeClock(),
    mayDial: () => true,
    addressesOf: async (host) => [host],
    ...options,
  });
  test.after(() => client.close());
  return client;
}

function get(url: string, options: Partial<OutgoingRequest> = {}): OutgoingRequest {
  return { method: 'GET', url, headers: {}, timeoutMs: 3000, verifyTls: true, ...options };
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}

/** What `promise` rejects with; its message must not hold any of `secrets`. */
async function failureOf(promise: Promise<unknown>, secrets: readonly string[] = []): Promise<CallFailure> {
  const error = await promise.then(() => undefined).catch((reason: unknown) => reason);
  assert.ok(error instanceof CallError, String(error));
  for (const secret of secrets) assert.ok(!`${error.message} ${String(error.cause)}`.includes(secret), error.message);
  return error.failure;
}

test('a request arrives as it was given, and the answer comes back whole', async (t) => {
  const server = await startServer(t, (request, response) => {
    void textOf(request).then((body) => {
      response.setHeader('X-Two', ['1', '2']);
      response.writeHead(201);
      response.end(JSON.stringify([request.method, request.url, request.headers.authorization, request.headers.host, body]));
    });
  });
  const client = clientOf(t);
  const answer = await client.send(
    get(`${server.url}/in?a=b`, { method: 'POST', headers: { Authorization: 'Bearer t' }, body: Buffer.from('hello') }),
  );
  assert.equal(answer.status, 201);
  assert.equal(answer.headers.get('x-two'), '1, 2');
  assert.deepEqual(JSON.parse(answer.body.toString()), ['POST', '/in?a=b', 'Bearer t', `127.0.0.1:${server.port}`, 'hello']);
  assert.equal(client.pending, 0);
});

test('an error answer is an answer, a redirect is not followed, and interim answers are passed over', async (t) => {
  const server = await startServer(t, (request, response) => {
    if (request.url === '/moved') response.writeHead(302, { Location: '/elsewhere' }).end();
    else response.writeEarlyHints({ link: '</a>; rel=preload' }, () => response.writeHead(500).end('no'));
  });
  const client = clientOf(t);
  assert.equal((await client.send(get(`${server.url}/moved`))).headers.get('location'), '/elsewhere');
  const failed = await client.send(get(`${server.url}/`));
  assert.equal(failed.status, 500);
  assert.equal(failed.body.toString(), 'no');
});

test('every call has a connection of its own, which ends with it', async (t) => {
  const ports = new Set<number | undefined>();
  const kept: (string | undefined)[] = [];
  const server = await startServer(t, (request, response) => {
    ports.add(request.socket.remotePort);
    kept.push(request.headers.connection);
    response.end();
  });
  const client = clientOf(t);
  for (let call = 0; call < 3; call++) await client.send(get(server.url));
  assert.equal(ports.size, 3);
  assert.deepEqual(kept, ['close', 'close', 'close']);
});

test('the time-out holds for the whole exchange: before the head, inside the body, and while waiting for a turn', async (t) => {
  const arrived = new Set<string | undefined>();
  let onArrival = (): void => {};
  const server = await startServer(t, (request, response) => {
    arrived.add(request.url);
    if (request.url === '/half') response.write('half');
    onArrival();
  });
  const arrival = (count: number): Promise<void> =>
    new Promise((resolve) => {
      onArrival = () => {
        if (arrived.size === count) resolve();
      };
    });
  const clock = new FakeClock();
  const limits = { maxAtOnce: 2, maxAtOncePerOrigin: 2, maxWaiting: 1, maxWaitingPerOrigin: 1 };
  const client = clientOf(t, { clock, limits });
  const both = arrival(2);
  const failures = ['/silent', '/half', '/waiting'].map((path) =>
    failureOf(client.send(get(`${server.url}${path}?key=secret`)), ['secret']),
  );
  await both;
  clock.advance(2999);
  assert.equal(client.pending, 3);
  clock.advance(1);
  assert.deepEqual(await Promise.all(failures), ['timeout', 'timeout', 'timeout']);
  assert.equal(arrived.has('/waiting?key=secret'), false);
  assert.equal(client.pending, 0);
  assert.equal(clock.pendingTasks, 0);
});

test('the time-out ends the wait for a name too', async (t) => {
  const clock = new FakeClock();
  const client = clientOf(t, { clock, addressesOf: () => new Promise(() => {}) });
  const failure = failureOf(client.send(get('http://slow.test/')));
  await new Promise((resolve) => setImmediate(resolve));
  clock.advance(3000);
  assert.equal(await failure, 'timeout');
});

test('an answer that is larger than allowed fails', async (t) => {
  const server = await startServer(t, (request, response) => {
    response.end(Buffer.alloc(request.url === '/large' ? 1024 * 1024 + 1 : 1024 * 1024));
  });
  const client = clientOf(t);
  assert.equal((await client.send(get(server.url))).body.length, 1024 * 1024);
  assert.equal(await failureOf(client.send(get(`${server.url}/large`))), 'too_large');
  assert.equal(await failureOf(client.send(get(server.url, { maxResponseBytes: 1024 * 1024 - 1 }))), 'too_large');
});

test('what a host resolves to is judged by the address policy, and only allowed addresses are connected to', async (t) => {
  const server = await startServer(t, (request, response) => response.end(request.headers.host));
  const judged: [string, number][] = [];
  const client = clientOf(t, {
    addressesOf: async () => ['169.254.169.254', '127.0.0.1'],
    mayDial: (address, port) => {
      judged.push([address, port]);
      return address === '127.0.0.1';
    },
  });
  const answer = await client.send(get(`http://metadata.test:${server.port}/`));
  assert.equal(answer.body.toString(), `metadata.test:${server.port}`);
  assert.deepEqual(judged, [
    ['169.254.169.254', server.port],
    ['127.0.0.1', server.port],
  ]);
});

test('a literal address is judged too, in every spelling, and nothing is connected to', async (t) => {
  let connections = 0;
  const server = createSocketServer(() => connections++);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const client = clientOf(t, { mayDial: () => false });
  for (const host of ['127.0.0.1', '0x7f.1', '2130706433', '[::ffff:127.0.0.1]', '[::1]', 'name.test']) {
    assert.equal(await failureOf(client.send(get(`http://${host}:${address.port}/`))), 'denied', host);
  }
  assert.equal(connections, 0);
});

test('a host that does not resolve, and a connection that is refused, fail without a secret', async (t) => {
  const client = clientOf(t, { addressesOf: async (host) => (host === 'gone.test' ? [] : ['127.0.0.1']) });
  assert.equal(await failureOf(client.send(get('http://gone.test/hook/s3cret?key=s3cret')), ['s3cret']), 'unresolved');
  const closed = createServer();
  closed.listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const address = closed.address();
  assert.ok(typeof address === 'object' && address !== null);
  closed.close();
  await once(closed, 'close');
  const url = `http://127.0.0.1:${address.port}/hook/s3cret?key=s3cret`;
  await assert.rejects(client.send(get(url)), { message: `calling http://127.0.0.1:${address.port} failed: ECONNREFUSED` });
});

test('a connection that breaks fails the call', async (t) => {
  const server = await startServer(t, (_request, response) => response.destroy());
  assert.equal(await failureOf(clientOf(t).send(get(server.url))), 'failed');
});

test('URLs and headers that cannot be sent are refused without being told', async (t) => {
  const client = clientOf(t);
  for (const url of ['', 'not a url', 'ftp://127.0.0.1/', 'file:///etc/passwd', 'http://user:s3cret@127.0.0.1/', '//127.0.0.1']) {
    assert.equal(await failureOf(client.send(get(url)), ['s3cret']), 'invalid', url);
  }
  const headers = { Authorization: 's3cret\r\nX: y' };
  assert.equal(await failureOf(client.send(get('http://127.0.0.1:9/', { headers })), ['s3cret']), 'invalid');
});

test('as many calls as the limits say are under way at once, one origin takes no more than its share, and beyond the queue none waits', async (t) => {
  let running = 0;
  let most = 0;
  const held: (() => void)[] = [];
  const listener: RequestListener = (_request, response) => {
    running += 1;
    most = Math.max(most, running);
    held.push(() => {
      running -= 1;
      response.end();
    });
  };
  const [slow, other] = [await startServer(t, listener), await startServer(t, (_request, response) => response.end())];
  const limits = { maxAtOnce: 3, maxAtOncePerOrigin: 2, maxWaiting: 4, maxWaitingPerOrigin: 2 };
  const client = clientOf(t, { limits });
  const calls = [1, 2, 3, 4].map(() => client.send(get(slow.url)));
  assert.equal(await failureOf(client.send(get(slow.url))), 'busy');
  for (let call = 0; call < 5; call++) assert.equal((await client.send(get(other.url))).status, 200);
  assert.equal(client.pending, 4);
  const drain = setInterval(() => held.shift()?.(), 1);
  t.after(() => clearInterval(drain));
  for (const answer of await Promise.all(calls)) assert.equal(answer.status, 200);
  assert.equal(most, 2);
});

test('a certificate is verified where that is asked for, by the name in the URL', async (t) => {
  const { cert, key } = await createTestCertificate();
  const names: unknown[] = [];
  const secure = createSecureServer({ cert, key }, (request, response) => {
    response.end(`${request.headers.host}`);
  });
  secure.on('secureConnection', (socket) => names.push(socket.servername));
  const { port } = await listen(t, secure);
  const client = clientOf(t, { addressesOf: async () => ['127.0.0.1'] });
  const answer = await client.send(get(`https://logs.test:${port}/`, { verifyTls: false }));
  assert.equal(answer.body.toString(), `logs.test:${port}`);
  assert.deepEqual(names, ['logs.test']);
  await assert.rejects(client.send(get(`https://logs.test:${port}/`)), { message: /failed: DEPTH_ZERO_SELF_SIGNED_CERT$/ });
});

test('a closed client ends what is under way and takes nothing more', async (t) => {
  const opened = Promise.withResolvers<void>();
  const server = await startServer(t, () => opened.resolve());
  const client = clientOf(t);
  const failure = failureOf(client.send(get(server.url)));
  await opened.promise;
  client.close();
  assert.equal(await failure, 'closed');
  assert.equal(await failureOf(client.send(get(server.url))), 'closed');
});

test('idle means that no call has followed the last one, and waiting for it is bounded', async (t) => {
  const held: (() => void)[] = [];
  const server = await startServer(t, (request, response) => {
    if (request.url === '/') held.push(() => response.end());
    else response.end();
  });
  const clock = new FakeClock();
  const client = clientOf(t, { clock });
  await client.whenIdle(1000);
  let followed = false;
  const first = client.send(get(server.url)).then(async () => {
    await client.send(get(`${server.url}/next`));
    followed = true;
  });
  const late = client.whenIdle(10);
  clock.advance(10);
  await late;
  const idle = client.whenIdle(1000);
  while (held.length === 0) await new Promise((resolve) => setImmediate(resolve));
  held[0]?.();
  await idle;
  assert.equal(followed, true);
  await first;
  assert.equal(clock.pendingTasks, 0);
});

test('an IPv6 literal is called', async (t) => {
  const server = createServer((request, response) => response.end(request.headers.host));
  server.listen(0, '::1');
  await once(server, 'listening');
  t.after(() => server.close());
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  // Machines without IPv6 do not get here: listening fails first.
  const socket = connect(address.port, '::1');
  await once(socket, 'connect');
  socket.destroy();
  const answer = await clientOf(t).send(get(`http://[::1]:${address.port}/`));
  assert.equal(answer.body.toString(), `[::1]:${address.port}`);
});
