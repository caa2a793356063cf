import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import type { JsonObject } from '../../plugin-kit/index.ts';
import {
  configurationError,
  createPlugin,
  runLog,
  runPhaseAtOnce,
  runResponse,
  TestRequest,
  type TestRequestOptions,
  TestResponse,
  type TestSetup,
  testSetup,
} from '../../plugin-kit/testing/index.ts';
import { opentelemetry } from './plugin.ts';
import { opentelemetrySchema } from './schema.ts';
import { decodeExport, type ReceivedExport, type ReceivedSpan } from './testing/decode-export.ts';

const ALWAYS: JsonObject = { sampler: { name: 'always_on' } };
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

/** One request through all phases; gives what was done to it. */
function trace(setup: TestSetup, configuration: JsonObject, options: TestRequestOptions = {}, status = 200): TestRequest {
  const instance = createPlugin(opentelemetry, configuration, setup);
  const request = new TestRequest(options);
  assert.equal(runPhaseAtOnce(instance, 'rewrite', request), undefined);
  runResponse(instance, request, new TestResponse({ status }));
  runLog(instance, request);
  return request;
}

function received(setup: TestSetup): readonly ReceivedExport[] {
  setup.clock.advance(10_000);
  return setup.calls.sent.map(({ body }) => {
    assert.ok(Buffer.isBuffer(body));
    return decodeExport(body);
  });
}

/** The only span that a collector got of such a request. */
function spanOf(configuration: JsonObject, options: TestRequestOptions = {}, status = 200, metadata: JsonObject = {}): ReceivedSpan {
  const setup = testSetup({ metadata });
  trace(setup, configuration, options, status);
  const [span, ...others] = received(setup).flatMap(({ spans }) => spans);
  assert.ok(span !== undefined && others.length === 0);
  return span;
}

function traceparentOf(request: TestRequest): string | undefined {
  return request.upstreamHead().headers.find(([name]) => name.toLowerCase() === 'traceparent')?.[1];
}

test('a span has the name, the kind, the times and all attributes of the request', () => {
  const span = spanOf(ALWAYS, {
    method: 'POST',
    target: '/caf%C3%A9?x=1',
    headers: [
      ['Host', 'shop.test'],
      ['User-Agent', 'curl/8'],
    ],
    route: { id: 'r1', name: 'orders', serviceId: 's1', serviceName: 'shop', pattern: '/caf*' },
    startedAtMs: 1_700_000_000_123.5,
    answer: { headReadAtMs: 10, finishedAtMs: 22.25 },
  });
  assert.deepEqual(span, {
    traceId: span.traceId,
    spanId: span.spanId,
    traceState: undefined,
    parentSpanId: undefined,
    name: 'POST /caf*',
    kind: 2,
    startNanoseconds: 1_700_000_000_123_500_000n,
    endNanoseconds: 1_700_000_000_135_750_000n,
    attributes: {
      'net.host.name': 'shop.test',
      'http.method': 'POST',
      'http.scheme': 'http',
      'http.target': '/café?x=1',
      'http.user_agent': 'curl/8',
      'http.request.method': 'POST',
      'url.scheme': 'http',
      'url.path': '/café',
      'user_agent.original': 'curl/8',
      'apisix.route_id': 'r1',
      'apisix.route_name': 'orders',
      'http.route': '/caf*',
      'apisix.service_id': 's1',
      'apisix.service_name': 'shop',
      'apisix.response_source': 'upstream',
      'http.status_code': 200,
      'http.response.status_code': 200,
    },
    status: undefined,
  });
  assert.match(span.traceId, /^[\da-f]{32}$/);
  assert.match(span.spanId, /^[\da-f]{16}$/);
});

test('a request without a route has its method for a name, and no attributes of a route', () => {
  const span = spanOf(ALWAYS, { route: null });
  assert.equal(span.name, 'GET');
  for (const key of ['http.route', 'apisix.route_id', 'apisix.service_id', 'http.user_agent'])
    assert.equal(key in span.attributes, false, key);
});

test('from 500 on a span is an error that names its source', () => {
  assert.equal(spanOf(ALWAYS, {}, 499).status, undefined);
  assert.deepEqual(spanOf(ALWAYS, {}, 500).status, { code: 2, message: 'upstream error: 500' });
  assert.deepEqual(spanOf(ALWAYS, { answer: { responseSource: 'nginx' } }, 502).status, { code: 2, message: 'nginx error: 502' });
});

