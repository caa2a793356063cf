import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { statusFor } from '../../test-support/ask-gateway.ts';
import { startEchoUpstream } from '../../test-support/echo-upstream.ts';
import { type RunningInstance, runningInstance, until } from '../../test-support/running-instance.ts';
import { temporaryFolder } from '../../test-support/temporary-folder.ts';
import { TestAuthority } from '../../test-support/test-authority.ts';
import { type ChaosRun, chaosTest } from './chaos-test.ts';

const HOST = 'a.example';
const BETWEEN_CHANGES_MS = 50;
const CHANGES_IN_A_ROUND = 30;
/** One of everything at once, a key that is given, and one that is taken. */
const WRITES_A_CHANGE = 3;
const CLIENTS = 3;

chaosTest({
  name: 'constant-change',
  promise: 'while routes, nodes, keys and certificates change twenty times a second, no request fails and none sees half of a change',
  quickRounds: 3,
  run: async (chaos) => {
    const authority = await TestAuthority.create();
    const certificates = await Promise.all(Array.from({ length: 3 }, () => authority.issue({ names: [HOST] })));
    const upstreams = [await startEchoUpstream(chaos), await startEchoUpstream(chaos), await startEchoUpstream(chaos)];
    const limits = ['--admin-requests-per-user', '0', '--admin-requests-per-address', '0'];
    const instance = await runningInstance(chaos, { dataFolder: await temporaryFolder(chaos), flags: ['--no-demo', ...limits] });
    const steadyKey = chaos.random.hexadecimal();
    let version = 0;
    const change = (): Promise<void> => {
      version++;
      const { cert, key } = chaos.random.pick(certificates);
      return writeTogether(instance, {
        version,
        ports: chaos.random.shuffle(upstreams).slice(0, chaos.random.integer(1, 4)),
        steadyKey,
        changingKey: chaos.random.hexadecimal(),
        certificate: { cert, key },
      });
    };
    await change();
    // The first certificate opens the port; a busy machine may do so after the answer.
    await until(() => listensOn(instance.ports.https), 'TLS is listened for', 60_000);
    await chaos.rounds(async (scope) => {
      const clients = startClients(chaos, instance, authority.cert, steadyKey);
      scope.after(() => clients.stop());
      const startedMs = performance.now();
      let keysTried = 0;
      for (let turn = 0; turn < CHANGES_IN_A_ROUND; turn++) {
        await Promise.all([pause(BETWEEN_CHANGES_MS), change()]);
        chaos.tally.writesAcknowledged++;
        keysTried += await exchangeKey(chaos, instance);
      }
      chaos.figure('longestBetweenWritesMs', (performance.now() - startedMs) / (CHANGES_IN_A_ROUND * WRITES_A_CHANGE), BETWEEN_CHANGES_MS);
      assert.ok(keysTried > 0, 'no answer said that its key is in force');
      await clients.stop();
    });
  },
});

function listensOn(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ port, host: '127.0.0.1' });
  socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  return promise.finally(() => socket.destroy());
}

/** All of one version in one revision: the service says it to the upstream, the route to the client. */
async function writeTogether(
  instance: RunningInstance,
  options: {
    readonly version: number;
    readonly ports: readonly number[];
    readonly steadyKey: string;
    readonly changingKey: string;
    readonly certificate: { readonly cert: string; readonly key: string };
  },
): Promise<void> {
  const { version, ports, steadyKey, changingKey, certificate } = options;
  const nodes = ports.map((port, index) => ({ host: '127.0.0.1', port, weight: 1 + ((version + index) % 3) }));
  const upstream = { nodes, type: version % 2 === 0 ? 'roundrobin' : 'least_conn' };
  const toUpstream = { 'proxy-rewrite': { headers: { set: { 'X-Version': String(version) } } } };
  const toClient = { 'response-rewrite': { headers: { set: { 'X-Version': String(version) } } } };
  const operations = [
    { kind: 'service', id: 's', body: { name: 's', upstream, plugins: toUpstream } },
    {
      kind: 'route',
      id: 'r',
      body: { name: 'r', service_id: 's', paths: ['/anything'], priority: version, plugins: { 'key-auth': {}, ...toClient } },
    },
    { kind: 'consumer', id: 'jack', body: { username: 'jack' } },
    { kind: 'credential', parent: 'jack', id: 'steady', body: { plugins: { 'key-auth': { key: steadyKey } } } },
    { kind: 'credential', parent: 'jack', id: `c${version % 5}`, body: { plugins: { 'key-auth': { key: changingKey } } } },
    { kind: 'ssl', id: 'a', body: { snis: [HOST], ...certificate } },
  ];
  const answer = await instance.admin('POST', '/api/gateway_groups/default/bulk', operations);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
}

/** A key holds as soon as its write is answered, and no longer than its removal. Resolves with how many of the two answers said so. */
async function exchangeKey({ random, tally }: ChaosRun, instance: RunningInstance): Promise<number> {
  let tried = 0;
  const key = random.hexadecimal();
  const path = '/apisix/admin/consumers/jack/credentials/exchanged';
  for (const [method, body, expected] of [
    ['PUT', { plugins: { 'key-auth': { key } } }, 200],
    ['DELETE', undefined, 401],
  ] as const) {
    const write = await instance.admin(method, path, body);
    assert.equal(write.status, method === 'PUT' && write.status === 201 ? 201 : 200);
    tally.writesAcknowledged++;
    if (write.headers['portcullis-applied'] !== '1/1') continue;
    tried++;
    const status = await statusFor({ port: instance.ports.http, path: '/anything', key });
    tally.requests++;
    if (status !== expected) tally.requestFailed(`after ${method} of its key: ${status}`);
  }
  return tried;
}

/** Clients that ask without a pause, over HTTP and HTTPS, on kept connections; one more makes a whole TLS handshake for each request. */
function startClients({ tally }: ChaosRun, instance: RunningInstance, ca: string, key: string): { stop(): Promise<void> } {
  const connectOptions = { ca, servername: HOST, maxCachedSessions: 0 };
  const dispatcher = new Agent({ connect: connectOptions, connections: CLIENTS });
  const fresh = new Agent({ connect: connectOptions, connections: 1 });
  let isOver = false;
  const ask = async (origin: string, reset = false): Promise<void> => {
    while (!isOver) {
      tally.requests++;
      try {
        const answer = await request(`${origin}/anything`, {
          dispatcher: reset ? fresh : dispatcher,
          reset,
          headers: { apikey: key, host: HOST },
        });
        const echoed = JSON.parse(await answer.body.text());
        const [seen, sent] = [answer.headers['x-version'], echoed['x-version']];
        if (answer.statusCode !== 200) tally.requestFailed(`${origin}: ${answer.statusCode}`);
        else if (seen !== sent || seen === undefined) tally.requestFailed(`half of a change: the route says ${seen}, the service ${sent}`);
      } catch (error) {
        tally.requestFailed(`${origin}: ${error}`);
      }
    }
  };
  const origins = [`http://127.0.0.1:${instance.ports.http}`, `https://127.0.0.1:${instance.ports.https}`];
  const running = [...origins.flatMap((origin) => Array.from({ length: CLIENTS }, () => ask(origin))), ask(origins[1] ?? '', true)];
  return {
    async stop() {
      isOver = true;
      await Promise.all(running);
      await Promise.all([dispatcher.destroy(), fresh.destroy()]);
    },
  };
}
