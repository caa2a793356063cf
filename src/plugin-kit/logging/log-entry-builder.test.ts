import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { JsonObject } from '../../lib/json.ts';
import { Type } from '../../schema/index.ts';
import type { BodyFilter } from '../body-filter.ts';
import { readPluginConfiguration } from '../read-plugin-configuration.ts';
import { collectBody, TestRequest, type TestRequestOptions, TestResponse } from '../testing/index.ts';
import { LogEntryBuilder, type LogEntryOptions } from './log-entry-builder.ts';
import { LOG_FIELDS, type LogConfiguration } from './log-fields.ts';

const schema = Type.Object(LOG_FIELDS);
const SETUP = { hostName: 'gateway-1', version: '1.2.3', metadata: undefined };

function builderOf(configuration: JsonObject = {}, metadata?: JsonObject, options?: LogEntryOptions): LogEntryBuilder {
  // The parsing border: the schema vouches for the shape.
  const read = readPluginConfiguration(schema, configuration) as unknown as LogConfiguration;
  return new LogEntryBuilder(read, { ...SETUP, metadata }, options);
}

/** What is logged of a request that passes all phases with this answer. */
async function entryOf(
  builder: LogEntryBuilder,
  options: TestRequestOptions,
  answer: {
    readonly body?: string | Uint8Array;
    readonly headers?: ReadonlyArray<readonly [string, string]>;
    readonly status?: number;
  } = {},
) {
  const request = new TestRequest(options);
  await builder.access(request);
  const response = new TestResponse({ headers: answer.headers ?? [], status: answer.status ?? 200 });
  request.answeredBy(response);
  const filter: BodyFilter | undefined = response.hasBody ? builder.bodyFilter(request, response) : undefined;
  const sent = await collectBody(filter, answer.body === undefined ? [] : [answer.body]);
  assert.deepEqual(sent, Buffer.from(answer.body ?? ''), 'the answer is not changed');
  const text = await new Promise<string>((resolve) => builder.build(request, resolve));
  return { request, entry: JSON.parse(text) };
}

test('the default entry has every member', async () => {
  const { entry } = await entryOf(
    builderOf(),
    {
      method: 'POST',
      target: '/a%20b/%C3%A9?x=1&y&x=2&%C3%A9=%C3%BC',
      headers: [
        ['Host', 'Shop.Test:9080'],
        ['X-One', 'eins'],
        ['X-Two', 'a'],
        ['x-two', 'b'],
      ],
      body: 'hidden',
      consumer: { username: 'jack', customId: undefined, credentialId: 'c1' },
      remoteAddress: '198.51.100.9',
      startedAtMs: 1_700_000_000_123,
      answer: { bytesFromClient: 321, bytesToClient: 654, headReadAtMs: 10, decidedAtMs: 12.5, finishedAtMs: 20.0004 },
    },
    { headers: [['Content-Type', 'text/plain']], status: 201, body: 'not asked for' },
  );
  assert.deepEqual(entry, {
    request: {
      url: 'http://shop.test:9080/a b/é?x=1&y&x=2&%C3%A9=%C3%BC',
      uri: '/a b/é?x=1&y&x=2&%C3%A9=%C3%BC',
      method: 'POST',
      headers: { host: 'Shop.Test:9080', 'x-one': 'eins', 'x-two': ['a', 'b'], 'content-length': '6' },
      querystring: { x: ['1', '2'], y: true, é: 'ü' },
      size: 321,
    },
    response: { status: 201, headers: { 'content-type': 'text/plain' }, size: 654 },
    server: { hostname: 'gateway-1', version: '1.2.3' },
    upstream: '198.51.100.7:1980',
    service_id: 'service-1',
    route_id: 'route-1',
    consumer: { username: 'jack' },
    client_ip: '198.51.100.9',
    start_time: 1_700_000_000_123,
    latency: 10,
    upstream_latency: 7.5,
    apisix_latency: 2.5,
  });
});

test('what there is not is left out: consumer, upstream, and the route of a request that matched none', async () => {
  const options = { route: null, answer: { upstreamAddress: undefined, decidedAtMs: 0, headReadAtMs: 5, finishedAtMs: 6.25 } };
  const { entry } = await entryOf(builderOf(), options, { status: 404 });
  for (const absent of ['consumer', 'upstream', 'upstream_latency', 'route_id']) assert.equal(absent in entry, false, absent);
  assert.equal(entry.service_id, 'gateway.test');
  assert.equal(entry.latency, 1.25);
  assert.equal(entry.apisix_latency, 1.25);
  const { entry: named } = await entryOf(builderOf({}, undefined, { unmatchedRouteId: 'no-matched' }), options);
  assert.equal(named.route_id, 'no-matched');
});