test('without metadata the plugin does nothing but warn', () => {
  const setup = testSetup();
  const request = trace(setup, ALWAYS);
  assert.equal(traceparentOf(request), undefined);
  assert.deepEqual(received(setup), []);
  assert.deepEqual(
    setup.log.lines.map(({ level }) => level),
    ['warn'],
  );
});

test('nothing is sampled unless that is configured, but the upstream is told of a trace all the same', () => {
  const setup = testSetup({ metadata: {} });
  const request = trace(setup, {});
  assert.match(traceparentOf(request) ?? '', /^00-[\da-f]{32}-[\da-f]{16}-00$/);
  assert.deepEqual(received(setup), []);
  assert.equal(setup.clock.pendingTasks, 0);
});

test('a trace is continued: the span is a child of the caller, and the upstream a child of the span', () => {
  const setup = testSetup({ metadata: {} });
  const headers = [
    ['traceparent', `00-${TRACE}-${SPAN}-00`],
    ['tracestate', 'a=1,b=2'],
  ] as const;
  const request = trace(setup, ALWAYS, { headers });
  const [span] = received(setup).flatMap(({ spans }) => spans);
  assert.equal(span?.traceId, TRACE);
  assert.equal(span.parentSpanId, SPAN);
  assert.equal(span.traceState, 'a=1,b=2');
  assert.notEqual(span.spanId, SPAN);
  assert.equal(traceparentOf(request), `00-${TRACE}-${span.spanId}-01`);
  assert.ok(request.upstreamHead().headers.some(([name, value]) => name === 'tracestate' && value === 'a=1,b=2'));
});

test('the state of a trace that cannot be continued goes no further', () => {
  const setup = testSetup({ metadata: {} });
  const request = trace(setup, ALWAYS, { headers: [['traceparent', 'nonsense'], ['tracestate', 'a=1']] }); // biome-ignore format: one request a line
  const [span] = received(setup).flatMap(({ spans }) => spans);
  assert.equal(span?.traceState, undefined);
  assert.equal(traceparentOf(request), `00-${span?.traceId}-${span?.spanId}-01`);
  assert.equal(
    request.upstreamHead().headers.some(([name]) => name === 'tracestate'),
    false,
  );
});

test('parent_base follows the caller and asks its root without one', () => {
  const sampled = (configuration: JsonObject, flags?: string) => {
    const setup = testSetup({ metadata: {} });
    trace(setup, configuration, flags === undefined ? {} : { headers: [['traceparent', `00-${TRACE}-${SPAN}-${flags}`]] });
    return received(setup).length > 0;
  };
  const parentBase = (root: JsonObject): JsonObject => ({ sampler: { name: 'parent_base', options: { root } } });
  assert.equal(sampled(parentBase({ name: 'always_on' }), '00'), false);
  assert.equal(sampled(parentBase({ name: 'always_off' }), '01'), true);
  assert.equal(sampled(parentBase({ name: 'always_on' })), true);
  assert.equal(sampled({ sampler: { name: 'parent_base' } }), false);
  assert.equal(sampled(parentBase({ name: 'trace_id_ratio', options: { fraction: 1 } })), true);
  assert.equal(sampled({ sampler: { name: 'trace_id_ratio', options: { fraction: 1 } } }), true);
  assert.equal(sampled({ sampler: { name: 'trace_id_ratio' } }), false);
});

test('the id of the request is that of the trace where the metadata says so and it can be one', () => {
  const metadata = { trace_id_source: 'x-request-id' };
  const traceIdWith = (options: TestRequestOptions) => spanOf(ALWAYS, options, 200, metadata).traceId;
  assert.equal(traceIdWith({ headers: [['X-Request-Id', TRACE.toUpperCase()]] }), TRACE);
  assert.equal(traceIdWith({ requestId: 'f'.repeat(32) }), 'f'.repeat(32));
  for (const unusable of ['short', '0'.repeat(32), `${TRACE}0`]) {
    const traceId = traceIdWith({ headers: [['X-Request-Id', unusable]] });
    assert.match(traceId, /^[\da-f]{32}$/);
    assert.notEqual(traceId, unusable);
  }
  assert.notEqual(spanOf(ALWAYS, { headers: [['X-Request-Id', TRACE]] }).traceId, TRACE);
  assert.equal(traceIdWith({ headers: [['X-Request-Id', 'f'.repeat(32)], ['traceparent', `00-${TRACE}-${SPAN}-01`]] }), TRACE); // biome-ignore format: one request a line
});

