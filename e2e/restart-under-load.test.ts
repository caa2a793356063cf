import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { connect } from 'node:net';
import test, { type TestContext } from 'node:test';
import { LoadClients } from '../test-support/load-clients.ts';
import { openRawConnection } from '../test-support/raw-client.ts';
import { isAlive, type RunningInstance, runningInstance, until, untilGone } from '../test-support/running-instance.ts';
import { temporaryFolder } from '../test-support/temporary-folder.ts';

const CLIENTS_OF_EACH_KIND = 4;
/** Enough that every client has sent several since something happened. */
const SOME_REQUESTS = 300;

async function serving(t: TestContext, flags: readonly string[] = [], environment: Record<string, string> = {}): Promise<RunningInstance> {
  const instance = await runningInstance(t, { dataFolder: await temporaryFolder(t), flags, environment });
  await instance.admin('PUT', '/apisix/admin/services/echo', {
    name: 'echo',
    upstream: { nodes: [{ host: '127.0.0.1', port: instance.ports.demo, weight: 1 }] },
  });
  await instance.admin('PUT', '/apisix/admin/routes/echo', { name: 'echo', paths: ['/anything'], service_id: 'echo' });
  return instance;
}

/** Clients of all kinds at work. */
async function underLoad(t: TestContext, instance: RunningInstance): Promise<LoadClients> {
  const clients = new LoadClients(instance.ports.http, '/anything');
  clients.start(CLIENTS_OF_EACH_KIND);
  t.after(() => clients.stop());
  await moreRequests(clients);
  return clients;
}

async function moreRequests(clients: LoadClients): Promise<void> {
  const before = clients.total;
  await until(() => clients.total >= before + SOME_REQUESTS, 'the clients go on');
}

function connectFailure(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code));
  });
}

/** Over a connection of its own, as a probe does. */
function readiness(instance: RunningInstance): Promise<number | string> {
  return new Promise((resolve) => {
    http
      .get({ host: '127.0.0.1', port: instance.ports.status, path: '/status/ready', agent: false }, (answer) => {
        answer.resume().on('end', () => resolve(answer.statusCode ?? 0));
      })
      .on('error', (error) => resolve(String(error)));
  });
}

/** Asks for the readiness without a pause until stopped; what was answered, each once. */
function watchReadiness(instance: RunningInstance): { stop(): Promise<Set<number | string>> } {
  const seen = new Set<number | string>();
  const stopped = new AbortController();
  const asking = (async () => {
    while (!stopped.signal.aborted) seen.add(await readiness(instance));
  })();
  return {
    async stop() {
      stopped.abort();
      await asking;
      return seen;
    },
  };
}

test('SIGUSR2 replaces the gateway process, and no request of any client fails', async (t) => {
  const instance = await serving(t);
  const clients = await underLoad(t, instance);
  const watch = watchReadiness(instance);
  for (let restart = 0; restart < 2; restart++) {
    const old = instance.child('gateway');
    const saidClose = clients.kept.saidClose + clients.pipelining.saidClose;
    instance.process.kill('SIGUSR2');
    await untilGone(old);
    await moreRequests(clients);
    assert.ok(clients.kept.saidClose + clients.pipelining.saidClose > saidClose, 'the old process told its clients to go');
  }
  await clients.stop();
  t.diagnostic(JSON.stringify({ fresh: clients.fresh, kept: clients.kept, pipelining: clients.pipelining }));
  assert.deepEqual(clients.failures, []);
  assert.deepEqual([...(await watch.stop())], [200]);
  const write = await instance.admin('PUT', '/apisix/admin/consumers/jack', { username: 'jack' });
  assert.equal(write.headers['portcullis-applied'], '1/1');
  assert.equal(await instance.stop(), 0);
});

