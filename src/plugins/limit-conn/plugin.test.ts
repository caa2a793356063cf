import assert from 'node:assert/strict';
import test from 'node:test';
import { type JsonObject, readPluginConfiguration } from '../../plugin-kit/index.ts';
import {
  configurationError,
  createPlugin,
  exampleOf,
  readExamples,
  runLog,
  runPhase,
  TestRequest,
  type TestRequestOptions,
  testSetup,
} from '../../plugin-kit/testing/index.ts';
import { limitConn } from './plugin.ts';
import { limitConnSchema } from './schema.ts';

const LIMIT = { conn: 2, burst: 1, default_conn_delay: 0.1, key: 'remote_addr' };

function limiter(configuration: JsonObject, setup = testSetup({ configurationHash: 'abc' })) {
  const instance = createPlugin(limitConn, configuration, setup);
  const ask = (options: TestRequestOptions = {}) => {
    const request = new TestRequest(options);
    const result = runPhase(instance, 'access', request);
    return { answer: result instanceof Promise ? 'waits' : result, end: () => runLog(instance, request), result, request };
  };
  return { ask, setup, instance };
}

const KEY = '/routes/route-1:abc:192.0.2.1';

test('as many requests as conn pass at once, the burst waits, and those beyond are rejected', () => {
  const { ask, setup } = limiter(LIMIT);
  const first = ask();
  assert.deepEqual([first.answer, ask().answer, ask().answer], [undefined, undefined, 'waits']);
  assert.deepEqual(ask().answer, {
    status: 503,
    headers: [['Content-Type', 'application/json']],
    body: '{"error_msg":"too many requests at once"}\n',
    reason: 'limit_conn_exceeded',
  });
  assert.equal(ask({ remoteAddress: '192.0.2.2' }).answer, undefined);
  assert.deepEqual(setup.counters.calls[0], { kind: 'enter', key: KEY, numbers: [3] });
  first.end();
  assert.equal(ask().answer, 'waits');
});

test('the wait rises by one delay with each conn requests more', async () => {
  const setup = testSetup();
  const instance = createPlugin(limitConn, { conn: 2, burst: 10, default_conn_delay: 0.5, key: 'remote_addr' }, setup);
  const passed: number[] = [];
  for (let request = 0; request < 7; request++) {
    void Promise.resolve(runPhase(instance, 'access', new TestRequest())).then(() => passed.push(setup.clock.monotonicMs()));
  }
  for (let step = 0; step < 4; step++) {
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    setup.clock.advance(500);
  }
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  // Of APISIX: delay × floor((n - 1) / conn) for the n-th that is under way.
  assert.deepEqual(passed, [0, 0, 500, 500, 1000, 1000, 1500]);
});

test('what was entered is left when the request is over, once, and a rejected one leaves nothing', () => {
  const { ask, setup } = limiter({ ...LIMIT, conn: 1, burst: 0 });
  const first = ask();
  const rejected = ask();
  assert.equal(setup.counters.inFlight(KEY), 1);
  rejected.end();
  assert.equal(setup.counters.inFlight(KEY), 1);
  first.end();
  first.end();
  assert.equal(setup.counters.inFlight(KEY), 0);
});

test('a request that a later plugin refuses, or that ends while it waits, is left as well', () => {
  const { ask, setup } = limiter({ ...LIMIT, conn: 1, burst: 1 });
  ask().end();
  const [, waiting] = [ask(), ask()];
  assert.equal(waiting.answer, 'waits');
  waiting.end();
  assert.equal(setup.counters.inFlight(KEY), 1);
});

test('a request that ends while it waits is let go at once, and no rule after it is applied', async () => {
  const rules = ['a', 'b'].map((key) => ({ conn: 1, burst: 2, key: `$remote_addr ${key}` }));
  const { ask, setup } = limiter({ default_conn_delay: 100, rules });
  ask();
  const { end, result } = ask();
  const calls = setup.counters.calls.length;
  end();
  assert.equal(await result, undefined);
  assert.equal(setup.counters.calls.length, calls);
});

