// biome-ignore-all lint/suspicious/noTemplateCurlyInString: templates with braces are tested here.
import assert from 'node:assert/strict';
import test from 'node:test';
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
  testSetup,
} from '../../plugin-kit/testing/index.ts';
import { redirect } from './plugin.ts';
import { redirectSchema } from './schema.ts';

function answerTo(configuration: JsonObject, options: TestRequestOptions = {}) {
  return runPhaseAtOnce(createPlugin(redirect, configuration), 'rewrite', new TestRequest({ target: '/hello?name=json', ...options }));
}

function locationFor(configuration: JsonObject, options: TestRequestOptions = {}): string | undefined {
  return answerTo(configuration, options)?.headers.find(([name]) => name === 'Location')?.[1];
}

test('a redirect is an answer without a body and with a Location', () => {
  assert.deepEqual(answerTo({ uri: '/test/add' }), {
    status: 302,
    headers: [
      ['Content-Type', 'text/plain; charset=utf-8'],
      ['Location', '/test/add'],
    ],
    body: '',
    reason: undefined,
  });
  assert.equal(answerTo({ uri: '/test/add', ret_code: 301 })?.status, 301);
});

test('uri can hold variables, whose values are inserted as they are', () => {
  const rows: readonly (readonly [string, string])[] = [
    ['$uri/test/add', '/hello/test/add'],
    ['$uri/test/a${arg_name}c', '/hello/test/ajsonc'],
    ['/foo$$uri', '/foo$/hello'],
    ['\\$uri/foo$uri\\$uri/bar', '\\$uri/foo/hello\\$uri/bar'],
    ['$uri/$bad_var/bar', '/hello//bar'],
    ['https://$host$request_uri', 'https://gateway.test/hello?name=json'],
    ['$uri.html', '/hello.html'],
    ['/a\\b${', '/ab${'],
    ['https://$host:$server_port$uri', 'https://gateway.test:9080/hello'],
    ['/é', '/\xc3\xa9'],
  ];
  for (const [uri, location] of rows) assert.equal(locationFor({ uri }), location, uri);
});

test('control characters of a client become no header of their own', () => {
  assert.equal(locationFor({ uri: '/x$arg_a' }, { target: '/?a=1%0D%0ASet-Cookie:%20b' }), '/x1%0D%0ASet-Cookie: b');
  assert.equal(locationFor({ uri: '/x$uri' }, { target: '/%0D%0Aa', path: '/\r\na' }), '/x/%0D%0Aa');
});

test('no text of a client makes a path lead to another host', () => {
  const paths = { regex_uri: ['^/v1(.*)$', '/$1'] };
  assert.equal(locationFor(paths, { target: '/v1/evil.com' }), '/evil.com');
  assert.equal(locationFor({ regex_uri: ['^/v1(/.*)$', '$1'] }, { target: '/v1/%5Cevil.com' }), '/%5Cevil.com');
  assert.equal(locationFor({ uri: '/$arg_to' }, { target: '/?to=/evil.com' }), '/evil.com');
  assert.equal(locationFor({ uri: '/$arg_to' }, { target: '/?to=%5Cevil.com' }), '/%5Cevil.com');
  // Browsers leave tabs out before they look for slashes.
  assert.equal(locationFor({ uri: '$uri/' }, { target: '/%09/evil.com', path: '/\t/evil.com' }), '/%09/evil.com/');
  assert.equal(locationFor(paths, { target: '/v1/a', path: '/v1\t/evil.com' }), '/%09/evil.com');
  assert.equal(locationFor({ uri: '/$arg_to' }, { target: '/?to=%09/evil.com' }), '/%09/evil.com');
  assert.equal(locationFor({ uri: '//$host$uri' }), '//gateway.test/hello', 'what is configured is meant');
});

test('regex_uri replaces the match in the decoded path; paths that do not match go on', () => {
  const regex_uri = ['^/test/(.*)/(.*)', '/$2/${1}'];
  assert.equal(locationFor({ regex_uri }, { target: '/test/a%20b/c?d=e' }), '/c/a b');
  assert.equal(answerTo({ regex_uri }, { target: '/hello' }), undefined);
  assert.equal(locationFor({ regex_uri: ['l', 'L'] }), '/heLlo');
  assert.equal(locationFor({ regex_uri: ['^/hello$', 'https://other.example.com/x'] }), 'https://other.example.com/x');
});

test('encode_uri escapes the location up to its query', () => {
  assert.equal(locationFor({ uri: '/a b$uri?c d', encode_uri: true }, { target: '/%25%3F' }), '/a%20b/%25??c d');
  assert.equal(locationFor({ uri: '$uri', encode_uri: true }, { target: '/%5Ca' }), '/%5Ca');
  assert.equal(locationFor({ uri: 'http://a.com/é?é', encode_uri: true }), 'http://a.com/%C3%A9?\xc3\xa9');
  assert.equal(locationFor({ regex_uri: ['^/(.*)$', '/x/$1'], encode_uri: true }, { target: '/a%20b' }), '/x/a%20b');
});

test('append_query_string adds the query of the request', () => {
  const appends = { append_query_string: true };
  assert.equal(locationFor({ uri: '/x', ...appends }), '/x?name=json');
  assert.equal(locationFor({ uri: '/x?y=z', ...appends }), '/x?y=z&name=json');
  assert.equal(locationFor({ uri: '/x', ...appends }, { target: '/hello' }), '/x');
  assert.equal(locationFor({ regex_uri: ['^/hello', '/x'], ...appends }), '/x?name=json');
});