test('of headers the first hundred are logged, and hostile names are names', async () => {
  const headers = Array.from({ length: 150 }, (_, index) => [`X-${index}`, 'v'] as const);
  const { entry } = await entryOf(builderOf(), { target: '/?__proto__=1&constructor=2', headers: [['__proto__', 'p'], ...headers] });
  assert.equal(Object.keys(entry.request.headers).length, 100);
  assert.deepEqual(Object.entries(entry.request.headers)[1], ['__proto__', 'p']);
  assert.deepEqual(Object.entries(entry.request.querystring), [
    ['__proto__', '1'],
    ['constructor', '2'],
  ]);
});

test('a format replaces the entry: variables, copied values, nested objects; the ids of route and service are always there', async () => {
  const builder = builderOf({
    log_format: {
      host: '$host',
      '@timestamp': '$time_iso8601',
      absent: '$http_nothing',
      fixed: 'text with $host inside',
      number: 7,
      flag: true,
      nested: { uri: '$uri', deeper: { agent: '$http_user_agent' } },
      unknown: '$no_such_variable',
      __proto__: null,
    },
    include_req_body: true,
  });
  const { entry, request } = await entryOf(builder, { target: '/x', headers: [['User-Agent', 'curl']], body: 'b' });
  assert.deepEqual(entry, {
    host: 'gateway.test',
    '@timestamp': '2027-01-15T08:00:00+00:00',
    fixed: 'text with $host inside',
    number: 7,
    flag: true,
    nested: { uri: '/x', deeper: { agent: 'curl' } },
    route_id: 'route-1',
    service_id: 'service-1',
  });
  assert.deepEqual(request.bodyReads, [], 'a body that cannot be in the entry is not waited for');
  const { entry: unmatched } = await entryOf(builder, { target: '/x', route: null });
  assert.equal('route_id' in unmatched || 'service_id' in unmatched, false);
});

test('objects in a format that are nested more than five levels deep are empty', async () => {
  const { entry } = await entryOf(builderOf({ log_format: { a: { b: { c: { d: { e: '$host', f: { g: '$host' } } } } } } }), {});
  assert.deepEqual(entry.a.b.c.d, { e: 'gateway.test', f: {} });
});

test("the plugin's own format comes before that of the metadata, and an empty one there counts as none", async () => {
  const metadata = { log_format: { from: 'metadata' } };
  const fromOf = async (configuration: JsonObject, given?: JsonObject) => (await entryOf(builderOf(configuration, given), {})).entry;
  assert.equal((await fromOf({ log_format: { from: 'plugin' } }, metadata)).from, 'plugin');
  assert.equal((await fromOf({}, metadata)).from, 'metadata');
  assert.deepEqual(await fromOf({ log_format: {} }, metadata), { route_id: 'route-1', service_id: 'service-1' });
  assert.equal('request' in (await fromOf({}, { log_format: {} })), true);
});

test('members are added to the default entry, never over it, and not to a format', async () => {
  const extra = { host: '$host', request: 'mine', start_time: 0 };
  const { entry } = await entryOf(builderOf({ log_format_extra: extra }, { log_format_extra: { other: '$host' } }), {});
  assert.equal(entry.host, 'gateway.test');
  assert.equal(entry.request.method, 'GET');
  assert.equal(entry.start_time, 1_800_000_000_000);
  assert.equal('other' in entry, false);
  const { entry: fromMetadata } = await entryOf(builderOf({}, { log_format_extra: extra }), {});
  assert.equal(fromMetadata.host, 'gateway.test');
  const { entry: formatted } = await entryOf(builderOf({ log_format: { a: 1 }, log_format_extra: extra }), {});
  assert.equal('host' in formatted, false);
});

test("the request's body is logged where that is asked for, and cut in front of a character that does not fit", async () => {
  const { entry } = await entryOf(builderOf({ include_req_body: true, max_req_body_bytes: 6 }), { method: 'POST', body: 'abcdeé' });
  assert.equal(entry.request.body, 'abcde');
  const { entry: whole } = await entryOf(builderOf({ include_req_body: true }), { method: 'POST', body: 'abcdeé' });
  assert.equal(whole.request.body, 'abcdeé');
  const { entry: without, request } = await entryOf(builderOf({ include_req_body: true }), {});
  assert.equal('body' in without.request, false);
  assert.deepEqual(request.bodyReads, []);
});

