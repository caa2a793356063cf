// biome-ignore-all lint/suspicious/noTemplateCurlyInString: templates with braces are tested here.
import assert from 'node:assert/strict';
import test from 'node:test';
import type { CounterServer, JsonObject } from '../../plugin-kit/index.ts';
import {
  configurationError,
  createPlugin,
  exampleOf,
  readExamples,
  runPhase,
  runPhaseAtOnce,
  TestRequest,
  type TestRequestOptions,
  testSetup,
} from '../../plugin-kit/testing/index.ts';
import { limitCount } from './plugin.ts';
import { limitCountSchema } from './schema.ts';

/** One configuration, asked request by request; what a request was told stands in `told`. */
function limiter(configuration: JsonObject, setup = testSetup()) {
  const instance = createPlugin(limitCount, configuration, setup);
  const ask = (options: TestRequestOptions = {}) => {
    const request = new TestRequest(options);
    const answer = runPhaseAtOnce(instance, 'access', request);
    return { answer, status: answer?.status, told: request.responseHeaders, info: request.variable('rate_limiting_info') };
  };
  return { ask, setup, instance };
}

function quota(limit: number, remaining: number, reset: number): readonly (readonly [string, string])[] {
  return [
    ['X-RateLimit-Limit', String(limit)],
    ['X-RateLimit-Remaining', String(remaining)],
    ['X-RateLimit-Reset', String(reset)],
  ];
}

test('as many requests pass as the limit says, and all are told where they stand', () => {
  const { ask, setup } = limiter({ count: 2, time_window: 60 });
  const first = ask();
  assert.deepEqual([first.answer, first.told], [undefined, quota(2, 1, 60)]);
  setup.clock.advance(1234.5);
  const second = ask();
  assert.deepEqual([second.answer, second.told], [undefined, quota(2, 0, 58.77)]);
  const third = ask();
  assert.deepEqual(third.answer, {
    status: 503,
    headers: [['Content-Type', 'application/json']],
    body: '{"error_msg":"too many requests"}\n',
    reason: 'limit_count_exceeded',
  });
  assert.deepEqual(third.told, quota(2, 0, 58.77));
  assert.equal(ask({ remoteAddress: '192.0.2.2' }).answer, undefined);
  setup.clock.advance(58_765.5);
  assert.equal(ask().answer, undefined);
});

test('a rejection has the status and message of the configuration', () => {
  const configuration = { count: 1, time_window: 60, rejected_code: 429, rejected_msg: 'slow "down"' };
  const { ask } = limiter(configuration);
  ask();
  assert.deepEqual(ask().answer, {
    status: 429,
    headers: [['Content-Type', 'text/plain; charset=utf-8']],
    body: '{"error_msg":"slow \\"down\\""}\n',
    reason: 'limit_count_exceeded',
  });
  const quiet = limiter({ count: 1, time_window: 60, rejected_code: 200 });
  quiet.ask();
  assert.deepEqual([quiet.ask().answer?.status, quiet.ask().answer?.body], [200, '']);
  const replaced = limiter({ count: 1, time_window: 60, _meta: { error_response: { error: 'limit' } } });
  replaced.ask();
  assert.deepEqual([replaced.ask().answer?.status, replaced.ask().answer?.body], [503, '{"error":"limit"}\n']);
});

test('without show_limit_quota_header nobody is told anything', () => {
  const { ask } = limiter({ count: 1, time_window: 60, show_limit_quota_header: false });
  assert.deepEqual([ask().told, ask().told], [[], []]);
});

test('headers are named by the metadata, and by the configuration before that', () => {
  const metadata = { limit_header: 'X-L', remaining_header: 'X-Left' };
  const names = (configuration: JsonObject) =>
    limiter({ count: 5, time_window: 60, ...configuration }, testSetup({ metadata }))
      .ask()
      .told.map(([name]) => name);
  assert.deepEqual(names({}), ['X-L', 'X-Left', 'X-RateLimit-Reset']);
  assert.deepEqual(names({ limit_header: 'X-Own', reset_header: 'X-Again' }), ['X-Own', 'X-Left', 'X-Again']);
});

test('a name in the metadata that is no name of a header is not used, and is told', () => {
  const setup = testSetup({ metadata: { limit_header: 'not a name' } });
  const { ask } = limiter({ count: 5, time_window: 60 }, setup);
  assert.equal(ask().told[0]?.[0], 'X-RateLimit-Limit');
  assert.deepEqual(setup.log.lines.map(({ message }) => message), ['the metadata names a header that cannot be sent']); // biome-ignore format: one line
});