test('what a server lets in after the request is over is left at once', async () => {
  const { ask, setup } = limiter({ ...LIMIT, policy: 'redis', redis_host: 'r1', key_ttl: 60 });
  const counters = setup.servers[0]?.counters;
  assert.ok(counters);
  const { end, result } = ask();
  end();
  assert.equal(counters.inFlight(KEY), 1);
  await result;
  assert.equal(counters.inFlight(KEY), 0);
});

test('a server is told how long an entry counts', () => {
  const lifetimes: (number | undefined)[] = [];
  const setup = testSetup();
  const counterServer: typeof setup.counterServer = (server) => {
    const counters = setup.counterServer(server);
    const enter: typeof counters.enter = (key, limit, lifetimeMs) => {
      lifetimes.push(lifetimeMs);
      return counters.enter(key, limit, lifetimeMs);
    };
    return {
      fixedWindow: (...args) => counters.fixedWindow(...args),
      slidingWindow: (...args) => counters.slidingWindow(...args),
      leakyBucket: (...args) => counters.leakyBucket(...args),
      enter,
    };
  };
  for (const ttl of [{}, { key_ttl: 60 }]) {
    const instance = createPlugin(limitConn, { ...LIMIT, policy: 'redis', redis_host: 'r1', ...ttl }, { ...setup, counterServer });
    void runPhase(instance, 'access', new TestRequest());
  }
  assert.deepEqual(lifetimes, [3_600_000, 60_000]);
});

test('a global rule and a route limit the same request apart', () => {
  const setup = testSetup({ configurationHash: 'abc' });
  const onRoute = createPlugin(limitConn, LIMIT, setup);
  const globally = createPlugin(limitConn, LIMIT, { ...setup, owner: { kind: 'global_rule', id: '1' } });
  const request = new TestRequest();
  for (const instance of [globally, onRoute]) assert.equal(runPhase(instance, 'access', request), undefined);
  const key = '/global_rules/1:abc:192.0.2.1';
  assert.deepEqual([setup.counters.inFlight(key), setup.counters.inFlight(KEY)], [1, 1]);
  runLog(globally, request);
  assert.deepEqual([setup.counters.inFlight(key), setup.counters.inFlight(KEY)], [0, 1]);
  runLog(onRoute, request);
  assert.equal(setup.counters.inFlight(KEY), 0);
});

test('rules apply in order until one rejects, and what was entered before is left with the request', () => {
  const rules = [
    { conn: 5, burst: 0, key: '$http_user' },
    { conn: 1, burst: '$http_burst', key: '$remote_addr' },
  ];
  const { ask, setup } = limiter({ default_conn_delay: 0.1, rules });
  const headers = [['User', 'jack'], ['Burst', '0']] as const; // biome-ignore format: one line
  const first = ask({ headers });
  const second = ask({ headers });
  assert.equal(first.answer, undefined);
  assert.ok(typeof second.answer === 'object' && second.answer.status === 503);
  const [byUser, byAddress] = ['/routes/route-1:abc:jack:1', '/routes/route-1:abc:192.0.2.1:2'] as const;
  assert.deepEqual([setup.counters.inFlight(byUser), setup.counters.inFlight(byAddress)], [2, 1]);
  second.end();
  first.end();
  assert.deepEqual([setup.counters.inFlight(byUser), setup.counters.inFlight(byAddress)], [0, 0]);
  // The second rule has no number, the first no key: none applies.
  const none = ask({ headers: [['Burst', '-1']] }).answer;
  assert.ok(typeof none === 'object' && none.status === 500 && none.reason === 'limit_failed');
  assert.equal(limiter({ default_conn_delay: 1, rules: [], allow_degradation: true }).ask().answer, undefined);
});

test('conn and burst may be templates', () => {
  const { ask, setup } = limiter({ ...LIMIT, conn: '$http_c', burst: '0' });
  assert.equal(ask({ headers: [['C', '4']] }).answer, undefined);
  assert.deepEqual(setup.counters.calls[0]?.numbers, [4]);
  const failed = ask({ headers: [['C', '0']] }).answer;
  assert.deepEqual(failed, {
    status: 500,
    headers: [['Content-Type', 'application/json']],
    body: '{"error_msg":"failed to limit requests"}\n',
    reason: 'limit_failed',
  });
});

