import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { type JsonObject, type PluginSite, validatePlugins } from '../../plugin-kit/index.ts';
import {
  configurationError,
  createPlugin,
  type HeaderLines,
  runPhaseAtOnce,
  type TestConsumer,
  TestRequest,
} from '../../plugin-kit/testing/index.ts';
import { PLUGINS } from '../index.ts';
import { PLUGIN_SCHEMAS } from '../schemas.ts';
import { keyAuth } from './plugin.ts';
import { keyAuthSchema } from './schema.ts';

const CONSUMERS: readonly TestConsumer[] = [
  {
    username: 'jack',
    labels: { custom_id: '42' },
    credentials: [{ id: 'laptop', plugin: keyAuthSchema, configuration: { key: 'right' } }],
  },
  { username: 'guest' },
];

const JACK = ['jack', 'laptop', '42'];
const GUEST = ['guest', undefined, undefined];

/** A request with these headers and this query. */
function requestWith(headers: HeaderLines, query = ''): TestRequest {
  return new TestRequest({ target: query === '' ? '/orders' : `/orders?${query}`, headers, consumers: CONSUMERS });
}

function answerTo(request: TestRequest, configuration: JsonObject = {}) {
  return runPhaseAtOnce(createPlugin(keyAuth, configuration), 'rewrite', request);
}

/** `left`: what the upstream gets of the client's query and headers. */
function assertPasses(
  request: TestRequest,
  configuration: JsonObject,
  consumer: readonly unknown[],
  left?: { readonly target?: string; readonly headers?: readonly string[] },
): void {
  const sent = request.upstreamHead();
  assert.equal(answerTo(request, configuration), undefined);
  assert.deepEqual([request.consumer?.username, request.consumer?.credentialId, request.consumer?.customId], consumer);
  const head = request.upstreamHead();
  assert.equal(head.target, left?.target ?? sent.target);
  const isOwn = (name: string): boolean => /^x-(consumer|credential)-/i.test(name);
  assert.deepEqual(
    head.headers.map(([name]) => name).filter((name) => !isOwn(name)),
    left?.headers ?? sent.headers.map(([name]) => name),
  );
}

function assertRefused(request: TestRequest, message: string, configuration: JsonObject = {}, realm = 'key'): void {
  const sent = request.upstreamHead();
  const answer = answerTo(request, configuration);
  assert.equal(answer?.status, 401);
  assert.equal(answer.body, `{"message":"${message}"}\n`);
  assert.deepEqual(answer.headers, [
    ['Content-Type', 'text/plain; charset=utf-8'],
    ['WWW-Authenticate', `apikey realm="${realm}"`],
  ]);
  assert.equal(request.consumer, undefined);
  assert.deepEqual(request.upstreamHead(), sent);
}

const MISSING = 'Missing API key in request';
const INVALID = 'Invalid API key in request';
const NO_ANONYMOUS = 'Invalid user authorization';

test('a right key in the header or in the query lets the request pass with its consumer, and changes nothing else', () => {
  assertPasses(requestWith([['apikey', 'right']]), {}, JACK);
  assertPasses(requestWith([['APIKEY', 'right']]), {}, JACK);
  assertPasses(requestWith([], 'apikey=right'), {}, JACK);
});

test('without a key the request is refused as missing one', () => {
  assertRefused(requestWith([]), MISSING);
  assertRefused(requestWith([['authorization', 'right']], 'key=right'), MISSING);
});

test('a wrong key is refused, and the comparison is exact', () => {
  for (const key of ['wrong', 'RIGHT', ' right', 'right ', 'Bearer right']) {
    assertRefused(requestWith([['apikey', key]]), INVALID);
    assertRefused(requestWith([], `apikey=${encodeURIComponent(key)}`), INVALID);
  }
});

test('the header comes first, even when it is wrong', () => {
  assertPasses(requestWith([['apikey', 'right']], 'apikey=wrong'), {}, JACK);
  assertRefused(requestWith([['apikey', 'wrong']], 'apikey=right'), INVALID);
});

test('an empty key counts as present and is never right, whatever the index says', () => {
  for (const request of [requestWith([['apikey', '']], 'apikey=right'), requestWith([], 'apikey=')]) {
    request.findConsumerByKey = () => request.findConsumerByName('jack');
    assertRefused(request, INVALID);
  }
});

test('of several equal headers the first counts', () => {
  assertPasses(requestWith([['apikey', 'right'], ['Apikey', 'wrong']]), {}, JACK); // biome-ignore format: one request a line
  assertRefused(requestWith([['apikey', 'wrong'], ['apikey', 'right']]), INVALID); // biome-ignore format: one request a line
});

test('a query argument that is repeated or has no value is an invalid key', () => {
  assertRefused(requestWith([], 'apikey=right&apikey=right'), INVALID);
  assertRefused(requestWith([], 'apikey'), INVALID);
});

test('header and query argument can be named', () => {
  const configuration = { header: 'X-Key', query: 'k' };
  assertPasses(requestWith([['x-key', 'right']]), configuration, JACK);
  assertPasses(requestWith([], 'k=right'), configuration, JACK);
  assertRefused(requestWith([['apikey', 'right']], 'apikey=right'), MISSING, configuration);
});