test('counters are named after owner, configuration and key, and a group after itself', () => {
  const setup = testSetup({ owner: { kind: 'service', id: 's1' }, configurationHash: 'abc' });
  limiter({ count: 5, time_window: 7 }, setup).ask();
  limiter({ count: 5, time_window: 7, key: 'http_x' }, setup).ask({ headers: [['X', 'v']] });
  limiter({ count: 5, time_window: 7, key: '$http_x/$uri', key_type: 'var_combination' }, setup).ask({
    headers: [['X', 'v']],
    target: '/p',
  });
  limiter({ count: 5, time_window: 7, key: 'all', key_type: 'constant' }, setup).ask();
  limiter({ count: 5, time_window: 7, group: 'g', key: 'all', key_type: 'constant' }, setup).ask();
  assert.deepEqual(
    setup.counters.calls.map(({ key }) => key),
    ['/services/s1:abc:192.0.2.1', '/services/s1:abc:v', '/services/s1:abc:v//p', '/services/s1:abc:all', 'g:all'],
  );
  assert.deepEqual(setup.counters.calls[0], { kind: 'fixed-window', key: '/services/s1:abc:192.0.2.1', numbers: [5, 7000] });
});

test('window_type chooses how is counted', () => {
  const { ask, setup } = limiter({ count: 3, time_window: 10, window_type: 'sliding' });
  assert.deepEqual(ask().told, quota(3, 2, 10));
  assert.equal(setup.counters.calls[0]?.kind, 'sliding-window');
});

test('count and time_window may be templates, and must give whole numbers above 0', () => {
  const { ask, setup } = limiter({ count: '${http_c ?? 4}', time_window: '$http_w' });
  assert.deepEqual(ask({ headers: [['W', '30']] }).told, quota(4, 3, 30));
  assert.deepEqual(ask({ headers: [['C', '9'], ['W', '30']] }).told, quota(9, 7, 30)); // biome-ignore format: one request
  for (const w of ['', '0', '-1', '1.5', 'x']) {
    assert.deepEqual(ask({ headers: [['W', w]] }).answer, {
      status: 500,
      headers: [['Content-Type', 'application/json']],
      body: '{"error_msg":"failed to limit requests"}\n',
      reason: 'limit_failed',
    });
  }
  assert.equal(setup.counters.calls.length, 2);
  assert.equal(limiter({ count: 'x', time_window: 1, allow_degradation: true }).ask().answer, undefined);
});

test('rules apply in order, each with its own key, counter and headers, until one rejects', () => {
  const rules = [
    { count: 3, time_window: 10, key: '$http_user' },
    { count: 2, time_window: 20, key: '$remote_addr', header_prefix: 'Client' },
    { count: 9, time_window: 30, key: '$uri' },
  ];
  const { ask, setup } = limiter({ rules }, testSetup({ configurationHash: 'abc' }));
  const headers = [['User', 'jack']] as const;
  assert.deepEqual(ask({ headers }).told, [
    ['X-1-RateLimit-Limit', '3'],
    ['X-1-RateLimit-Remaining', '2'],
    ['X-1-RateLimit-Reset', '10'],
    ['X-Client-RateLimit-Limit', '2'],
    ['X-Client-RateLimit-Remaining', '1'],
    ['X-Client-RateLimit-Reset', '20'],
    ['X-3-RateLimit-Limit', '9'],
    ['X-3-RateLimit-Remaining', '8'],
    ['X-3-RateLimit-Reset', '30'],
  ]);
  assert.deepEqual(setup.counters.calls.map(({ key }) => key), ['/routes/route-1:abc:jack:1', '/routes/route-1:abc:192.0.2.1:2', '/routes/route-1:abc:/:3']); // biome-ignore format: one line
  ask();
  const rejected = ask({ headers });
  assert.equal(rejected.status, 503);
  assert.deepEqual(rejected.told.map(([name]) => name), ['X-1-RateLimit-Limit', 'X-1-RateLimit-Remaining', 'X-1-RateLimit-Reset', 'X-Client-RateLimit-Limit', 'X-Client-RateLimit-Remaining', 'X-Client-RateLimit-Reset']); // biome-ignore format: one line
  // The first rule has counted the request that the second rejected, as in APISIX; the third has not seen it.
  assert.equal(setup.counters.calls.filter(({ key }) => key.endsWith(':3')).length, 2);
});

