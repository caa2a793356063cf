// biome-ignore-all lint/suspicious/noTemplateCurlyInString: templates with braces are tested here.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { JsonObject, JsonValue } from '../../plugin-kit/index.ts';
import {
  configurationError,
  createPlugin,
  exampleOf,
  type HeaderLines,
  readExamples,
  runPhaseAtOnce,
  TestRequest,
  type TestRequestOptions,
} from '../../plugin-kit/testing/index.ts';
import { proxyRewrite } from './plugin.ts';
import { proxyRewriteSchema } from './schema.ts';

function run(configuration: JsonObject, options: TestRequestOptions = {}): TestRequest {
  const request = new TestRequest({ target: '/client/path?q=1', ...options });
  assert.equal(runPhaseAtOnce(createPlugin(proxyRewrite, configuration), 'rewrite', request), undefined);
  return request;
}

const targetOf = (configuration: JsonObject, target: string, path?: string): string =>
  run(configuration, { target, ...(path === undefined ? {} : { path }) }).upstreamHead().target;

/** The headers that the upstream gets besides Host. */
function headersOf(configuration: JsonObject, headers: HeaderLines = [], target = '/client/path?q=1'): HeaderLines {
  return run(configuration, { headers, target })
    .upstreamHead()
    .headers.filter(([name]) => name !== 'Host');
}

test('without anything to change the client’s bytes go on', () => {
  assert.equal(targetOf({}, '/a%20b//c?x=%20'), '/a%20b//c?x=%20');
  assert.deepEqual(run({}).upstreamTarget, undefined);
});

test('uri replaces the path, and the client’s query stays', () => {
  assert.equal(targetOf({ uri: '/new' }, '/a?b=1&c=%20'), '/new?b=1&c=%20');
  assert.equal(targetOf({ uri: '/new' }, '/a'), '/new');
});

test('uri can bring a query of its own, and the client’s follows', () => {
  assert.equal(targetOf({ uri: '/new?x=y' }, '/a?b=1'), '/new?x=y&b=1');
  assert.equal(targetOf({ uri: '/new?x=y' }, '/a'), '/new?x=y');
});

test('uri can hold variables; a question mark in one begins no query', () => {
  assert.equal(targetOf({ uri: '/prefix$uri' }, '/a/b?c=1'), '/prefix/a/b?c=1');
  assert.equal(targetOf({ uri: '/x/${arg_id}/${http_x ?? none}' }, '/a?id=7'), '/x/7/none?id=7');
  assert.equal(targetOf({ uri: '/x/$arg_id' }, '/a?id=1%3F2%23%25'), '/x/1%3F2%23%25?id=1%3F2%23%25');
  assert.equal(targetOf({ uri: '/x?y=$arg_id' }, '/a?id=1%3F%202'), '/x?y=1%3F%202&id=1%3F%202');
  assert.equal(targetOf({ uri: '/x$none' }, '/a'), '/x');
});

test('the path is escaped as nginx escapes it, the query keeps what can stand in a target', () => {
  assert.equal(targetOf({ uri: '/a b/é%20?c d"é#' }, '/'), '/a%20b/%C3%A9%2520?c%20d"\xc3\xa9%23');
});

test('regex_uri works on the decoded path, and the first rule that matches is the one', () => {
  const regex_uri = ['^/a/(.*)/(\\d+)$', '/x/$2/$1', '^/a/(.*)', '/y/${1}', '.*', '/z'];
  assert.equal(targetOf({ regex_uri }, '/a/b/7?q'), '/x/7/b?q');
  assert.equal(targetOf({ regex_uri }, '/a/b'), '/y/b');
  assert.equal(targetOf({ regex_uri }, '/other'), '/z');
  assert.equal(targetOf({ regex_uri: ['^/a b/', '/c d/'] }, '/a%20b/%C3%A9'), '/c%20d/%C3%A9');
});

test('a rule replaces its match once, and what is around it stays', () => {
  assert.equal(targetOf({ regex_uri: ['b', 'X'] }, '/abba'), '/aXba');
});

test('where no rule matches the client’s bytes go on', () => {
  assert.equal(targetOf({ regex_uri: ['^/nothing', '/x'] }, '/a%20b?c'), '/a%20b?c');
});

