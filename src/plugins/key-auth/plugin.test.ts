import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import type { JsonObject } from '../../lib/json.ts';
import {
  type ConsumerMatch,
  instantiatePlugin,
  type QueryArgument,
  type RequestView,
  readPlugin,
  validatePlugins,
} from '../../plugin-kit/index.ts';
import { formatIssues, type PluginSite } from '../../schema/index.ts';
import { PLUGINS } from '../index.ts';
import { PLUGIN_SCHEMAS } from '../schemas.ts';
import { keyAuth } from './plugin.ts';

const JACK: ConsumerMatch = { username: 'jack', customId: '42', credentialId: 'laptop' };
const GUEST: ConsumerMatch = { username: 'guest', customId: undefined, credentialId: undefined };

/** A request made of header lines and query arguments, that remembers what a plugin did to it. */
class FakeRequest implements RequestView {
  readonly method = 'GET';
  readonly path = '/orders';
  readonly edits: string[] = [];
  attached: ConsumerMatch | undefined;
  readonly #headers: readonly (readonly [string, string])[];
  readonly #query: readonly (readonly [string, string | true])[];

  constructor(headers: readonly (readonly [string, string])[], query: readonly (readonly [string, string | true])[] = []) {
    this.#headers = headers;
    this.#query = query;
  }

  header(lowerCaseName: string): string | undefined {
    return this.#headers.find(([name]) => name.toLowerCase() === lowerCaseName)?.[1];
  }

  queryArgument(name: string): QueryArgument {
    const values = this.#query.filter(([argument]) => argument === name).map(([, value]) => value);
    const [value] = values;
    if (value === undefined) return { kind: 'absent' };
    if (values.length > 1) return { kind: 'repeated' };
    return value === true ? { kind: 'flag' } : { kind: 'single', value };
  }

  removeHeader(lowerCaseName: string): void {
    this.edits.push(`header ${lowerCaseName}`);
  }

  setHeader(name: string): void {
    this.edits.push(`set ${name}`);
  }

  removeQueryArgument(name: string): void {
    this.edits.push(`query ${name}`);
  }

  findConsumerByKey(plugin: string, key: string): ConsumerMatch | undefined {
    return plugin === 'key-auth' && (key === 'right' || key === '') ? JACK : undefined;
  }

  findConsumerByName(username: string): ConsumerMatch | undefined {
    return username === 'guest' ? GUEST : undefined;
  }

  attachConsumer(consumer: ConsumerMatch): void {
    this.attached = consumer;
  }
}

function answerTo(request: RequestView, configuration: JsonObject = {}) {
  const result = instantiatePlugin(keyAuth, readPlugin(keyAuth, configuration)).rewrite?.(request);
  assert.ok(!(result instanceof Promise), 'key-auth decides at once');
  return result;
}

function assertPasses(request: FakeRequest, configuration: JsonObject, consumer: ConsumerMatch, edits: readonly string[]): void {
  assert.equal(answerTo(request, configuration), undefined);
  assert.equal(request.attached, consumer);
  assert.deepEqual(request.edits, edits);
}

function assertRefused(request: FakeRequest, message: string, configuration: JsonObject = {}, realm = 'key'): void {
  const answer = answerTo(request, configuration);
  assert.equal(answer?.status, 401);
  assert.equal(answer.body, `{"message":"${message}"}\n`);
  assert.deepEqual(answer.headers, [
    ['Content-Type', 'text/plain; charset=utf-8'],
    ['WWW-Authenticate', `apikey realm="${realm}"`],
  ]);
  assert.equal(request.attached, undefined);
  assert.deepEqual(request.edits, []);
}

const MISSING = 'Missing API key in request';
const INVALID = 'Invalid API key in request';
const NO_ANONYMOUS = 'Invalid user authorization';

test('a right key in the header or in the query lets the request pass with its consumer, and changes nothing else', () => {
  assertPasses(new FakeRequest([['apikey', 'right']]), {}, JACK, []);
  assertPasses(new FakeRequest([['APIKEY', 'right']]), {}, JACK, []);
  assertPasses(new FakeRequest([], [['apikey', 'right']]), {}, JACK, []);
});

test('without a key the request is refused as missing one', () => {
  assertRefused(new FakeRequest([]), MISSING);
  assertRefused(new FakeRequest([['authorization', 'right']], [['key', 'right']]), MISSING);
});

test('a wrong key is refused, and the comparison is exact', () => {
  for (const key of ['wrong', 'RIGHT', ' right', 'right ', 'Bearer right']) {
    assertRefused(new FakeRequest([['apikey', key]]), INVALID);
    assertRefused(new FakeRequest([], [['apikey', key]]), INVALID);
  }
});