test('a rule of which nothing is there, or whose numbers are none, does not apply', () => {
  const rules = [
    { count: 1, time_window: 10, key: '$http_user' },
    { count: '$http_none', time_window: 10, key: '$uri' },
    { count: 5, time_window: 10, key: '$remote_addr' },
  ];
  assert.deepEqual(limiter({ rules }).ask().told.map(([name]) => name)[0], 'X-3-RateLimit-Limit'); // biome-ignore format: one line
  const none = { rules: rules.slice(0, 2) };
  assert.deepEqual([limiter(none).ask().status, limiter(none).ask().answer?.reason], [500, 'limit_failed']);
  assert.equal(limiter({ ...none, allow_degradation: true }).ask().answer, undefined);
  assert.equal(limiter({ rules: [] }).ask().status, 500);
});

test('a counter that fails makes 500, or lets pass with allow_degradation, and the log says why', () => {
  const { ask, setup } = limiter({ count: 1, time_window: 60 });
  setup.counters.unavailable = true;
  assert.deepEqual(ask().answer, {
    status: 500,
    headers: [['Content-Type', 'text/plain; charset=utf-8']],
    body: '{"error_msg":"failed to limit count"}\n',
    reason: 'limit_failed',
  });
  assert.deepEqual(setup.log.lines[0]?.fields, { detail: 'a test says so' });
  const lenient = limiter({ count: 1, time_window: 60, allow_degradation: true });
  lenient.setup.counters.unavailable = true;
  assert.deepEqual([lenient.ask().answer, lenient.ask().told], [undefined, []]);
});

test('the variable rate_limiting_info tells the last decision as JSON', () => {
  const { ask } = limiter({ count: 1, time_window: 60, key: 'http_x' }, testSetup({ configurationHash: 'abc' }));
  const headers = [['X', 'a"\u00e9']] as const;
  const info = {
    rate_limiting_key: '/routes/route-1:abc:a"\u00e9',
    rate_limiting_limit: 1,
    rate_limiting_remaining: 0,
    rate_limiting_reset: 60,
  };
  for (let request = 0; request < 2; request++) assert.deepEqual(JSON.parse(String(ask({ headers }).info)), info);
});

test('on a server the answer comes later, rules still in order', async () => {
  const servers: (readonly [CounterServer, number | undefined])[] = [];
  const setup = testSetup();
  const counterServer = (server: CounterServer, syncIntervalMs?: number) => {
    servers.push([server, syncIntervalMs]);
    return setup.counterServer(server);
  };
  const rules = [
    { count: 2, time_window: 10, key: '$uri' },
    { count: 1, time_window: 10, key: '$remote_addr' },
    { count: 9, time_window: 10, key: '$host' },
  ];
  const instance = createPlugin(limitCount, { rules, policy: 'redis', redis_host: 'r1', redis_database: 2 }, { ...setup, counterServer });
  const ask = async () => {
    const request = new TestRequest();
    const result = runPhase(instance, 'access', request);
    assert.ok(result instanceof Promise);
    return { answer: await result, told: request.responseHeaders };
  };
  assert.deepEqual([(await ask()).answer, (await ask()).answer?.status], [undefined, 503]);
  const counters = setup.servers[0]?.counters;
  assert.deepEqual(
    counters?.calls.map(({ numbers }) => numbers[0]),
    [2, 1, 9, 2, 1],
  );
  assert.equal(setup.counters.calls.length, 0);
  const [server, syncIntervalMs] = servers[0] ?? [];
  assert.ok(server?.kind === 'redis' && server.host === 'r1' && server.database === 2);
  assert.equal(syncIntervalMs, undefined);
  const synced = {
    count: 1,
    time_window: 10,
    policy: 'redis-cluster',
    redis_cluster_nodes: ['a:1'],
    redis_cluster_name: 'c',
    sync_interval: 0.5,
  };
  createPlugin(limitCount, synced, { ...setup, counterServer });
  assert.deepEqual([servers[1]?.[0].kind, servers[1]?.[1]], ['redis-cluster', 500]);
});

test('the examples of the page work', async () => {
  const examples = await readExamples(import.meta.dirname);
  assert.equal(examples.length, 2);
  const [simple, several] = examples.map((example) => exampleOf(example, 'limit-count'));
  assert.ok(simple && several);
  for (const configuration of [simple, several]) assert.equal(configurationError(limitCountSchema, configuration), '');
  const { ask } = limiter(simple);
  for (let request = 0; request < 100; request++) assert.equal(ask().answer, undefined);
  assert.deepEqual([ask().status, ask().answer?.body], [429, '{"error_msg":"no more than 100 requests a minute"}\n']);
  assert.deepEqual(limiter(several).ask({ headers: [['X-Plan', 'gold']] }).told.map(([name, value]) => `${name}: ${value}`).slice(0, 2), ['X-Minute-RateLimit-Limit: 60', 'X-Minute-RateLimit-Remaining: 59']); // biome-ignore format: one line
});