test('a replacement can bring a query of its own', () => {
  assert.equal(targetOf({ regex_uri: ['^/users/(\\d+)', '/user?id=$1'] }, '/users/7?x=1'), '/user?id=7&x=1');
  assert.equal(targetOf({ regex_uri: ['^/users/(\\d+)', '/user?id=$1'] }, '/users/7'), '/user?id=7');
});

test('a question mark of the client’s own stays escaped, and with it the configured one', () => {
  assert.equal(targetOf({ regex_uri: ['^/a', '/b'] }, '/a%3Fx=1'), '/b%3Fx=1');
  assert.equal(targetOf({ regex_uri: ['^/a', '/b?c'] }, '/a%3Fx=1'), '/b%3Fc%3Fx=1');
});

test('an encoded slash stays one, unless it could have been meant literally', () => {
  const configuration = { regex_uri: ['^/a/', '/b/'] };
  assert.equal(targetOf(configuration, '/a/x%2Fy', '/a/x%2Fy'), '/b/x%2Fy');
  assert.equal(targetOf(configuration, '/a/x%252Fy', '/a/x%2Fy'), '/b/x%252Fy');
});

test('uri goes before regex_uri', () => {
  assert.equal(targetOf({ uri: '/u', regex_uri: ['.*', '/r'] }, '/a'), '/u');
});

test('a result without a slash in front gets one', () => {
  assert.equal(targetOf({ regex_uri: ['^/(.*)', '$1'] }, '/a/b'), '/a/b');
  assert.equal(targetOf({ regex_uri: ['.*', ''] }, '/a?b'), '/?b');
});

test('use_real_request_uri_unsafe starts from the target as it was sent', () => {
  const unsafe = { use_real_request_uri_unsafe: true };
  assert.equal(targetOf(unsafe, '/a%2Fb/../c?d=1', '/c'), '/a%2Fb/../c?d=1');
  assert.equal(targetOf({ ...unsafe, regex_uri: ['^/a', '/b'] }, '/a%20x?d=%20', '/a x'), '/b%20x?d=%20');
  assert.equal(targetOf({ ...unsafe, regex_uri: ['d=(.*)', 'e=$1'] }, '/a?d=1'), '/a?e=1');
  assert.equal(targetOf({ ...unsafe, regex_uri: ['^/nothing', '/b'] }, '/a%20b?c'), '/a%20b?c');
  assert.equal(targetOf({ ...unsafe, uri: '/new%20$uri' }, '/a%20b?c'), '/new%20/a%20b?c');
  assert.equal(targetOf({ ...unsafe, uri: '/new?x' }, '/a?c'), '/new?x&c');
});

test('an argument that another plugin has taken out does not come back', () => {
  for (const configuration of [{ use_real_request_uri_unsafe: true }, { uri: '/b' }, {}]) {
    const request = new TestRequest({ target: '/a?apikey=secret&b=1' });
    request.removeQueryArgument('apikey');
    runPhaseAtOnce(createPlugin(proxyRewrite, configuration), 'rewrite', request);
    assert.match(request.upstreamHead().target, /^\/[ab]\?b=1$/);
  }
});

test('no text of a client can break the request line', () => {
  const byte = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
  const rules: readonly JsonObject[] = [
    { uri: '/x/$arg_a$uri?y=$arg_a' },
    { regex_uri: ['^/(.*)$', '/r/$1?z=$1'] },
    { regex_uri: ['^/(.*)$', '/r/$1?z=$1'], use_real_request_uri_unsafe: true },
    { uri: '/x/$arg_a', use_real_request_uri_unsafe: true },
  ];
  fc.assert(
    fc.property(fc.string({ unit: byte }), fc.constantFrom(...rules), (text, configuration) => {
      const escaped = [...text].map((character) => `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`).join('');
      const target = targetOf(configuration, `/p?a=${escaped}`, `/${text}`);
      assert.match(target, /^\/[\x21\x22\x24-\x7e\x80-\xff]*$/);
    }),
  );
});

test('host and method are what the upstream receives', () => {
  const request = run({ host: 'internal.example.com:8080', method: 'POST' });
  const head = request.upstreamHead();
  assert.equal(head.method, 'POST');
  assert.deepEqual(head.headers, [['Host', 'internal.example.com:8080']]);
  assert.equal(request.method, 'GET');
  assert.equal(head.target, '/client/path?q=1');
});