test('variables and headers become attributes as configured', () => {
  const span = spanOf(
    {
      ...ALWAYS,
      additional_attributes: ['remote_addr', 'arg_x', 'no_such_variable', 'list', 'status'],
      additional_header_prefix_attributes: ['X-Exact', 'x-pre-*', '*', 'X-Absent'],
    },
    {
      target: '/?x=%C3%BC',
      headers: [['X-Exact', 'e'], ['X-Pre-A', '1'], ['x-pre-a', '2'], ['X-PRE-B', '3'], ['X-Other', 'o']], // biome-ignore format: one request a line
      variables: { list: ['a', 'b'] },
    },
  );
  const { remote_addr, arg_x, list, status, 'X-Exact': exact, 'x-pre-a': a, 'x-pre-b': b } = span.attributes;
  assert.deepEqual([remote_addr, arg_x, list, status, exact, a, b], ['192.0.2.1', 'ü', 'a, b', '200', 'e', '1, 2', '3']);
  for (const absent of ['no_such_variable', 'X-Absent', 'x-other', '*', 'x-exact']) assert.equal(absent in span.attributes, false, absent);
});

test('the resource is the host, and what is configured; without a name for the service that is APISIX', () => {
  const resourceOf = (metadata: JsonObject) => {
    const setup = testSetup({ metadata });
    trace(setup, ALWAYS);
    const [one] = received(setup);
    assert.deepEqual(one?.scope, { name: 'portcullis', version: '0.0.0-test' });
    return one?.resource;
  };
  assert.deepEqual(resourceOf({}), { hostname: 'gateway-1' });
  assert.deepEqual(resourceOf({ resource: {} }), { hostname: 'gateway-1', 'service.name': 'APISIX' });
  assert.deepEqual(resourceOf({ resource: { 'service.name': 'edge', zone: 'a', weight: 0.5, spare: true } }), {
    hostname: 'gateway-1',
    'service.name': 'edge',
    zone: 'a',
    weight: 0.5,
    spare: true,
  });
});

test('spans are posted as protobuf to the collector, with its headers and time-out', () => {
  const callOf = (metadata: JsonObject) => {
    const setup = testSetup({ metadata });
    trace(setup, ALWAYS);
    setup.clock.advance(10_000);
    const [call] = setup.calls.sent;
    assert.ok(call);
    return call;
  };
  const { method, url, headers, timeoutMs, verifyTls } = callOf({});
  assert.deepEqual(
    { method, url, headers, timeoutMs, verifyTls },
    {
      method: 'POST',
      url: 'http://127.0.0.1:4318/v1/traces',
      headers: { 'Content-Type': 'application/x-protobuf' },
      timeoutMs: 3000,
      verifyTls: true,
    },
  );
  const custom = callOf({
    collector: { address: 'https://otel.test/', request_timeout: 7, request_headers: { Token: 't', N: 1, B: true } },
  });
  assert.equal(custom.url, 'https://otel.test/v1/traces');
  assert.equal(custom.timeoutMs, 7000);
  assert.deepEqual(custom.headers, { Token: 't', N: '1', B: 'true', 'Content-Type': 'application/x-protobuf' });
  assert.equal(callOf({ collector: { address: 'otel:4319' } }).url, 'http://otel:4319/v1/traces');
});

test('spans of all routes are gathered in batches of 256, or until two seconds of silence or five seconds have passed', () => {
  const setup = testSetup({ metadata: {} });
  const spansOfBatches = () => setup.calls.sent.map(({ body }) => decodeExport(Buffer.from(body ?? '')).spans.length);
  const other = testSetup({ metadata: {}, clock: setup.clock });
  for (let count = 0; count < 256; count++) trace(count % 2 === 0 ? setup : { ...other, calls: setup.calls }, ALWAYS);
  assert.deepEqual(spansOfBatches(), [256]);
  trace(setup, ALWAYS);
  setup.clock.advance(1999);
  assert.equal(setup.calls.sent.length, 1);
  setup.clock.advance(1);
  assert.deepEqual(spansOfBatches(), [256, 1]);
  for (let count = 0; count < 5; count++) {
    trace(setup, ALWAYS);
    setup.clock.advance(1000);
  }
  assert.deepEqual(spansOfBatches(), [256, 1, 5]);
});

