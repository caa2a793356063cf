import assert from 'node:assert/strict';
import test from 'node:test';
import { type JsonObject, readPluginConfiguration } from '../../plugin-kit/index.ts';
import {
  configurationError,
  createPlugin,
  exampleOf,
  readExamples,
  runPhase,
  TestRequest,
  type TestRequestOptions,
  testSetup,
} from '../../plugin-kit/testing/index.ts';
import { limitReq } from './plugin.ts';
import { limitReqSchema } from './schema.ts';

const LIMIT = { rate: 1, burst: 2, key: 'remote_addr' };

function limiter(configuration: JsonObject, setup = testSetup()) {
  const instance = createPlugin(limitReq, configuration, setup);
  /** `'waits'` for a request that is delayed. */
  const ask = (options: TestRequestOptions = {}) => {
    const result = runPhase(instance, 'access', new TestRequest(options));
    return result instanceof Promise ? 'waits' : result;
  };
  return { ask, setup, instance };
}

test('requests at the rate pass at once, those above it wait, and beyond the burst they are rejected', () => {
  const { ask, setup } = limiter(LIMIT);
  assert.equal(ask(), undefined);
  assert.deepEqual([ask(), ask()], ['waits', 'waits']);
  assert.equal(setup.clock.pendingTasks, 2);
  assert.deepEqual(ask(), {
    status: 503,
    headers: [['Content-Type', 'application/json']],
    body: '{"error_msg":"too many requests"}\n',
    reason: 'limit_req_exceeded',
  });
  assert.equal(ask({ remoteAddress: '192.0.2.2' }), undefined);
  setup.clock.advance(3000);
  assert.equal(ask(), undefined);
});

test('a request waits for as long as the bucket takes to leak down to it', async () => {
  const setup = testSetup();
  const instance = createPlugin(limitReq, { rate: 4, burst: 5, key: 'remote_addr' }, setup);
  runPhase(instance, 'access', new TestRequest());
  const passed: number[] = [];
  for (let request = 0; request < 3; request++) {
    void Promise.resolve(runPhase(instance, 'access', new TestRequest())).then(() => passed.push(setup.clock.monotonicMs()));
  }
  for (let step = 0; step < 8; step++) {
    setup.clock.advance(125);
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  }
  assert.deepEqual(passed, [250, 500, 750]);
});

test('with nodelay the burst passes at once', () => {
  const { ask, setup } = limiter({ ...LIMIT, nodelay: true });
  assert.deepEqual([ask(), ask(), ask()], [undefined, undefined, undefined]);
  assert.equal(setup.clock.pendingTasks, 0);
  assert.notEqual(ask(), undefined);
});

test('without a burst requests have to keep their distance', () => {
  const { ask, setup } = limiter({ rate: 2, burst: 0, key: 'remote_addr' });
  assert.equal(ask(), undefined);
  setup.clock.advance(499);
  assert.notEqual(ask(), undefined);
  setup.clock.advance(1);
  assert.equal(ask(), undefined);
});

test('a rejection has the status and message of the configuration', () => {
  const { ask } = limiter({ rate: 1, burst: 0, key: 'remote_addr', rejected_code: 429, rejected_msg: 'later' });
  ask();
  assert.deepEqual(ask(), {
    status: 429,
    headers: [['Content-Type', 'text/plain; charset=utf-8']],
    body: '{"error_msg":"later"}\n',
    reason: 'limit_req_exceeded',
  });
});

test('counters are named after owner, configuration and key, and get rate and burst', () => {
  const setup = testSetup({ configurationHash: 'abc' });
  limiter({ ...LIMIT, rate: 0.5, burst: 1.5, key: '$http_x|$uri', key_type: 'var_combination' }, setup).ask({ headers: [['X', 'v']] });
  limiter({ ...LIMIT, key: 'http_x' }, setup).ask();
  assert.deepEqual(setup.counters.calls, [
    { kind: 'leaky-bucket', key: '/routes/route-1:abc:v|/', numbers: [0.5, 1.5] },
    { kind: 'leaky-bucket', key: '/routes/route-1:abc:192.0.2.1', numbers: [1, 2] },
  ]);
});