test('other plugins go on seeing the client’s path, and the new one as upstream_uri', () => {
  const request = run({ uri: '/new' }, { target: '/a?b' });
  assert.deepEqual([request.path, request.variable('uri'), request.variable('request_uri')], ['/a', '/a', '/a?b']);
  assert.equal(request.variable('upstream_uri'), '/new?b');
});

test('headers by name are set', () => {
  assert.deepEqual(
    headersOf({ headers: { 'X-A': 'new', 'X-N': 7 } }, [
      ['x-a', '1'],
      ['x-a', '2'],
      ['X-B', 'b'],
    ]),
    [
      // biome-ignore format: one request a line
      ['X-B', 'b'],
      ['X-A', 'new'],
      ['X-N', '7'],
    ],
  );
});

test('headers are added, then set, then removed', () => {
  const headers = {
    remove: ['X-Gone', 'X-Both'],
    set: { 'X-Both': 'set', 'X-Set': ['1', 2] },
    add: { 'X-Both': 'added', 'X-Add': ['a', 'b'], 'X-Gone': 'g' },
  };
  assert.deepEqual(
    headersOf({ headers }, [
      ['X-Add', 'client'],
      ['X-Set', 'client'],
      ['x-gone', 'client'],
    ]),
    [
      // biome-ignore format: one request a line
      ['X-Add', 'client'],
      ['X-Add', 'a'],
      ['X-Add', 'b'],
      ['X-Set', '1'],
      ['X-Set', '2'],
    ],
  );
});

test('values of headers can hold variables; an unset one leaves the value empty', () => {
  assert.deepEqual(headersOf({ headers: { 'X-A': '$request_method $arg_q', 'X-B': '$nothing', 'X-C': '${arg_z ?? none}' } }), [
    ['X-A', 'GET 1'],
    ['X-B', ''],
    ['X-C', 'none'],
  ]);
});

test('values of headers can hold what regex_uri has captured', () => {
  const configuration = { regex_uri: ['^/([^/]+)/(\\d+)?', '/x/$1'], headers: { 'X-A': '$1-${2}-$arg_q', 'X-B': '$3' } };
  assert.deepEqual(headersOf(configuration, [], '/orders/7?q=1'), [
    ['X-A', 'orders-7-1'],
    ['X-B', ''],
  ]);
  assert.deepEqual(headersOf(configuration, [], '/orders/?q=1')[0], ['X-A', 'orders--1']);
  assert.deepEqual(headersOf({ ...configuration, regex_uri: ['^/no/(.*)', '/x'] })[0], ['X-A', '--1'], 'where no rule matches');
  assert.deepEqual(headersOf({ headers: { 'X-A': '$1' } })[0], ['X-A', '']);
});

test('what is captured is not read for variables again', () => {
  assert.deepEqual(headersOf({ regex_uri: ['^/(.*)$', '/x'], headers: { 'X-A': '$1' } }, [], '/$host'), [['X-A', '$host']]);
});

test('control characters of a client become no header of their own', () => {
  assert.deepEqual(headersOf({ headers: { 'X-A': '$arg_a' } }, [], '/?a=1%0D%0AX-Evil:%201%00'), [['X-A', '1%0D%0AX-Evil: 1%00']]);
});

test('Host is not changed by headers', () => {
  const headers = { add: { Host: 'a' }, set: { host: 'b' }, remove: ['HOST'] };
  assert.deepEqual(run({ headers }).upstreamHead().headers, [['Host', 'gateway.test']]);
});