test('the header comes first, even when it is wrong', () => {
  assertPasses(new FakeRequest([['apikey', 'right']], [['apikey', 'wrong']]), {}, JACK, []);
  assertRefused(new FakeRequest([['apikey', 'wrong']], [['apikey', 'right']]), INVALID);
});

test('an empty key counts as present and is never right, whatever the index says', () => {
  assertRefused(new FakeRequest([['apikey', '']], [['apikey', 'right']]), INVALID);
  assertRefused(new FakeRequest([], [['apikey', '']]), INVALID);
});

test('of several equal headers the first counts', () => {
  assertPasses(new FakeRequest([['apikey', 'right'], ['Apikey', 'wrong']]), {}, JACK, []); // biome-ignore format: one request a line
  assertRefused(new FakeRequest([['apikey', 'wrong'], ['apikey', 'right']]), INVALID); // biome-ignore format: one request a line
});

test('a query argument that is repeated or has no value is an invalid key', () => {
  assertRefused(new FakeRequest([], [['apikey', 'right'], ['apikey', 'right']]), INVALID); // biome-ignore format: one request a line
  assertRefused(new FakeRequest([], [['apikey', true]]), INVALID);
});

test('header and query argument can be named', () => {
  const configuration = { header: 'X-Key', query: 'k' };
  assertPasses(new FakeRequest([['x-key', 'right']]), configuration, JACK, []);
  assertPasses(new FakeRequest([], [['k', 'right']]), configuration, JACK, []);
  assertRefused(new FakeRequest([['apikey', 'right']], [['apikey', 'right']]), MISSING, configuration);
});

test('the realm stands in the challenge', () => {
  assertRefused(new FakeRequest([]), MISSING, { realm: 'orders' }, 'orders');
  assertRefused(new FakeRequest([['apikey', 'wrong']]), INVALID, { realm: 'orders' }, 'orders');
});

test('hide_credentials hides the place that was used and leaves the other', () => {
  const configuration = { hide_credentials: true, header: 'X-Key' };
  assertPasses(new FakeRequest([['X-Key', 'right']], [['apikey', 'right']]), configuration, JACK, ['header x-key']);
  assertPasses(new FakeRequest([], [['apikey', 'right']]), configuration, JACK, ['query apikey']);
  assertRefused(new FakeRequest([['X-Key', 'wrong']]), INVALID, configuration);
});

test('the anonymous consumer stands in for a missing and for a wrong key', () => {
  const configuration = { anonymous_consumer: 'guest' };
  assertPasses(new FakeRequest([]), configuration, GUEST, []);
  assertPasses(new FakeRequest([['apikey', 'wrong']]), configuration, GUEST, []);
  assertPasses(new FakeRequest([], [['apikey', true]]), configuration, GUEST, []);
  assertPasses(new FakeRequest([['apikey', 'right']]), configuration, JACK, []);
});

test('an anonymous request with hide_credentials loses both places', () => {
  const configuration = { anonymous_consumer: 'guest', hide_credentials: true };
  assertPasses(new FakeRequest([['apikey', 'wrong']]), configuration, GUEST, ['header apikey', 'query apikey']);
});

test('an anonymous consumer that does not exist lets nobody in', () => {
  const configuration = { anonymous_consumer: 'nobody', hide_credentials: true };
  assertRefused(new FakeRequest([]), NO_ANONYMOUS, configuration);
  assertRefused(new FakeRequest([['apikey', 'wrong']]), NO_ANONYMOUS, configuration);
  assertPasses(new FakeRequest([['apikey', 'right']]), configuration, JACK, ['header apikey']);
});

test('error_response replaces the text, not the challenge', () => {
  const answer = answerTo(new FakeRequest([]), { _meta: { error_response: { error: 'ask for a key' } } });
  assert.equal(answer?.body, '{"error":"ask for a key"}\n');
  assert.equal(answer.headers[1]?.[0], 'WWW-Authenticate');
  assert.equal(answer.reason, 'key_missing');
});

test('a switched-off key-auth lets every request through untouched', () => {
  assert.equal(instantiatePlugin(keyAuth, readPlugin(keyAuth, { _meta: { disable: true } })).rewrite, undefined);
});

function errorOf(configuration: JsonObject, site: PluginSite): string {
  return formatIssues(validatePlugins({ 'key-auth': configuration }, site, PLUGIN_SCHEMAS));
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
  assertPasses(new FakeRequest([]), route.plugins['key-auth'], GUEST, ['header apikey', 'query apikey']);
});

test('the list of schemas and the list of plugins name the same plugins, each once', () => {
  const names = PLUGIN_SCHEMAS.map((schema) => schema.name);
  assert.deepEqual(
    PLUGINS.map((plugin) => plugin.name),
    names,
  );
  assert.equal(new Set(names).size, names.length);
});
