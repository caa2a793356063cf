import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { RecordingLogger } from '../../../test-support/recording-logger.ts';
import { PortcullisError } from '../../errors/index.ts';
import { systemRandom } from '../../lib/random.ts';
import type { Store, StoreHistory } from '../../store/index.ts';
import { makeAdminFixture, TOKEN } from '../testing/admin-fixture.ts';
import { authenticatorOf } from '../testing/caller-of-token.ts';
import { REQUEST_RATES } from '../testing/request-rates.ts';
import { createAdminApplication } from './admin-application.ts';
import { AnswerMemory } from './answer-memory.ts';
import type { ApiRoute } from './api-route.ts';
import { ExpectedContinues } from './expected-continues.ts';
import { RequestRates } from './request-rates.ts';

function makeApplication(t: TestContext, routes: readonly ApiRoute[]) {
  const log = new RecordingLogger();
  const app = createAdminApplication({
    routes,
    authenticator: authenticatorOf(TOKEN),
    answers: new AnswerMemory(new FakeClock(), new FakeClock()),
    isAddressAllowed: () => true,
    isTrustedProxy: () => false,
    rates: new RequestRates(REQUEST_RATES, new FakeClock(), log),
    log,
    random: systemRandom,
    softwareVersion: '1.2.3',
    maxBodyBytes: 100,
    maxBodyBytesAtOnce: 150,
    expectedContinues: new ExpectedContinues(),
    isDraining: () => false,
  });
  t.after(() => app.close());
  return { app, log };
}

test('a route that declares no permission cannot be added', (t) => {
  const { app } = makeApplication(t, []);
  assert.throws(() => app.get('/new', async () => 'open'), /GET \/new declares no permission/);
  const forgetful = { method: 'GET', path: '/new', handle: async () => ({ body: null }) } as unknown as ApiRoute;
  assert.throws(() => makeApplication(t, [forgetful]), /declares no permission/);
});

test('every route that is not public refuses a request without a token, HEAD and unknown methods too', async (t) => {
  const reached: string[] = [];
  const handle: ApiRoute['handle'] = async ({ method }) => {
    reached.push(method);
    return { body: null };
  };
  const { app } = makeApplication(t, [
    { method: 'GET', path: '/closed/:id', permission: 'gateway:GetConsumer', handle },
    { method: 'PUT', path: '/closed/:id', permission: 'gateway:UpdateConsumer', handle },
    { method: 'GET', path: '/open', permission: 'public', handle },
  ]);
  for (const [method, url] of [
    ...(['GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS'] as const).map((method) => [method, '/closed/x'] as const),
    ['GET', '/CLOSED/x'],
    ['GET', '/unknown'],
    ['PUT', '/unknown'],
  ] as const) {
    const answer = await app.inject({ method, url, payload: method === 'PUT' ? 'x'.repeat(1_000) : '' });
    assert.equal(answer.statusCode, 401, `${method} ${url}`);
  }
  assert.equal((await app.inject({ method: 'GET', url: '/open' })).statusCode, 200);
  assert.deepEqual(reached, ['GET']);
});

test('all answers tell the version, forbid caching, and no origin may read them', async (t) => {
  const { app } = makeApplication(t, [{ method: 'GET', path: '/open', permission: 'public', handle: async () => ({ body: 1 }) }]);
  for (const url of ['/open', '/closed', '/%zz']) {
    const { headers } = await app.inject({ method: 'GET', url, headers: { origin: 'https://example.com' } });
    assert.equal(headers['portcullis-version'], '1.2.3');
    assert.equal(headers['cache-control'], 'no-store');
    assert.equal(headers['content-type'], 'application/json; charset=utf-8');
    assert.equal(headers['access-control-allow-origin'], undefined);
  }
});

test('a stream that fails half-way cuts the connection and is told to the log, so that no part passes for the whole', async (t) => {
  async function* pieces() {
    yield 'first';
    throw new Error('the disk is gone');
  }
  const stream = { contentType: 'text/plain', pieces: { [Symbol.asyncIterator]: pieces } };
  const { app, log } = makeApplication(t, [
    { method: 'GET', path: '/part', permission: 'public', handle: async () => ({ body: undefined, stream }) },
  ]);
  const address = await app.listen({ host: '127.0.0.1', port: 0 });
  await assert.rejects(async () => (await fetch(`${address}/part`)).text());
  assert.ok(log.lines.some((line) => line.message === 'an answer of the Admin API broke off'));
});

test('with a token the body is JSON whatever the client calls it, up to the limit, which is named', async (t) => {
  const { app } = makeApplication(t, [
    { method: 'POST', path: '/echo', permission: 'signed-in', handle: async (request) => ({ body: request.body() }) },
  ]);
  const post = (payload: string, headers: Record<string, string>) =>
    app.inject({ method: 'POST', url: '/echo', payload, headers: { 'x-api-key': TOKEN, ...headers } });
  for (const type of ['application/json', 'text/plain', 'nonsense', ';;;', 'multipart/form-data', 'application/json; charset=utf-16', '']) {
    assert.equal((await post('{"a":1}', { 'content-type': type })).payload, '{"a":1}', type);
  }
  assert.equal((await post(`"${'x'.repeat(98)}"`, {})).statusCode, 200);
  const large = await post(`"${'x'.repeat(99)}"`, {});
  assert.deepEqual([large.statusCode, large.json()], [413, { error_msg: 'request body too large: the limit is 100 bytes' }]);
  const empty = await post('', { 'content-type': 'application/json' });
  assert.deepEqual([empty.statusCode, empty.json()], [400, { error_msg: 'invalid request body: the body is empty' }]);
});