test('the limits of the configuration are those of APISIX', () => {
  const errorOf = (configuration: JsonObject) => configurationError(proxyRewriteSchema, configuration);
  assert.equal(errorOf({}), '');
  assert.equal(errorOf({ uri: `/${'x'.repeat(4095)}`, use_real_request_uri_unsafe: true }), '');
  for (const uri of ['', 'a', `/${'x'.repeat(4096)}`]) assert.match(errorOf({ uri }), /proxy-rewrite\/uri"/);
  for (const host of ['a.com', 'a-b:80', '127.0.0.1:65535']) assert.equal(errorOf({ host }), '');
  for (const host of ['', 'http://a', 'a_b', 'a:', 'a:123456', '$host', 'a b'])
    assert.match(errorOf({ host }), /proxy-rewrite\/host"/, host);
  for (const method of [
    'GET',
    'POST',
    'PUT',
    'HEAD',
    'DELETE',
    'OPTIONS',
    'MKCOL',
    'COPY',
    'MOVE',
    'PROPFIND',
    'LOCK',
    'UNLOCK',
    'PATCH',
    'TRACE',
  ]) {
    assert.equal(errorOf({ method }), '');
  }
  for (const method of ['get', 'CONNECT', 'PURGE', 1]) assert.match(errorOf({ method }), /proxy-rewrite\/method"/);
  assert.match(errorOf({ use_real_request_uri_unsafe: 'yes' }), /must be a boolean/);
});

test('regex_uri is refused with the texts of APISIX', () => {
  const errorOf = (regex_uri: JsonValue) => configurationError(proxyRewriteSchema, { regex_uri });
  assert.equal(errorOf(['a', 'b', 'c', 'd']), '');
  assert.match(errorOf(['a']), /minimum number of items is 2/);
  assert.equal(errorOf(['a', 'b', 'c']), 'Error at "/plugins/proxy-rewrite/regex_uri": The length of regex_uri should be an even number');
  assert.match(
    errorOf(['a', 'b', '^/x(.*', '/y']),
    /^Error at "\/plugins\/proxy-rewrite\/regex_uri\/2": invalid regex_uri\(\^\/x\(\.\*, \/y\): ./,
  );
  assert.match(errorOf(['a', 1]), /must be a string/);
});

test('headers are refused with the texts of APISIX', () => {
  const errorOf = (headers: JsonValue) => configurationError(proxyRewriteSchema, { headers });
  for (const headers of [{ a: '' }, { a: 1.5 }, { add: { a: 'b' } }, { set: { a: ['b', 1] }, remove: ['c'] }, { add: 'plain' }])
    assert.equal(errorOf(headers), '');
  const rows: readonly (readonly [JsonValue, string])[] = [
    [{}, '/headers": there must be at least 1 properties'],
    [{ '': 'x' }, '/headers": invalid field length in header'],
    [{ a: true }, '/headers": invalid type as header value'],
    [{ a: ['b'] }, '/headers": invalid type as header value'],
    [{ 'a b': 'c' }, '/headers": invalid field character in header'],
    [{ 'a:b': 'c' }, '/headers": invalid field character in header'],
    [{ a: 'b\r\nc: d' }, '/headers": invalid value character in header'],
    [{ 'Content-Length': '1' }, '/headers": the header Content-Length is the gateway\'s own'],
    [{ set: { 'transfer-encoding': 'chunked' } }, '/headers/set": the header transfer-encoding is the gateway\'s own'],
    [{ add: {} }, '/headers/add": there must be at least 1 properties'],
    [{ add: { a: [] } }, '/headers/add": minimum number of items is 1'],
    [{ add: [] }, '/headers/add": value must be an object'],
    [{ set: { 'a:': 'b' } }, '/headers/set": invalid field character in header'],
    [{ remove: [] }, '/headers/remove": minimum number of items is 1'],
    [{ remove: ['a', 'b:'] }, '/headers/remove/1": invalid field character in header'],
    [{ remove: { a: 'b' } }, '/headers/remove": value must be an array'],
    [{ add: { a: 'b' }, other: 'x' }, '/headers/other": property is unsupported'],
  ];
  for (const [headers, text] of rows) assert.equal(errorOf(headers), `Error at "/plugins/proxy-rewrite${text}`, JSON.stringify(headers));
});

test('the example of the page works', async () => {
  const [example] = await readExamples(import.meta.dirname);
  const configuration = exampleOf(example, 'proxy-rewrite');
  assert.equal(configurationError(proxyRewriteSchema, configuration), '');
  const head = run(configuration, { target: '/v1/users/7/orders?page=2', headers: [['X-Debug', '1']] }).upstreamHead();
  assert.equal(head.target, '/users/orders?id=7&page=2');
  assert.deepEqual(head.headers, [
    ['Host', 'orders.internal:8080'],
    ['X-Client', '192.0.2.1'],
    ['X-User', '7'],
  ]);
});
