import assert from 'node:assert/strict';
import http from 'node:http';
import test, { type TestContext } from 'node:test';
import { type RunningInstance, runningInstance, until } from '../test-support/running-instance.ts';
import { temporaryFolder } from '../test-support/temporary-folder.ts';

async function serving(t: TestContext, plugins: object): Promise<RunningInstance> {
  const instance = await runningInstance(t, { dataFolder: await temporaryFolder(t) });
  const nodes = [{ host: '127.0.0.1', port: instance.ports.demo, weight: 1 }];
  await put(instance, 'services/echo', { name: 'echo', upstream: { nodes } });
  await put(instance, 'routes/echo', { name: 'echo', paths: ['/anything'], service_id: 'echo', plugins });
  return instance;
}

async function put(instance: RunningInstance, resource: string, body: object): Promise<void> {
  const answer = await instance.admin('PUT', `/apisix/admin/${resource}`, body);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
}

interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

function get(port: number, path: string, headers: Record<string, string> = {}, agent: http.Agent | false = false): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.get({ host: '127.0.0.1', port, path, headers, agent }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        body += part;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    request.on('error', reject);
  });
}

test('a limit is exact over all workers, however many ask at once', async (t) => {
  const limit = 1000;
  const instance = await serving(t, {
    'limit-count': { count: limit, time_window: 3600, key_type: 'constant', key: 'all', rejected_code: 429 },
  });
  const agent = new http.Agent({ keepAlive: true, maxSockets: 200 });
  t.after(() => agent.destroy());
  const answers = await Promise.all(Array.from({ length: 10_000 }, () => get(instance.ports.http, '/anything', {}, agent)));
  const statuses = answers.map(({ status }) => status);
  assert.equal(statuses.filter((status) => status === 200).length, limit);
  assert.equal(statuses.filter((status) => status === 429).length, 10_000 - limit);
});

test('plugins on route, consumer and group work together through the real processes', async (t) => {
  const instance = await serving(t, { 'key-auth': {}, 'request-id': {}, cors: { allow_origins: 'http://app.example' } });
  await put(instance, 'consumers/jack', {
    username: 'jack',
    plugins: { 'limit-count': { count: 2, time_window: 3600, rejected_code: 429 } },
  });
  await put(instance, 'consumers/jack/credentials/k', { name: 'k', plugins: { 'key-auth': { key: 'jacks-own-long-key' } } });
  await put(instance, 'global_rules/prometheus', { plugins: { prometheus: {} } });
  const { http: port } = instance.ports;
  const key = { apikey: 'jacks-own-long-key', Origin: 'http://app.example' };
  const first = await get(port, '/anything?show_env=1', key);
  assert.equal(first.status, 200);
  assert.equal(first.headers['access-control-allow-origin'], 'http://app.example');
  assert.equal(first.headers['x-ratelimit-remaining'], '1');
  assert.equal(first.headers['x-request-id'], JSON.parse(first.body).headers['X-Request-Id']);
  assert.equal((await get(port, '/anything', key)).status, 200);
  assert.equal((await get(port, '/anything', key)).status, 429);
  const refused = await get(port, '/anything');
  assert.deepEqual([refused.status, refused.headers['x-request-id'] === undefined], [401, false]);
  const metrics = () => get(instance.ports.metrics, '/apisix/prometheus/metrics');
  await until(
    async () => (await metrics()).body.includes('apisix_http_status{code="429",route="echo"'),
    'the metrics show what was refused',
  );
  assert.match((await metrics()).body, /apisix_http_status\{code="200",route="echo",[^}]*consumer="jack"[^}]*\} 2\n/);
});

test('a password lets its user in, and neither log nor journal nor metrics hold it', async (t) => {
  const instance = await serving(t, { 'basic-auth': {} });
  await put(instance, 'consumers/jill', { username: 'jill' });
  await put(instance, 'consumers/jill/credentials/b', {
    name: 'b',
    plugins: { 'basic-auth': { username: 'jill', password: 'a-password-of-jill' } },
  });
  const { http: port } = instance.ports;
  const authorization = (password: string) => ({ Authorization: `Basic ${Buffer.from(`jill:${password}`).toString('base64')}` });
  assert.equal((await get(port, '/anything', authorization('a-password-of-jill'))).status, 200);
  assert.equal((await get(port, '/anything', authorization('another'))).status, 401);
  assert.ok(!(await get(instance.ports.metrics, '/apisix/prometheus/metrics')).body.includes('a-password-of-jill'));
});
