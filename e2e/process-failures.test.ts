import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import test from 'node:test';
import { type GatewayQuestion, statusFor } from '../test-support/ask-gateway.ts';
import { isAlive, type RunningInstance, runningInstance, until, untilGone } from '../test-support/running-instance.ts';
import { temporaryFolder } from '../test-support/temporary-folder.ts';

/** A request that takes longer has had no answer. */
const ANSWER_LIMIT_MS = 10_000;

/** One request over a connection of its own: its status, or how it failed, and how long it took. */
async function freshRequest(question: GatewayQuestion): Promise<{ readonly outcome: number | string; readonly tookMs: number }> {
  const startedMs = performance.now();
  return { outcome: await statusFor(question, ANSWER_LIMIT_MS), tookMs: performance.now() - startedMs };
}

/** Sends requests one after another over new connections while `action` runs and until `recovered` holds. */
async function requestsDuring(
  question: GatewayQuestion,
  action: () => Promise<void>,
  recovered: () => Promise<boolean>,
): Promise<{ outcome: number | string; tookMs: number }[]> {
  const results: { outcome: number | string; tookMs: number }[] = [];
  const finished = new AbortController();
  const sender = (async () => {
    while (!finished.signal.aborted) results.push(await freshRequest(question));
  })();
  try {
    await action();
    await until(recovered, 'recovered');
  } finally {
    finished.abort();
    await sender;
  }
  return results;
}

interface GatewayStatus {
  readonly status: string;
  readonly spare?: boolean;
}

async function gatewayStatus(instance: RunningInstance): Promise<GatewayStatus | undefined> {
  const answer = await fetch(`http://127.0.0.1:${instance.ports.status}/status/ready`).catch(() => undefined);
  return answer === undefined ? undefined : ((await answer.json()) as GatewayStatus);
}

/** All workers listen and the thread that replaces the next one that dies is there. */
async function isReady(instance: RunningInstance): Promise<boolean> {
  const status = await gatewayStatus(instance);
  return status?.status === 'ok' && status.spare === true;
}

/** How many worker threads have been replaced so far, as the event log tells. */
function replacedWorkers(instance: RunningInstance): number {
  const log = readFileSync(path.join(instance.dataFolder, 'logs', 'portcullis.log'), 'utf8');
  return log.split('a worker thread ended and is replaced').length - 1;
}

const hook = async (instance: RunningInstance, name: string): Promise<void> => {
  await until(() => isReady(instance), 'all workers and the spare are there');
  const answer = await fetch(`http://127.0.0.1:${instance.ports.status}/test/worker/0/${name}`, { method: 'POST' });
  assert.ok(answer.ok, `the hook answers ${answer.status}`);
};

for (const failure of ['throw', 'exhaust-heap', 'exit']) {
  test(`a worker that ends by ${failure} comes back, and new connections are answered within a second`, async (t) => {
    const instance = await runningInstance(t, { dataFolder: await temporaryFolder(t), environment: { PORTCULLIS_TEST_HOOKS: '1' } });
    const gateway = instance.child('gateway');
    const results = await requestsDuring(
      { port: instance.ports.http, path: '/nothing-here' },
      () => hook(instance, failure),
      async () => replacedWorkers(instance) === 1 && (await isReady(instance)),
    );
    const slow = results.filter(({ tookMs }) => tookMs > 1000);
    assert.deepEqual(slow, []);
    const failed = results.filter(({ outcome }) => outcome !== 404);
    assert.ok(failed.length <= 1, `only what was in flight may fail: ${JSON.stringify(failed)}`);
    assert.equal(instance.child('gateway'), gateway, 'the process itself goes on');
    assert.equal(await instance.stop(), 0);
  });
}

test('a killed gateway process comes back with all of its configuration; no connection is refused meanwhile', async (t) => {
  const instance = await runningInstance(t, { dataFolder: await temporaryFolder(t) });
  await instance.admin('PUT', '/apisix/admin/services/echo', {
    name: 'echo',
    upstream: { nodes: [{ host: '127.0.0.1', port: instance.ports.demo, weight: 1 }] },
  });
  await instance.admin('PUT', '/apisix/admin/routes/echo', {
    name: 'echo',
    paths: ['/anything'],
    service_id: 'echo',
    plugins: { 'key-auth': {} },
  });
  await instance.admin('PUT', '/apisix/admin/consumers/jack', { username: 'jack' });
  const keyOf = (index: number): string => `${instance.token}-${index}`;
  // Many deltas on disk, each of which revokes what the one before had brought.
  for (let index = 0; index <= 200; index++) {
    await instance.admin('PUT', '/apisix/admin/consumers/jack/credentials/c', { plugins: { 'key-auth': { key: keyOf(index) } } });
  }
  const killed = instance.child('gateway');
  const answersFor = (key: string, action: () => Promise<void>) =>
    requestsDuring({ port: instance.ports.http, path: '/anything', key }, action, () => isReady(instance));
  const [valid, revoked] = await Promise.all([
    answersFor(keyOf(200), async () => {
      process.kill(killed, 'SIGKILL');
      await untilGone(killed);
    }),
    answersFor(keyOf(199), () => untilGone(killed)),
  ]);
  for (const [answers, expected] of [[valid, 200] as const, [revoked, 401] as const]) {
    const others = answers.map(({ outcome }) => outcome).filter((outcome) => outcome !== expected);
    assert.ok(others.length <= 1 && others.every((outcome) => outcome === 'ECONNRESET'), `only what was in flight may fail: ${others}`);
  }
});