test('the batches are as the metadata says, and what waits is bounded', () => {
  const batch = { max_export_batch_size: 2, max_queue_size: 5, batch_timeout: 0.5, inactive_timeout: 0.2 };
  const setup = testSetup({ metadata: { batch_span_processor: batch } });
  setup.calls.answer = () => new Promise(() => {});
  for (let count = 0; count < 8; count++) trace(setup, ALWAYS);
  assert.equal(setup.calls.sent.length, 2);
  setup.clock.advance(200);
  assert.equal(setup.calls.sent.length, 3);
  assert.equal(setup.metrics.value('plugin_entries_dropped_total', ['opentelemetry']), 3);
});

test('with drop_on_queue_full: false the newest spans are kept', () => {
  const batch = { max_export_batch_size: 1, max_queue_size: 17, drop_on_queue_full: false };
  const setup = testSetup({ metadata: { batch_span_processor: batch } });
  const answers: (() => void)[] = [];
  setup.calls.answer = () => new Promise((resolve) => answers.push(() => resolve({})));
  for (let count = 0; count < 20; count++) trace(setup, ALWAYS, { target: `/${count}` });
  assert.equal(setup.calls.sent.length, 16);
  assert.equal(setup.metrics.value('plugin_entries_dropped_total', ['opentelemetry']), 3);
});

test('a collector that fails is asked twice more, and then the spans are lost', async () => {
  const setup = testSetup({ metadata: {} });
  setup.calls.answer = () => ({ status: 503 });
  trace(setup, ALWAYS);
  for (let second = 0; second < 20; second++) {
    setup.clock.advance(1000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(setup.calls.sent.length, 3);
  assert.deepEqual(setup.log.lines.at(-1)?.fields, { entries: 1, why: 'the collector answered 503' });
});

test('the ids are given to variables where the metadata says so', () => {
  const setup = testSetup({ metadata: { set_ngx_var: true } });
  const request = trace(setup, {});
  const traceparent = traceparentOf(request) ?? '';
  assert.equal(request.variable('opentelemetry_context_traceparent'), traceparent);
  assert.equal(request.variable('opentelemetry_trace_id'), traceparent.slice(3, 35));
  assert.equal(request.variable('opentelemetry_span_id'), traceparent.slice(36, 52));
  const without = trace(testSetup({ metadata: {} }), {});
  assert.equal(without.variable('opentelemetry_trace_id'), undefined);
});

test('a global rule and a route that trace the same request send a span each', () => {
  const setup = testSetup({ metadata: {} });
  const instances = [
    createPlugin(opentelemetry, ALWAYS, setup),
    createPlugin(opentelemetry, { ...ALWAYS, additional_attributes: ['uri'] }, setup),
  ];
  const request = new TestRequest();
  for (const instance of instances) runPhaseAtOnce(instance, 'rewrite', request);
  for (const instance of instances) runLog(instance, request);
  assert.equal(received(setup).flatMap(({ spans }) => spans).length, 2);
});

test('the last configuration to go has its spans sent', () => {
  const setup = testSetup({ metadata: {} });
  const [first, second] = [createPlugin(opentelemetry, ALWAYS, setup), createPlugin(opentelemetry, {}, setup)];
  const request = new TestRequest();
  runPhaseAtOnce(first, 'rewrite', request);
  runLog(first, request);
  first.dispose();
  assert.equal(setup.calls.sent.length, 0);
  second.dispose();
  assert.equal(setup.calls.sent.length, 1);
});

test('the examples of the page on opentelemetry work', async () => {
  const page = await readFile(path.join(import.meta.dirname, 'README.md'), 'utf8');
  const [metadata, route] = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map((match) => JSON.parse(match[1] ?? ''));
  const configuration = route.plugins.opentelemetry;
  assert.equal(configurationError(opentelemetrySchema, configuration), '');
  const setup = testSetup({ metadata });
  trace(setup, configuration, { headers: [['traceparent', `00-${TRACE}-${SPAN}-01`], ['X-My-Tenant', 'a']] }); // biome-ignore format: one request a line
  const [one] = received(setup);
  assert.equal(one?.resource['service.name'], 'edge');
  assert.equal(one.spans[0]?.attributes['x-my-tenant'], 'a');
});
