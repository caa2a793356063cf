import assert from 'node:assert/strict';
import test from 'node:test';
import { type JsonObject, readPluginConfiguration } from '../../plugin-kit/index.ts';
import {
  configurationError,
  createPlugin,
  exampleOf,
  readExamples,
  runLog,
  runPhaseAtOnce,
  type TestAnswer,
  TestRequest,
  type TestRequestOptions,
  testSetup,
} from '../../plugin-kit/testing/index.ts';
import { apiBreaker } from './plugin.ts';
import { apiBreakerSchema } from './schema.ts';

function breaker(configuration: JsonObject, setup = testSetup()) {
  const instance = createPlugin(apiBreaker, { break_response_code: 502, ...configuration }, setup);
  const ask = (options: TestRequestOptions = {}) => runPhaseAtOnce(instance, 'access', new TestRequest(options));
  /** A request ends with this status of the upstream. */
  const end = (upstreamStatus: number, options: TestRequestOptions = {}, answer: Partial<TestAnswer> = {}) => {
    const request = new TestRequest({ ...options, answer: { upstreamStatus, status: upstreamStatus, ...answer } });
    runPhaseAtOnce(instance, 'access', request);
    runLog(instance, request);
  };
  const fail = (times: number, options: TestRequestOptions = {}) => {
    for (let time = 0; time < times; time++) end(500, options);
  };
  /** Seconds until requests go through again. */
  const openSeconds = (): number => {
    for (let second = 0; second < 1000; second++) {
      if (ask() === undefined) return second;
      setup.clock.advance(1000);
    }
    throw new Error('it never closes');
  };
  return { ask, end, fail, openSeconds, setup };
}

test('after three failures requests are answered for two seconds in place of the upstream', () => {
  const { ask, fail, openSeconds } = breaker({});
  fail(2);
  assert.equal(ask(), undefined);
  fail(1);
  assert.deepEqual(ask(), {
    status: 502,
    headers: [['Content-Type', 'application/json']],
    body: '{"error_msg":"the upstream is being spared"}\n',
    reason: 'breaker_open',
  });
  // Whole seconds, and the last one counts (APISIX).
  assert.equal(openSeconds(), 3);
});

test('each further time is twice as long, up to max_breaker_sec', () => {
  const { fail, openSeconds } = breaker({ max_breaker_sec: 10, unhealthy: { failures: 2 } });
  const seconds: number[] = [];
  for (let time = 0; time < 5; time++) {
    fail(2);
    seconds.push(openSeconds() - 1);
  }
  assert.deepEqual(seconds, [2, 4, 8, 10, 10]);
});

test('failures need not follow each other, and successes before the first of them do not count', () => {
  const { ask, end, fail } = breaker({});
  for (let time = 0; time < 9; time++) end(200);
  fail(1);
  end(200);
  end(404);
  fail(1);
  end(200);
  end(200);
  assert.equal(ask(), undefined);
  fail(1);
  assert.notEqual(ask(), undefined);
});

test('enough successes make everything forgotten, and a failure makes them count anew', () => {
  const { ask, end, fail, setup } = breaker({ healthy: { http_statuses: [200, 204], successes: 2 } });
  fail(2);
  end(200);
  fail(1);
  assert.notEqual(ask(), undefined);
  setup.clock.advance(3000);
  end(204);
  fail(1);
  end(200);
  fail(1);
  end(200);
  end(204);
  fail(2);
  assert.equal(ask(), undefined);
  fail(1);
  assert.notEqual(ask(), undefined);
});

test('only statuses of the upstream count, those of one that could not be asked among them', () => {
  const { ask, end } = breaker({ unhealthy: { http_statuses: [502, 503], failures: 1 } });
  end(0, {}, { status: 503, responseSource: 'apisix' });
  end(500);
  assert.equal(ask(), undefined);
  // What another plugin makes of the answer hides nothing.
  end(0, {}, { status: 200, responseSource: 'nginx', reason: 'connect_refused' });
  assert.notEqual(ask(), undefined);
});

test('state belongs to host and path, whatever the query, the route and the plugin', () => {
  const setup = testSetup();
  const one = breaker({ unhealthy: { failures: 1 } }, setup);
  const headers = [['Host', 'A.test:9080']] as const;
  one.fail(1, { target: '/p?x=1', headers });
  const other = breaker({ unhealthy: { failures: 1 }, break_response_code: 599 }, testSetup({ owner: { kind: 'service', id: 's' } }));
  assert.equal(other.ask({ target: '/p', headers }), undefined);
  const sameInstance = breaker({ unhealthy: { failures: 1 }, break_response_code: 599 }, setup);
  assert.equal(sameInstance.ask({ target: '/p?y=2', headers, route: { id: 'other' } })?.status, 599);
  assert.equal(sameInstance.ask({ target: '/q', headers }), undefined);
  assert.equal(sameInstance.ask({ target: '/p', headers: [['Host', 'b.test']] }), undefined);
});