test('a condition decides about the body, and one that does not compile logs none', async () => {
  const rule = [['arg_log', '==', 'yes']];
  const builder = builderOf({ include_req_body: true, include_req_body_expr: rule, include_resp_body: true, include_resp_body_expr: rule });
  const bodies = async (target: string) => {
    const { entry, request } = await entryOf(builder, { target, method: 'POST', body: 'in' }, { body: 'out' });
    return [entry.request.body, entry.response.body, request.bodyReads.length];
  };
  assert.deepEqual(await bodies('/?log=yes'), ['in', 'out', 1]);
  assert.deepEqual(await bodies('/?log=no'), [undefined, undefined, 0]);
  const broken = builderOf({ include_req_body: true, include_req_body_expr: [['arg_x', 'nonsense', 1]] });
  const { entry } = await entryOf(broken, { body: 'in' });
  assert.equal('body' in entry.request, false);
  const { entry: off } = await entryOf(builderOf({ include_req_body_expr: rule }), { target: '/?log=yes', body: 'in' });
  assert.equal('body' in off.request, false);
});

test('of a longer body the first bytes are logged, and no more of it is read', async () => {
  const small = builderOf({ include_req_body: true, max_req_body_bytes: 10 });
  const { entry, request } = await entryOf(small, { body: Buffer.alloc(1024 * 1024 + 1, 'x') });
  assert.equal(entry.request.body, 'xxxxxxxxxx');
  assert.deepEqual(request.bodyReads, [10]);
  const { entry: cut } = await entryOf(small, { body: 'nine byte€' });
  assert.equal(cut.request.body, 'nine byte');
  const large = builderOf({ include_req_body: true, max_req_body_bytes: 2 * 1024 * 1024 });
  const { entry: logged } = await entryOf(large, { body: Buffer.alloc(1024 * 1024 + 1, 'x') });
  assert.equal(logged.request.body.length, 1024 * 1024 + 1);
});

test("the answer's body is logged up to its bound, and decoded", async () => {
  const builder = builderOf({ include_resp_body: true, max_resp_body_bytes: 1000 });
  const bodyOf = async (body: Uint8Array | string, coding?: string) => {
    const headers = coding === undefined ? [] : ([['Content-Encoding', coding]] as const);
    return (await entryOf(builder, {}, { body, headers })).entry.response.body;
  };
  const text = 'wörter '.repeat(200);
  assert.equal(await bodyOf('plain'), 'plain');
  assert.equal(await bodyOf(text), Buffer.from(text).subarray(0, 1000).toString());
  assert.equal(await bodyOf(gzipSync(text), 'gzip'), Buffer.from(text).subarray(0, 1000).toString());
  assert.equal(await bodyOf(brotliCompressSync('short'), 'BR'), 'short');
  assert.equal(await bodyOf('as it is', 'zstd'), 'as it is');
  assert.equal(await bodyOf('no gzip at all', 'gzip'), 'no gzip at all');
  assert.equal(await bodyOf('', 'gzip'), '');
});

test('a body of a coding that was cut is decoded as far as it goes, and a bomb is not unpacked', async () => {
  const builder = builderOf({ include_resp_body: true, max_resp_body_bytes: 1000 });
  const noise = Array.from({ length: 5000 }, (_, index) => `${(index * 7919) % 10_007}`).join();
  for (const [coding, coded] of [
    ['gzip', gzipSync(noise)],
    ['br', brotliCompressSync(noise)],
  ] as const) {
    assert.ok(coded.length > 1000);
    const { entry } = await entryOf(builder, {}, { body: coded, headers: [['Content-Encoding', coding]] });
    assert.ok(entry.response.body.length > 100 && noise.startsWith(entry.response.body), coding);
    const bomb = coding === 'gzip' ? gzipSync(Buffer.alloc(4 * 1024 * 1024)) : brotliCompressSync(Buffer.alloc(4 * 1024 * 1024));
    const { entry: packed } = await entryOf(builder, {}, { body: bomb.subarray(0, 900), headers: [['Content-Encoding', coding]] });
    assert.equal(packed.response.body.length, 1000);
  }
});

test('a format names the bodies: that of the request needs no setting, that of the answer does', async () => {
  const format = { in: '$request_body', nested: { out: '$resp_body' } };
  const answer = { body: gzipSync('out'), headers: [['Content-Encoding', 'gzip']] as const };
  const { entry } = await entryOf(builderOf({ log_format: format, max_req_body_bytes: 2 }), { body: 'abc' }, answer);
  assert.deepEqual([entry.in, entry.nested.out], ['ab', '']);
  const { entry: both } = await entryOf(builderOf({ log_format: format, include_resp_body: true }), { body: 'abc' }, answer);
  assert.deepEqual([both.in, both.nested.out], ['abc', 'out']);
  const { entry: none } = await entryOf(builderOf({ log_format: format }), {});
  assert.equal('in' in none, false);
});

test('bytes that are no UTF-8 do not break an entry', async () => {
  const { entry } = await entryOf(builderOf({ include_req_body: true }), {
    headers: [['X-Raw', '\xff\xfe']],
    body: Buffer.from([0xff, 0x41]),
  });
  assert.equal(entry.request.headers['x-raw'], '\xff\xfe');
  assert.equal(entry.request.body, '�A');
});