test('the realm stands in the challenge', () => {
  assertRefused(requestWith([]), MISSING, { realm: 'orders' }, 'orders');
  assertRefused(requestWith([['apikey', 'wrong']]), INVALID, { realm: 'orders' }, 'orders');
});

test('hide_credentials hides the place that was used and leaves the other', () => {
  const configuration = { hide_credentials: true, header: 'X-Key' };
  assertPasses(requestWith([['X-Key', 'right']], 'apikey=right'), configuration, JACK, { headers: ['Host'] });
  assertPasses(requestWith([], 'apikey=right'), configuration, JACK, { target: '/orders' });
  assertRefused(requestWith([['X-Key', 'wrong']]), INVALID, configuration);
});

test('the anonymous consumer stands in for a missing and for a wrong key', () => {
  const configuration = { anonymous_consumer: 'guest' };
  assertPasses(requestWith([]), configuration, GUEST);
  assertPasses(requestWith([['apikey', 'wrong']]), configuration, GUEST);
  assertPasses(requestWith([], 'apikey'), configuration, GUEST);
  assertPasses(requestWith([['apikey', 'right']]), configuration, JACK);
});

test('an anonymous request with hide_credentials loses both places', () => {
  const configuration = { anonymous_consumer: 'guest', hide_credentials: true };
  assertPasses(requestWith([['apikey', 'wrong']], 'apikey=worse'), configuration, GUEST, { headers: ['Host'], target: '/orders' });
});

test('an anonymous consumer that does not exist lets nobody in', () => {
  const configuration = { anonymous_consumer: 'nobody', hide_credentials: true };
  assertRefused(requestWith([]), NO_ANONYMOUS, configuration);
  assertRefused(requestWith([['apikey', 'wrong']]), NO_ANONYMOUS, configuration);
  assertPasses(requestWith([['apikey', 'right']]), configuration, JACK, { headers: ['Host'] });
});

test('error_response replaces the text, not the challenge', () => {
  const answer = answerTo(requestWith([]), { _meta: { error_response: { error: 'ask for a key' } } });
  assert.equal(answer?.body, '{"error":"ask for a key"}\n');
  assert.equal(answer.headers[1]?.[0], 'WWW-Authenticate');
  assert.equal(answer.reason, 'key_missing');
});

test('a switched-off key-auth lets every request through untouched', () => {
  assert.equal(createPlugin(keyAuth, { _meta: { disable: true } }).rewrite, undefined);
});

function errorOf(configuration: JsonObject, site: PluginSite): string {
  return configurationError(keyAuthSchema, configuration, site);
}

test('the limits of the configuration are those of API7', () => {
  const good: readonly JsonObject[] = [{}, { header: '', query: '' }, { realm: 'a!#[]~ z' }, { realm: 'x'.repeat(128) }, { other: 1 }];
  for (const configuration of good) assert.equal(errorOf(configuration, 'route'), '');
  const bad: readonly JsonObject[] = [
    { header: 1 },
    { query: null },
    { hide_credentials: 'yes' },
    { anonymous_consumer: '' },
    { realm: '' },
    { realm: 'x'.repeat(129) },
    { realm: 'a"b' },
    { realm: 'a\\b' },
    { realm: 'a\r\nX: y' },
    { realm: 'ä' },
  ];
  for (const configuration of bad) assert.match(errorOf(configuration, 'service'), /^Error at "\/plugins\/key-auth\/[a-z_]+": /);
});

test('a credential needs a key of at least one character', () => {
  assert.equal(errorOf({ key: 'k' }, 'credential'), '');
  assert.equal(errorOf({}, 'credential'), 'Error at "/plugins/key-auth/key": property "key" is missing');
  assert.equal(errorOf({ key: '' }, 'consumer'), 'Error at "/plugins/key-auth/key": minimum string length is 1');
  assert.equal(errorOf({ key: 1 }, 'credential'), 'Error at "/plugins/key-auth/key": value must be a string');
});

test('the examples of the page on key-auth are valid', async () => {
  const page = await readFile(path.join(import.meta.dirname, 'README.md'), 'utf8');
  const blocks = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map((match) => JSON.parse(match[1] ?? ''));
  assert.equal(blocks.length, 2);
  const [route, credential] = blocks;
  assert.deepEqual(validatePlugins(route.plugins, 'route', PLUGIN_SCHEMAS), []);
  assert.deepEqual(validatePlugins(credential.plugins, 'credential', PLUGIN_SCHEMAS), []);
  assertPasses(requestWith([['apikey', 'wrong']], 'apikey=worse'), route.plugins['key-auth'], GUEST, {
    headers: ['Host'],
    target: '/orders',
  });
});

test('the list of schemas and the list of plugins name the same plugins, each once', () => {
  const names = PLUGIN_SCHEMAS.map((schema) => schema.name);
  assert.deepEqual(
    PLUGINS.map((plugin) => plugin.name),
    names,
  );
  assert.equal(new Set(names).size, names.length);
});