test('bodies that are too much together are refused for the moment, and what was read is given back with the answer', async (t) => {
  const answers = Promise.withResolvers<void>();
  const { app } = makeApplication(t, [
    {
      method: 'POST',
      path: '/slow',
      permission: 'public',
      handle: async () => {
        await answers.promise;
        return { body: 'done' };
      },
    },
    { method: 'POST', path: '/echo', permission: 'public', handle: async (request) => ({ body: request.body() }) },
  ]);
  const body = `"${'x'.repeat(98)}"`;
  const headers = { 'content-type': 'application/json' };
  const slow = app.inject({ method: 'POST', url: '/slow', payload: body, headers });
  await new Promise(setImmediate);
  const refused = await app.inject({ method: 'POST', url: '/echo', payload: body, headers });
  assert.deepEqual([refused.statusCode, refused.headers['retry-after']], [503, '1']);
  assert.equal((await app.inject({ method: 'POST', url: '/echo', payload: '"small"', headers })).statusCode, 200);
  answers.resolve();
  assert.equal((await slow).statusCode, 200);
  for (let round = 0; round < 5; round += 1) {
    assert.equal((await app.inject({ method: 'POST', url: '/echo', payload: body, headers })).statusCode, 200);
  }
});

test('what fails inside is told as an internal error, and its cause only to the log', async (t) => {
  const failing =
    (error: unknown): ApiRoute['handle'] =>
    () =>
      Promise.reject(error);
  const { app, log } = makeApplication(t, [
    { method: 'GET', path: '/bug', permission: 'public', handle: failing(new TypeError('secret detail')) },
    { method: 'GET', path: '/thrown', permission: 'public', handle: failing('not even an error') },
    {
      method: 'GET',
      path: '/busy',
      permission: 'public',
      handle: failing(Object.assign(new Error('secret path'), { code: 'SQLITE_BUSY' })),
    },
    {
      method: 'GET',
      path: '/store',
      permission: 'public',
      handle: failing(new PortcullisError('store_unavailable', { detail: 'disk full' })),
    },
  ]);
  for (const [url, status, body] of [
    ['/bug', 500, { error_msg: 'internal error' }],
    ['/thrown', 500, { error_msg: 'internal error' }],
    ['/busy', 503, { error_msg: 'the store is not available' }],
    ['/store', 503, { error_msg: 'the store is not available' }],
  ] as const) {
    const answer = await app.inject({ method: 'GET', url });
    assert.deepEqual([answer.statusCode, answer.json()], [status, body], url);
    assert.equal(answer.headers['retry-after'], status === 503 ? '1' : undefined);
  }
  const causes = log.lines.filter((line) => line.level === 'error').map((line) => String(line.error));
  assert.deepEqual(causes, ['TypeError: secret detail', 'not even an error', 'Error: secret path', 'PortcullisError: disk full']);
});

test('each request is one line in the log, without query and token, and with escaped text', async (t) => {
  const admin = await makeAdminFixture(t);
  await admin.send('GET', '/api/gateway_groups?name=hidden');
  await admin.send('GET', '/wei\u00dfes\u202erdp', { token: undefined });
  const lines = admin.log.lines.filter((line) => line.message === 'admin request');
  assert.equal(lines.length, 2);
  assert.deepEqual([lines[0]?.fields.method, lines[0]?.fields.path, lines[0]?.fields.status], ['GET', '/api/gateway_groups', 200]);
  assert.equal(typeof lines[0]?.fields.ms, 'number');
  assert.match(String(lines[0]?.fields.tokenId), /^[0-9a-f-]{36}$/);
  assert.equal(lines[1]?.fields.tokenId, undefined);
  const text = JSON.stringify(lines);
  assert.ok(!text.includes('hidden') && !text.includes(TOKEN) && !/[^\x20-\x7e]/.test(text));
});

test('a store that fails half-way through a write answers 503 and has written nothing', async (t) => {
  const full = Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });
  let isFull = true;
  const wrapStore = (store: Store & StoreHistory): Store & StoreHistory =>
    new Proxy(store, {
      get: (target, name) => {
        const value = Reflect.get(target, name).bind(target);
        if (name !== 'transaction') return value;
        return (...[author, work]: Parameters<Store['transaction']>) =>
          value(author, async (transaction: Parameters<typeof work>[0]) => {
            const result = await work(transaction);
            if (isFull) throw full;
            return result;
          });
      },
    });
  const admin = await makeAdminFixture(t, { wrapStore });
  const put = () => admin.send('PUT', '/apisix/admin/consumers/jack', { body: { username: 'jack' } });
  const refused = await put();
  assert.deepEqual([refused.status, refused.headers['retry-after']], [503, '1']);
  assert.equal((await admin.send('GET', '/apisix/admin/consumers/jack')).status, 404);
  assert.deepEqual(admin.announcer.announced, []);
  isFull = false;
  assert.equal((await put()).status, 200);
});
