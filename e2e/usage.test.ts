import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { statusFor } from '../test-support/ask-gateway.ts';
import { startEchoUpstream } from '../test-support/echo-upstream.ts';
import { type RunningInstance, runningInstance, until, untilGone } from '../test-support/running-instance.ts';
import { temporaryFolder } from '../test-support/temporary-folder.ts';

const JACK = 'a-key-of-jack-1234567890';
const IDLE = 'a-key-that-nobody-uses-123';
const USAGE_OF_JACK = '/apisix/admin/consumers/jack/credentials/used/usage?split=route,status';

/** What an answer tells apart: route, status and requests, and what it says of the last use. */
interface Told {
  readonly requests: number;
  readonly sums: readonly string[];
  readonly lastUsedAt: number | undefined;
}

/** Two guarded routes, of which one lets three requests through, and a consumer with a key that is used and one that is not. */
async function guarded(t: TestContext): Promise<RunningInstance> {
  const instance = await runningInstance(t, { dataFolder: await temporaryFolder(t), flags: ['--usage-interval', '1'] });
  const nodes = [{ host: '127.0.0.1', port: await startEchoUpstream(t), weight: 1 }];
  const limit = { count: 3, time_window: 3600, rejected_code: 429 };
  const writes: readonly (readonly [string, object])[] = [
    ['services/echo', { name: 'echo', upstream: { nodes }, plugins: { 'key-auth': {} } }],
    ['routes/free', { name: 'free', paths: ['/free'], service_id: 'echo' }],
    ['routes/limited', { name: 'limited', paths: ['/limited'], service_id: 'echo', plugins: { 'limit-count': limit } }],
    ['consumers/jack', { username: 'jack' }],
    ['consumers/jack/credentials/used', { plugins: { 'key-auth': { key: JACK } } }],
    ['consumers/jack/credentials/idle', { plugins: { 'key-auth': { key: IDLE } } }],
  ];
  for (const [resource, body] of writes) {
    const answer = await instance.admin('PUT', `/apisix/admin/${resource}`, body);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
  }
  return instance;
}

async function ask(instance: RunningInstance, path: string, key: string, times: number): Promise<readonly (number | string)[]> {
  const statuses: (number | string)[] = [];
  while (statuses.length < times) statuses.push(await statusFor({ port: instance.ports.http, path, key }));
  return statuses;
}

async function told(instance: RunningInstance, resource: string): Promise<Told> {
  const answer = await instance.admin('GET', resource);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  const value = Object(Object(answer.body).value);
  const rows: readonly unknown[] = value.list;
  const sums = new Map<string, number>();
  for (const row of rows.map(Object)) {
    // An hour may end within the test.
    const name = `${row.route} ${row.status}`;
    sums.set(name, (sums.get(name) ?? 0) + row.requests);
  }
  const named = [...sums].map(([name, requests]) => `${name}: ${requests}`).sort();
  return { requests: value.requests, sums: named, lastUsedAt: value.last_used_at };
}

test('requests are counted by key, route and status, with the last use, and a key that nobody uses is found', async (t) => {
  const instance = await guarded(t);
  const startedAt = Math.floor(Date.now() / 1000);
  assert.deepEqual(await ask(instance, '/free', JACK, 4), [200, 200, 200, 200]);
  assert.deepEqual(await ask(instance, '/limited', JACK, 5), [200, 200, 200, 429, 429]);
  assert.deepEqual(await ask(instance, '/free', 'a-wrong-key', 2), [401, 401]);
  await until(async () => (await told(instance, USAGE_OF_JACK)).requests === 9, 'all is told and written', 30_000);

  const ofKey = await told(instance, USAGE_OF_JACK);
  assert.deepEqual(ofKey.sums, ['free 200: 4', 'limited 200: 3', 'limited 429: 2']);
  const lastUsedAt = ofKey.lastUsedAt ?? 0;
  assert.ok(lastUsedAt >= startedAt && lastUsedAt <= Math.floor(Date.now() / 1000), String(lastUsedAt));
  assert.equal((await told(instance, '/apisix/admin/consumers/jack/usage?split=route,status')).requests, 9);
  assert.equal((await told(instance, '/apisix/admin/routes/limited/usage?split=route,status')).requests, 5);
  // Wrong keys are nobody's, and of the route all the same.
  assert.deepEqual((await told(instance, '/apisix/admin/routes/free/usage?split=route,status')).sums, ['free 200: 4', 'free 401: 2']);
  assert.equal((await told(instance, '/apisix/admin/services/echo/usage?split=route,status')).requests, 11);
  assert.equal((await told(instance, '/api/gateway_groups/default/usage?split=route,status')).requests, 11);
  const idle = await told(instance, '/apisix/admin/consumers/jack/credentials/idle/usage?split=route,status');
  assert.deepEqual([idle.requests, idle.lastUsedAt ?? null], [0, null]);

  // Only keys that are older than what is asked for are named.
  await until(() => Math.floor(Date.now() / 1000) > lastUsedAt, 'its second is over');
  const unused = `/api/gateway_groups/default/unused_credentials?unused_since=${Math.floor(Date.now() / 1000)}`;
  assert.match(JSON.stringify((await instance.admin('GET', unused)).body), /"used"/);
  assert.equal(await statusFor({ port: instance.ports.http, path: '/free', key: JACK }), 200);
  await until(async () => !JSON.stringify((await instance.admin('GET', unused)).body).includes('"used"'), 'its last use is told', 30_000);
  assert.match(JSON.stringify((await instance.admin('GET', unused)).body), /"idle"/);
  assert.equal(await instance.stop(), 0);
});

test('a gateway that is killed loses what it had not told yet and nothing before, and counts on', async (t) => {
  const instance = await guarded(t);
  const written = async (requests: number): Promise<void> =>
    until(async () => (await told(instance, USAGE_OF_JACK)).requests === requests, `${requests} are written`, 30_000);
  await ask(instance, '/free', JACK, 6);
  await written(6);

  const killed = instance.child('gateway');
  await ask(instance, '/free', JACK, 5);
  process.kill(killed, 'SIGKILL');
  await untilGone(killed);
  await until(async () => (await statusFor({ port: instance.ports.http, path: '/limited', key: JACK }, 5_000)) === 200, 'it serves again');
  await ask(instance, '/limited', JACK, 2);
  const byNew = async (): Promise<boolean> => (await told(instance, USAGE_OF_JACK)).sums.includes('limited 200: 3');
  await until(byNew, 'the new process counts on', 30_000);
  const free = (await told(instance, '/apisix/admin/routes/free/usage?split=route,status')).requests;
  assert.ok(free >= 6 && free <= 11, `of the last five some may be lost, and none counts twice: ${free}`);
  assert.equal(await instance.stop(), 0);
});