test('nothing is kept of paths that never failed', () => {
  const { ask, end, setup } = breaker({});
  for (let path = 0; path < 10; path++) {
    ask({ target: `/${path}` });
    end(200, { target: `/${path}` });
    end(404, { target: `/${path}` });
  }
  assert.deepEqual(setup.records.keys, []);
});

test('where no record can be kept requests go through', () => {
  const { ask, fail, setup } = breaker({ unhealthy: { failures: 1 } });
  setup.records.full = true;
  fail(3);
  assert.equal(ask(), undefined);
});

test('a body is sent as it is, with headers whose values may hold variables', () => {
  const configuration = {
    break_response_code: 503,
    break_response_body: '{"message":"$uri"}',
    break_response_headers: [
      { key: 'Content-Type', value: 'application/json+v1' },
      { key: 'X-Path', value: '$uri for $remote_addr' },
    ],
    unhealthy: { failures: 1 },
  };
  const { ask, fail } = breaker(configuration);
  fail(1);
  const answer = ask();
  assert.deepEqual(answer, {
    status: 503,
    headers: [
      ['Content-Type', 'application/json+v1'],
      ['X-Path', '/ for 192.0.2.1'],
    ],
    body: '{"message":"$uri"}',
    reason: 'breaker_open',
  });
  const plain = breaker({ ...configuration, break_response_headers: [{ key: 'X-A', value: 'b' }] });
  plain.fail(1);
  assert.deepEqual(plain.ask()?.headers, [['Content-Type', 'text/plain; charset=utf-8'], ['X-A', 'b']]); // biome-ignore format: one line
  assert.equal(plain.ask(), plain.ask());
  const { break_response_body: _body, ...rest } = configuration;
  const bodiless = breaker(rest);
  bodiless.fail(1);
  assert.deepEqual(bodiless.ask()?.headers, [['Content-Type', 'application/json']]);
});

test('the limits and defaults of the configuration are those of APISIX', () => {
  const errorOf = (configuration: JsonObject) => configurationError(apiBreakerSchema, configuration);
  assert.deepEqual(readPluginConfiguration(apiBreakerSchema.schema, { break_response_code: 502, unhealthy: {} }), {
    break_response_code: 502,
    max_breaker_sec: 300,
    unhealthy: { http_statuses: [500], failures: 3 },
    healthy: { http_statuses: [200], successes: 3 },
  });
  const good: readonly JsonObject[] = [
    { break_response_code: 200 },
    { break_response_code: 599, break_response_body: '', break_response_headers: [], max_breaker_sec: 3 },
    {
      break_response_code: 502,
      unhealthy: { http_statuses: [500, 599], failures: 1 },
      healthy: { http_statuses: [200, 499], successes: 1 },
    },
  ];
  for (const configuration of good) assert.equal(errorOf(configuration), '');
  assert.match(errorOf({}), /property "break_response_code" is missing/);
  const bad: readonly JsonObject[] = [
    { break_response_code: 199 },
    { break_response_code: 600 },
    { break_response_body: 1 },
    { break_response_headers: [{ key: 'A' }] },
    { break_response_headers: [{ key: '', value: 'b' }] },
    { break_response_headers: [{ key: 'A', value: '' }] },
    { break_response_headers: [{ key: 'a b', value: 'b' }] },
    { break_response_headers: [{ key: 'Content-Length', value: '1' }] },
    { max_breaker_sec: 2 },
    { unhealthy: { http_statuses: [] } },
    { unhealthy: { http_statuses: [500, 500] } },
    { unhealthy: { http_statuses: [499] } },
    { unhealthy: { http_statuses: [600] } },
    { unhealthy: { failures: 0 } },
    { healthy: { http_statuses: [] } },
    { healthy: { http_statuses: [199] } },
    { healthy: { http_statuses: [500] } },
    { healthy: { successes: 0 } },
  ];
  for (const fields of bad) {
    assert.match(
      errorOf({ break_response_code: 502, ...fields }),
      /^Error at "\/plugins\/api-breaker\/[a-z_/0-9]+": /,
      JSON.stringify(fields),
    );
  }
});

test('the example of the page works', async () => {
  const [example] = await readExamples(import.meta.dirname);
  const configuration = exampleOf(example, 'api-breaker');
  assert.equal(configurationError(apiBreakerSchema, configuration), '');
  const { ask, end } = breaker(configuration);
  end(503);
  assert.equal(ask(), undefined);
  end(500);
  assert.deepEqual([ask()?.status, ask()?.body], [503, '{"message":"try again soon"}']);
});