test('a key that was given and revoked stays revoked when the gateway process is killed', async (t) => {
  const instance = await runningInstance(t, { dataFolder: await temporaryFolder(t) });
  const node = { host: '127.0.0.1', port: instance.ports.demo, weight: 1 };
  await instance.admin('PUT', '/apisix/admin/services/echo', { name: 'echo', upstream: { nodes: [node] } });
  await instance.admin('PUT', '/apisix/admin/routes/echo', {
    name: 'echo',
    paths: ['/anything'],
    service_id: 'echo',
    plugins: { 'key-auth': {} },
  });
  await instance.admin('PUT', '/apisix/admin/consumers/jack', { username: 'jack' });
  const key = `${instance.token}-given`;
  const ask = () => freshRequest({ port: instance.ports.http, path: '/anything', key });
  await instance.admin('PUT', '/apisix/admin/consumers/jack/credentials/c', { plugins: { 'key-auth': { key } } });
  assert.equal((await ask()).outcome, 200);
  await instance.admin('DELETE', '/apisix/admin/consumers/jack/credentials/c');
  assert.equal((await ask()).outcome, 401);
  const killed = instance.child('gateway');
  process.kill(killed, 'SIGKILL');
  await untilGone(killed);
  assert.equal((await ask()).outcome, 401);
});

test('a gateway process that has used up its sockets is replaced, and neither requests nor writes notice', async (t) => {
  const instance = await runningInstance(t, { dataFolder: await temporaryFolder(t), environment: { PORTCULLIS_TEST_HOOKS: '1' } });
  const first = instance.child('gateway');
  const results = await requestsDuring(
    { port: instance.ports.http, path: '/nothing-here' },
    async () => {
      // Each end of a worker takes one of the eight copies that a process has of its socket.
      for (let ends = 1; ends <= 6; ends++) {
        await hook(instance, 'exit');
        await until(() => replacedWorkers(instance) === ends, 'the worker is replaced');
      }
    },
    async () => !isAlive(first) && (await isReady(instance)),
  );
  const failed = results.filter(({ outcome }) => outcome !== 404);
  assert.ok(failed.length <= 6, `only what was in flight in a worker that ended may fail: ${JSON.stringify(failed)}`);
  await until(async () => {
    const write = await instance.admin('PUT', '/apisix/admin/consumers/jack', { username: 'jack' });
    return write.headers['portcullis-applied'] === '1/1';
  }, 'the new process takes changes');
  assert.equal(await instance.stop(), 0);
});

test('a killed control plane comes back; the gateway serves on and takes the next change', async (t) => {
  const instance = await runningInstance(t, { dataFolder: await temporaryFolder(t) });
  await instance.admin('PUT', '/apisix/admin/services/echo', {
    name: 'echo',
    upstream: { nodes: [{ host: '127.0.0.1', port: instance.ports.demo, weight: 1 }] },
  });
  await instance.admin('PUT', '/apisix/admin/routes/echo', { name: 'echo', paths: ['/anything'], service_id: 'echo' });
  const killed = instance.child('control-plane');
  process.kill(killed, 'SIGKILL');
  assert.equal((await fetch(`http://127.0.0.1:${instance.ports.http}/anything`)).status, 200);
  await untilGone(killed);
  await until(
    async () => (await instance.admin('GET', '/api/gateway_groups').catch(() => undefined))?.status === 200,
    'the Admin API answers again',
  );
  await until(async () => {
    const answer = await instance.admin('PUT', '/apisix/admin/routes/second', {
      name: 'second',
      paths: ['/anything/second'],
      service_id: 'echo',
    });
    return answer.headers['portcullis-applied'] === '1/1';
  }, 'the gateway is connected again');
  assert.equal((await fetch(`http://127.0.0.1:${instance.ports.http}/anything/second`)).status, 200);
});

test('when the supervisor is killed no child stays, and the next start succeeds at once', async (t) => {
  const dataFolder = await temporaryFolder(t);
  const first = await runningInstance(t, { dataFolder });
  const children = first.childProcesses().map(({ pid }) => pid);
  assert.equal(children.length, 3);
  first.process.kill('SIGKILL');
  // The launcher may stand between: its child is what supervises.
  const second = await runningInstance(t, { dataFolder, flags: ['--http-port', String(first.ports.http)] }, first.token);
  assert.deepEqual(children.filter(isAlive), []);
  assert.equal(second.ports.http, first.ports.http);
  assert.equal(await second.stop(), 0);
});

test('a stop ends every process and leaves nothing behind but the data', async (t) => {
  const instance = await runningInstance(t, { dataFolder: await temporaryFolder(t) });
  const children = instance.childProcesses().map(({ pid }) => pid);
  assert.equal(await instance.stop(), 0);
  assert.deepEqual(children.filter(isAlive), []);
  assert.equal(instance.stderr, '');
});

test('a stop lets the request in flight end', async (t) => {
  const arrived = Promise.withResolvers<http.ServerResponse>();
  const upstream = http.createServer((_request, response) => arrived.resolve(response)).listen(0, '127.0.0.1');
  t.after(() => upstream.close());
  await once(upstream, 'listening');
  const { port } = upstream.address() as AddressInfo;
  const instance = await runningInstance(t, { dataFolder: await temporaryFolder(t) });
  await instance.admin('PUT', '/apisix/admin/services/slow', {
    name: 'slow',
    upstream: { nodes: [{ host: '127.0.0.1', port, weight: 1 }] },
  });
  await instance.admin('PUT', '/apisix/admin/routes/slow', { name: 'slow', paths: ['/slow'], service_id: 'slow' });
  const answer = fetch(`http://127.0.0.1:${instance.ports.http}/slow`);
  const response = await arrived.promise;
  const stopped = instance.stop();
  await until(async () => (await gatewayStatus(instance))?.status !== 'ok', 'the gateway drains');
  response.end('at last');
  assert.equal(await (await answer).text(), 'at last');
  assert.equal(await stopped, 0);
});