test('a killed gateway process refuses no connection, and only what was in flight fails', async (t) => {
  const instance = await serving(t);
  const clients = await underLoad(t, instance);
  const killed = instance.child('gateway');
  process.kill(killed, 'SIGKILL');
  await untilGone(killed);
  await moreRequests(clients);
  await clients.stop();
  t.diagnostic(JSON.stringify(clients.failures));
  assert.deepEqual(
    clients.failures.filter((failure) => failure.includes(': connect: ')),
    [],
  );
  assert.ok(clients.failures.length <= 3 * CLIENTS_OF_EACH_KIND, `one failure a client at most: ${clients.failures}`);
});

test('a worker that blocks refuses no connection, and only what was in flight in it fails', async (t) => {
  const instance = await serving(t, [], { PORTCULLIS_TEST_HOOKS: '1' });
  const gateway = instance.child('gateway');
  const clients = await underLoad(t, instance);
  await until(async () => {
    const answer = await fetch(`http://127.0.0.1:${instance.ports.status}/status/ready`);
    const body: unknown = await answer.json();
    return typeof body === 'object' && body !== null && 'spare' in body && body.spare === true;
  }, 'a spare worker is there');
  const hook = await fetch(`http://127.0.0.1:${instance.ports.status}/test/worker/0/block`, { method: 'POST' });
  assert.ok(hook.ok);
  await until(() => clients.failures.length > 0, 'the blocked worker was ended');
  await moreRequests(clients);
  await clients.stop();
  t.diagnostic(JSON.stringify(clients.failures));
  assert.deepEqual(
    clients.failures.filter((failure) => failure.includes(': connect: ')),
    [],
  );
  assert.ok(clients.failures.length <= 3 * CLIENTS_OF_EACH_KIND, `one failure a client at most: ${clients.failures}`);
  assert.equal(instance.child('gateway'), gateway);
});

test('after the delay of a stop new connections are refused at once, while the request in flight ends', async (t) => {
  const arrived = Promise.withResolvers<http.ServerResponse>();
  const upstream = http.createServer((_request, response) => arrived.resolve(response)).listen(0, '127.0.0.1');
  t.after(() => upstream.close());
  await once(upstream, 'listening');
  const address = upstream.address();
  assert.ok(typeof address === 'object' && address !== null);
  const instance = await serving(t);
  await instance.admin('PUT', '/apisix/admin/services/slow', {
    name: 'slow',
    upstream: { nodes: [{ host: '127.0.0.1', port: address.port, weight: 1 }] },
  });
  await instance.admin('PUT', '/apisix/admin/routes/slow', { name: 'slow', paths: ['/slow'], service_id: 'slow' });
  const running = await openRawConnection(t, { port: instance.ports.http });
  running.send('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n');
  const response = await arrived.promise;
  const stopped = instance.stop();
  await until(async () => (await connectFailure(instance.ports.http)) === 'ECONNREFUSED', 'new connections are refused');
  response.end('at last');
  const answer = await running.readResponse();
  assert.deepEqual([answer.status, answer.text(), answer.header('connection')], [200, 'at last', 'close']);
  running.destroy();
  assert.equal(await stopped, 0);
});

test('a stop is announced for the time of --drain-delay: not ready, still accepting, every answer the last of its connection', async (t) => {
  const instance = await serving(t, ['--drain-delay', '2']);
  const gateway = instance.child('gateway');
  const clients = await underLoad(t, instance);
  const stopped = instance.stop();
  await until(async () => (await readiness(instance)) === 503, 'the gateway says that it stops');
  const late = new LoadClients(instance.ports.http, '/anything');
  late.start(1);
  await until(() => late.total >= 50, 'new connections are answered');
  await Promise.all([late.stop(), clients.stop()]);
  assert.ok(isAlive(gateway), 'the clients were done within the delay');
  assert.deepEqual([...clients.failures, ...late.failures], []);
  assert.equal(late.kept.saidClose, late.kept.answered);
  assert.equal(late.pipelining.saidClose * 8, late.pipelining.answered);
  assert.equal(await stopped, 0);
});