test('a counter that fails makes 500, or lets pass with allow_degradation, and the log says why', () => {
  const { ask, setup } = limiter(LIMIT);
  setup.counters.unavailable = true;
  assert.deepEqual(ask(), {
    status: 500,
    headers: [['Content-Type', 'application/json']],
    body: '{"error_msg":"failed to limit requests"}\n',
    reason: 'limit_failed',
  });
  assert.deepEqual(setup.log.lines[0]?.fields, { detail: 'a test says so' });
  const lenient = limiter({ ...LIMIT, allow_degradation: true });
  lenient.setup.counters.unavailable = true;
  assert.equal(lenient.ask(), undefined);
});

test('on a server the answer comes later', async () => {
  const setup = testSetup();
  const configuration = { rate: 1, burst: 0, key: 'remote_addr', policy: 'redis', redis_host: 'r1' };
  const instance = createPlugin(limitReq, configuration, setup);
  const ask = async () => runPhase(instance, 'access', new TestRequest());
  assert.deepEqual([await ask(), (await ask())?.status], [undefined, 503]);
  assert.equal(setup.servers[0]?.server.kind, 'redis');
  assert.equal(setup.counters.calls.length, 0);
});

test('the limits and defaults of the configuration are those of APISIX', () => {
  const errorOf = (configuration: JsonObject) => configurationError(limitReqSchema, configuration);
  const { policy, key_type, rejected_code, nodelay, allow_degradation } = readPluginConfiguration(limitReqSchema.schema, LIMIT);
  assert.deepEqual([policy, key_type, rejected_code, nodelay, allow_degradation], ['local', 'var', 503, false, false]);
  const good: readonly JsonObject[] = [
    { rate: 0.001, burst: 0, key: '' },
    { ...LIMIT, key_type: 'var_combination', rejected_code: 599, rejected_msg: 'x', nodelay: true, allow_degradation: true },
    { ...LIMIT, policy: 'redis', redis_host: 'r1' },
    { ...LIMIT, policy: 'redis-cluster', redis_cluster_nodes: ['a:1'], redis_cluster_name: 'c' },
  ];
  for (const configuration of good) assert.equal(errorOf(configuration), '');
  for (const field of ['rate', 'burst', 'key']) {
    const rest = Object.fromEntries(Object.entries(LIMIT).filter(([name]) => name !== field));
    assert.equal(errorOf(rest), `Error at "/plugins/limit-req/${field}": property "${field}" is missing`);
  }
  const bad: readonly JsonObject[] = [
    { rate: 0 },
    { rate: '1' },
    { burst: -1 },
    { key: 1 },
    { key_type: 'constant' },
    { policy: 'redis-sentinel' },
    { rejected_code: 199 },
    { rejected_code: 600 },
    { rejected_msg: '' },
    { nodelay: 1 },
    { allow_degradation: 'x' },
    { redis_port: 0 },
  ];
  for (const field of bad) assert.match(errorOf({ ...LIMIT, ...field }), /^Error at "\/plugins\/limit-req\/[a-z_]+": /);
  assert.match(errorOf({ ...LIMIT, policy: 'redis' }), /property "redis_host" is missing/);
  assert.deepEqual(limitReqSchema.secretFields, ['redis_password']);
});

test('the example of the page works', async () => {
  const [example] = await readExamples(import.meta.dirname);
  const configuration = exampleOf(example, 'limit-req');
  assert.equal(configurationError(limitReqSchema, configuration), '');
  const { ask } = limiter(configuration);
  assert.equal(ask(), undefined);
  for (let request = 0; request < 20; request++) assert.equal(ask(), 'waits');
  const answer = ask();
  assert.ok(typeof answer === 'object' && answer.status === 429);
});