test('a counter that fails makes 500, or lets pass with allow_degradation, and the log says why', () => {
  const { ask, setup } = limiter(LIMIT);
  setup.counters.unavailable = true;
  const { answer, end } = ask();
  assert.ok(typeof answer === 'object' && answer.status === 500);
  end();
  assert.deepEqual(setup.log.lines[0]?.fields, { detail: 'a test says so' });
  const lenient = limiter({ ...LIMIT, allow_degradation: true });
  lenient.setup.counters.unavailable = true;
  assert.equal(lenient.ask().answer, undefined);
});

test('a rejection has the status and message of the configuration', () => {
  const { ask } = limiter({ ...LIMIT, conn: 1, burst: 0, rejected_code: 429, rejected_msg: 'one at a time' });
  ask();
  assert.deepEqual(ask().answer, {
    status: 429,
    headers: [['Content-Type', 'text/plain; charset=utf-8']],
    body: '{"error_msg":"one at a time"}\n',
    reason: 'limit_conn_exceeded',
  });
});

test('the limits and defaults of the configuration are those of APISIX', () => {
  const errorOf = (configuration: JsonObject) => configurationError(limitConnSchema, configuration);
  const read = readPluginConfiguration(limitConnSchema.schema, LIMIT);
  assert.deepEqual(
    [read.policy, read.key_type, read.rejected_code, read.key_ttl, read.only_use_default_delay, read.allow_degradation],
    ['local', 'var', 503, 3600, false, false],
  );
  const rules = [{ conn: 1, burst: 0, key: 'k' }];
  const good: readonly JsonObject[] = [
    { ...LIMIT, conn: '$http_c', burst: '$http_b', key_type: 'var_combination', only_use_default_delay: true },
    { default_conn_delay: 0.001, rules },
    { ...LIMIT, policy: 'redis', redis_host: 'r1', key_ttl: 1 },
    { ...LIMIT, policy: 'redis-cluster', redis_cluster_nodes: ['a:1'], redis_cluster_name: 'c' },
  ];
  for (const configuration of good) assert.equal(errorOf(configuration), '');
  const none = 'Error at "/plugins/limit-conn": value should match only one schema, but matches none';
  for (const field of ['conn', 'burst', 'key']) {
    assert.equal(errorOf(Object.fromEntries(Object.entries(LIMIT).filter(([name]) => name !== field))), none);
  }
  assert.match(errorOf({ ...LIMIT, rules }), /matches both schemas 1 and 2/);
  assert.match(errorOf({ rules }), /property "default_conn_delay" is missing/);
  assert.match(errorOf({ default_conn_delay: 1, rules: [{ conn: 1, key: 'k' }] }), /rules\/0\/burst": property "burst" is missing/);
  const bad: readonly JsonObject[] = [
    { conn: 0 },
    { conn: 1.5 },
    { burst: -1 },
    { default_conn_delay: 0 },
    { key: 1 },
    { key_type: 'constant' },
    { policy: 'redis-sentinel' },
    { key_ttl: 0 },
    { only_use_default_delay: 1 },
    { rejected_code: 199 },
    { rejected_code: 600 },
    { rejected_msg: '' },
    { allow_degradation: 1 },
  ];
  for (const field of bad) assert.match(errorOf({ ...LIMIT, ...field }), /^Error at "\/plugins\/limit-conn\/[a-z_]+": /);
  assert.match(errorOf({ ...LIMIT, policy: 'redis-cluster', redis_cluster_name: 'c' }), /property "redis_cluster_nodes" is missing/);
  assert.deepEqual(limitConnSchema.secretFields, ['redis_password']);
});

test('the example of the page works', async () => {
  const [example] = await readExamples(import.meta.dirname);
  const configuration = exampleOf(example, 'limit-conn');
  assert.equal(configurationError(limitConnSchema, configuration), '');
  const { ask } = limiter(configuration);
  for (let request = 0; request < 10; request++) assert.equal(ask().answer, undefined);
  for (let request = 0; request < 5; request++) assert.equal(ask().answer, 'waits');
  const { answer } = ask();
  assert.ok(typeof answer === 'object' && answer.body === '{"error_msg":"too many requests at once"}\n');
});