test('http_to_https sends to the same place, by a status that keeps the method where it matters', () => {
  const rows: readonly (readonly [string, number])[] = [
    ['GET', 301],
    ['HEAD', 301],
    ['POST', 308],
    ['PUT', 308],
    ['OPTIONS', 308],
  ];
  for (const [method, status] of rows) {
    const answer = answerTo({ http_to_https: true, ret_code: 307 }, { method, headers: [['Host', 'Foo.com:9080']] });
    assert.equal(answer?.status, status);
    assert.deepEqual(answer.headers.at(-1), ['Location', 'https://foo.com/hello?name=json']);
  }
});

test('http_to_https leaves https alone, as a trusted proxy in front tells it', () => {
  const proto = (value: string): TestRequestOptions => ({ headers: [['X-Forwarded-Proto', value]] });
  assert.equal(answerTo({ http_to_https: true }, { scheme: 'https' }), undefined);
  assert.equal(answerTo({ http_to_https: true }, proto('https')), undefined);
  assert.equal(answerTo({ http_to_https: true }, { scheme: 'https', ...proto('http') })?.status, 301);
  assert.equal(answerTo({ http_to_https: false }), undefined);
});

test('http_to_https names the port of the metadata, or else the one at which the instance takes HTTPS', () => {
  const locationOf = (httpsPort: number, metadata?: JsonObject, headers: HeaderLines = []): string | undefined => {
    const setup = testSetup({ httpsPort, ...(metadata === undefined ? {} : { metadata }) });
    const request = new TestRequest({ target: '/a', headers: [['Host', 'foo.com:9080'], ...headers] });
    const answer = runPhaseAtOnce(createPlugin(redirect, { http_to_https: true }, setup), 'rewrite', request);
    return answer?.headers.find(([name]) => name === 'Location')?.[1];
  };
  assert.equal(locationOf(9443), 'https://foo.com:9443/a');
  assert.equal(locationOf(443), 'https://foo.com/a');
  assert.equal(locationOf(0), 'https://foo.com/a');
  assert.equal(locationOf(9443, { https_port: 8443 }), 'https://foo.com:8443/a');
  assert.equal(locationOf(9443, { https_port: 443 }), 'https://foo.com/a');
  assert.equal(locationOf(9443, {}), 'https://foo.com:9443/a');
  const proxied: HeaderLines = [
    ['X-Forwarded-Proto', 'http'],
    ['X-Forwarded-Port', '80'],
  ];
  assert.equal(locationOf(9443, undefined, proxied), 'https://foo.com/a');
  assert.equal(locationOf(9443, { https_port: 8443 }, proxied), 'https://foo.com:8443/a');
});

test('http_to_https escapes the path on demand', () => {
  assert.equal(locationFor({ http_to_https: true }, { target: '/a%20b?c=%20' }), 'https://gateway.test/a b?c=%20');
  assert.equal(locationFor({ http_to_https: true, encode_uri: true }, { target: '/a%20b?c=%20' }), 'https://gateway.test/a%20b?c=%20');
});

test('a request that names no host cannot be sent to https', () => {
  const answer = answerTo({ http_to_https: true }, { minorVersion: 0, headers: [['Host', '']] });
  assert.deepEqual([answer?.status, answer?.reason], [400, 'bad_host']);
});

test('the limits of the configuration are those of APISIX, and statuses end with 599', () => {
  const errorOf = (configuration: JsonObject) => configurationError(redirectSchema, configuration);
  for (const configuration of [
    { uri: '/a' },
    { regex_uri: ['a', 'b'] },
    { http_to_https: true },
    { uri: '/a', ret_code: 599, encode_uri: true },
  ]) {
    assert.equal(errorOf(configuration), '');
  }
  const either = /doesn't match exactly one schema/;
  assert.match(errorOf({}), either);
  assert.match(errorOf({ uri: '/a', http_to_https: true }), either);
  assert.match(errorOf({ uri: '/a', regex_uri: ['a', 'b'] }), either);
  assert.match(errorOf({ uri: '/' }), /minimum string length is 2/);
  for (const code of [199, 600, 301.5]) assert.match(errorOf({ uri: '/a', ret_code: code }), /redirect\/ret_code"/);
  const badRules: readonly JsonValue[] = [['a'], ['a', 'b', 'c'], ['a', 1], 'a'];
  for (const rule of badRules) assert.match(errorOf({ regex_uri: rule }), /redirect\/regex_uri/);
  for (const name of ['http_to_https', 'encode_uri', 'append_query_string'])
    assert.match(errorOf({ uri: '/a', [name]: 'yes' }), /must be a boolean/);
  assert.equal(
    errorOf({ http_to_https: true, append_query_string: true }),
    'Error at "/plugins/redirect": only one of `http_to_https` and `append_query_string` can be configured.',
  );
  assert.match(
    errorOf({ regex_uri: ['^/test/(', '/$1'] }),
    /^Error at "\/plugins\/redirect\/regex_uri\/0": invalid regex_uri \(\^\/test\/\(, \/\$1\), err:./,
  );
});

test('the example of the page works', async () => {
  const [example] = await readExamples(import.meta.dirname);
  const configuration = exampleOf(example, 'redirect');
  assert.equal(configurationError(redirectSchema, configuration), '');
  const answer = answerTo(configuration, { target: '/v1/orders/7?full=1' });
  assert.deepEqual([answer?.status, answer?.headers.at(-1)?.[1]], [308, '/v2/orders/7?full=1']);
});
