import assert from 'node:assert/strict';
import test from 'node:test';
import { readPageExamples } from '../../../test-support/curl-example.ts';
import { type AnyPlugin, definePlugin, type JsonObject, refuse, respond, Type, validatePlugins } from '../../plugin-kit/index.ts';
import {
  configurationError,
  createPlugin,
  type HeaderLines,
  runPhase,
  runPhaseAtOnce,
  type TestConsumer,
  TestRequest,
  testSetup,
} from '../../plugin-kit/testing/index.ts';
import { basicAuth } from '../basic-auth/plugin.ts';
import { hmacAuth } from '../hmac-auth/plugin.ts';
import { digestOf, signedHeaders } from '../hmac-auth/testing/sign-request.ts';
import { jwtAuth } from '../jwt-auth/plugin.ts';
import { makeToken } from '../jwt-auth/testing/make-token.ts';
import { keyAuth } from '../key-auth/plugin.ts';
import { multiAuth } from './plugin.ts';
import { multiAuthSchema } from './schema.ts';

/** A plugin that does not authenticate. */
const other = definePlugin<JsonObject, undefined>({
  name: 'other',
  version: '1',
  priority: 1,
  type: 'other',
  schema: Type.Object({}),
  secretFields: [],
  identityHeaders: [],
  create: () => undefined,
  phases: {},
});

const SUB_PLUGINS: readonly AnyPlugin[] = [multiAuth, basicAuth, keyAuth, jwtAuth, hmacAuth, other];

const CONSUMERS: readonly TestConsumer[] = [
  { username: 'jack', credentials: [{ id: 'password', plugin: basicAuth, configuration: { username: 'jack', password: 'right' } }] },
  { username: 'jill', credentials: [{ id: 'key', plugin: keyAuth, configuration: { key: 'right' } }] },
  { username: 'jane', credentials: [{ id: 'token', plugin: jwtAuth, configuration: { key: 'jane', secret: 'right secret' } }] },
  { username: 'june', credentials: [{ id: 'hmac', plugin: hmacAuth, configuration: { key_id: 'jack-key', secret_key: 'right secret' } }] },
  { username: 'guest' },
];

const BASIC = (text: string): readonly [string, string] => ['Authorization', `Basic ${Buffer.from(text).toString('base64')}`];

function requestWith(headers: HeaderLines, body?: string): TestRequest {
  return new TestRequest({ headers, consumers: CONSUMERS, ...(body === undefined ? {} : { body, method: 'POST' }) });
}

function multi(auth_plugins: readonly JsonObject[], plugins: readonly AnyPlugin[] = SUB_PLUGINS) {
  return createPlugin(multiAuth, { auth_plugins }, testSetup({ plugins }));
}

async function assertPasses(request: TestRequest, authPlugins: readonly JsonObject[], username: string): Promise<void> {
  assert.equal(await runPhase(multi(authPlugins), 'rewrite', request), undefined);
  assert.equal(request.consumer?.username, username);
}

async function assertRefused(request: TestRequest, authPlugins: readonly JsonObject[], challenge: string | undefined): Promise<void> {
  const sent = request.upstreamHead();
  const answer = await runPhase(multi(authPlugins), 'rewrite', request);
  assert.equal(answer?.status, 401);
  assert.equal(answer.body, '{"message":"Authorization Failed"}\n');
  const challenges = challenge === undefined ? [] : [['WWW-Authenticate', challenge]];
  assert.deepEqual(answer.headers, [['Content-Type', 'text/plain; charset=utf-8'], ...challenges]);
  assert.equal(answer.reason, 'authorization_failed');
  assert.equal(request.consumer, undefined);
  assert.deepEqual(request.upstreamHead(), sent, 'a refused request stays as it was');
}

const ALL = [
  { 'basic-auth': {} },
  { 'key-auth': {} },
  { 'jwt-auth': { header: 'x-token' } },
  { 'hmac-auth': { validate_request_body: true } },
];

test('each of the plugins lets its own clients in', async () => {
  await assertPasses(requestWith([BASIC('jack:right')]), ALL, 'jack');
  await assertPasses(requestWith([['apikey', 'right']]), ALL, 'jill');
  await assertPasses(requestWith([['x-token', makeToken({ key: 'jane' })]]), ALL, 'jane');
  await assertPasses(requestWith(signedHeaders({ headers: [digestOf('body')] }), 'body'), ALL, 'june');
});

test('the first success ends it and decides the consumer', async () => {
  const both = (): TestRequest => requestWith([BASIC('jack:right'), ['apikey', 'right']]);
  await assertPasses(both(), [{ 'basic-auth': {} }, { 'key-auth': {} }], 'jack');
  await assertPasses(both(), [{ 'key-auth': {} }, { 'basic-auth': {} }], 'jill');
  const untried = [{ 'basic-auth': {} }, { 'hmac-auth': { validate_request_body: true } }];
  const request = requestWith([BASIC('jack:right')], 'body');
  await assertPasses(request, untried, 'jack');
  assert.deepEqual(request.bodyReads, []);
});

test('when all fail the answer is 401 with the challenge of the last', async () => {
  const basic = 'Basic realm="basic"';
  await assertRefused(requestWith([]), [{ 'key-auth': {} }, { 'basic-auth': {} }], basic);
  await assertRefused(requestWith([]), [{ 'basic-auth': {} }, { 'key-auth': { realm: 'orders' } }], 'apikey realm="orders"');
  await assertRefused(requestWith([BASIC('jack:wrong'), ['apikey', 'wrong']]), ALL, 'hmac realm="hmac"');
  await assertRefused(
    requestWith([]),
    [
      { 'key-auth': {}, 'basic-auth': {} },
      { 'jwt-auth': {}, 'hmac-auth': {} },
    ],
    'hmac realm="hmac"',
  );
});

test('a plugin that answers something else than 401 has failed like the others, and the challenge before it stands', async () => {
  const tooLarge = { 'hmac-auth': { validate_request_body: true, max_req_body_size: 1 } };
  const post = (more: HeaderLines = []): TestRequest => requestWith([...signedHeaders({ headers: [digestOf('body')] }), ...more], 'body');
  await assertRefused(post(), [{ 'key-auth': {} }, tooLarge], 'apikey realm="key"');
  await assertRefused(post(), [tooLarge, { 'key-auth': {} }], 'apikey realm="key"');
  await assertRefused(post(), [tooLarge, tooLarge], undefined);
  await assertPasses(post([['apikey', 'right']]), [tooLarge, { 'key-auth': {} }], 'jill');
});

test('a plugin that fails leaves the request as it was for the next, whatever it is to hide', async () => {
  const hiding = [{ 'jwt-auth': { hide_credentials: true } }, { 'hmac-auth': { hide_credentials: true } }, { 'basic-auth': {} }];
  const request = requestWith([BASIC('jack:right')]);
  await assertPasses(request, hiding, 'jack');
  assert.equal(request.header('authorization'), BASIC('jack:right')[1]);
  const hidden = requestWith([BASIC('jack:right')]);
  await assertPasses(hidden, [{ 'jwt-auth': {} }, { 'basic-auth': { hide_credentials: true } }], 'jack');
  assert.equal(hidden.header('authorization'), undefined);
});

test('an anonymous consumer of the last plugin stands in for all', async () => {
  const plugins = [{ 'basic-auth': {} }, { 'key-auth': { anonymous_consumer: 'guest' } }];
  await assertPasses(requestWith([]), plugins, 'guest');
  await assertPasses(requestWith([BASIC('jack:wrong')]), plugins, 'guest');
  await assertPasses(requestWith([BASIC('jack:right')]), plugins, 'jack');
  await assertRefused(requestWith([]), [{ 'basic-auth': {} }, { 'key-auth': { anonymous_consumer: 'x' } }], 'apikey realm="key"');
});

test('it decides at once as long as no plugin has to wait', () => {
  assert.equal(runPhaseAtOnce(multi(ALL), 'rewrite', requestWith([['apikey', 'right']])), undefined);
  assert.equal(runPhaseAtOnce(multi(ALL), 'rewrite', requestWith([]))?.status, 401);
});

test('a plugin that is switched off or filtered out is no success', async () => {
  const off = { 'key-auth': { _meta: { disable: true } } };
  const filtered = { 'key-auth': { _meta: { filter: [['http_x_internal', '==', 'yes']] } } };
  const key: HeaderLines = [['apikey', 'right']];
  await assertRefused(requestWith(key), [off, off], undefined);
  await assertRefused(requestWith(key), [off, { 'basic-auth': {} }], 'Basic realm="basic"');
  await assertRefused(requestWith(key), [filtered, { 'basic-auth': {} }], 'Basic realm="basic"');
  await assertPasses(requestWith([...key, ['X-Internal', 'yes']]), [filtered, { 'basic-auth': {} }], 'jill');
});

test('multi-auth may stand in multi-auth', async () => {
  const inner = { 'multi-auth': { auth_plugins: [{ 'key-auth': {} }, { 'basic-auth': {} }] } };
  await assertPasses(requestWith([BASIC('jack:right')]), [{ 'jwt-auth': { header: 'x' } }, inner], 'jack');
  await assertRefused(requestWith([]), [{ 'jwt-auth': {} }, inner], 'Basic realm="basic"');
});

test('a plugin that throws or rejects fails the request, and lets nobody in', async () => {
  const failing = (rewrite: () => undefined | Promise<undefined>): AnyPlugin => ({ ...keyAuth, phases: { rewrite } });
  const throwing = failing(() => {
    throw new Error('broken');
  });
  const rejecting = failing(() => Promise.reject(new Error('broken')));
  for (const broken of [throwing, rejecting]) {
    const instance = multi([{ 'key-auth': {} }, { 'basic-auth': {} }], [broken, basicAuth]);
    await assert.rejects(async () => runPhase(instance, 'rewrite', requestWith([BASIC('jack:right')])), /broken/);
  }
});

test('an answer of any kind is a failure, and of its headers only the challenge is passed on', async () => {
  const answering = (answer: ReturnType<typeof respond>): AnyPlugin => ({ ...keyAuth, phases: { rewrite: () => answer } });
  const plugins = [{ 'key-auth': {} }, { 'key-auth': {} }];
  const answers = [respond(200, 'fine', [['Set-Cookie', 'a=b'], ['www-authenticate', 'Own']]), refuse('key_missing', { headers: [['www-authenticate', 'Own']] })]; // biome-ignore format: answers
  for (const answer of answers) {
    const refusal = await runPhase(multi(plugins, [answering(answer)]), 'rewrite', requestWith([]));
    assert.equal(refusal?.status, 401);
    assert.deepEqual(refusal.headers, [['Content-Type', 'text/plain; charset=utf-8'], ['www-authenticate', 'Own']]); // biome-ignore format: headers
  }
});

test('a plugin that fails without a challenge leaves that of the one before it', async () => {
  const silent: AnyPlugin = { ...keyAuth, phases: { rewrite: () => refuse('consumer_forbidden') } };
  const instance = multi([{ 'basic-auth': {} }, { 'key-auth': {} }], [basicAuth, silent]);
  const refusal = await runPhase(instance, 'rewrite', requestWith([]));
  assert.equal(refusal?.status, 401);
  assert.deepEqual(refusal.headers[1], ['WWW-Authenticate', 'Basic realm="basic"']);
});

const errorOf = (configuration: JsonObject): string => configurationError(multiAuthSchema, configuration, 'route', SUB_PLUGINS);
const at = (pointer: string, message: string): string => `Error at "/plugins/multi-auth${pointer}": ${message}`;

test('at least two plugins are needed, each by its name', () => {
  assert.equal(errorOf({ auth_plugins: ALL }), '');
  assert.equal(errorOf({ auth_plugins: [{ 'key-auth': {}, 'basic-auth': {} }, { 'jwt-auth': {} }] }), '');
  assert.equal(errorOf({}), at('/auth_plugins', 'property "auth_plugins" is missing'));
  assert.equal(errorOf({ auth_plugins: {} }), at('/auth_plugins', 'value must be an array'));
  assert.equal(errorOf({ auth_plugins: [{ 'key-auth': {} }] }), at('/auth_plugins', 'minimum number of items is 2'));
  assert.equal(errorOf({ auth_plugins: [{ 'key-auth': {} }, 'basic-auth'] }), at('/auth_plugins/1', 'value must be an object'));
  assert.equal(errorOf({ auth_plugins: [{ 'key-auth': {} }, {}] }), at('/auth_plugins/1', 'there must be at least 1 properties'));
});

test('what cannot be tried is refused with the words of APISIX', () => {
  const withSecond = (second: JsonObject): string => errorOf({ auth_plugins: [{ 'key-auth': {} }, second] });
  assert.equal(withSecond({ 'no-auth': {} }), at('/auth_plugins/1/no-auth', 'no-auth plugin did not found'));
  assert.equal(withSecond({ constructor: {} }), at('/auth_plugins/1/constructor', 'constructor plugin did not found'));
  assert.equal(withSecond({ other: {} }), at('/auth_plugins/1/other', 'other plugin is not supported'));
  assert.equal(
    withSecond({ 'basic-auth': { realm: '' } }).split('; ')[0],
    at('/auth_plugins/1/basic-auth/realm', 'plugin basic-auth check schema failed: minimum string length is 1'),
  );
  assert.equal(
    withSecond({ 'basic-auth': 1 }),
    at('/auth_plugins/1/basic-auth', 'plugin basic-auth check schema failed: value must be an object'),
  );
  assert.equal(
    withSecond({ 'basic-auth': { _meta: { priority: 'x' } } }),
    at('/auth_plugins/1/basic-auth/_meta/priority', 'plugin basic-auth check schema failed: value must be an integer'),
  );
  assert.equal(
    withSecond({ 'multi-auth': { auth_plugins: [] } }),
    at('/auth_plugins/1/multi-auth/auth_plugins', 'plugin multi-auth check schema failed: minimum number of items is 2'),
  );
  const long = 'x'.repeat(300);
  assert.ok(withSecond({ [long]: {} }).length < 400);
});

test('nested configurations are those of a route, wherever multi-auth stands', () => {
  const plugins = { 'multi-auth': { auth_plugins: [{ 'key-auth': {} }, { 'basic-auth': {} }] } };
  for (const site of ['route', 'service', 'global_rule', 'consumer'] as const)
    assert.deepEqual(validatePlugins(plugins, site, SUB_PLUGINS), []);
  assert.match(
    configurationError(multiAuthSchema, { auth_plugins: ALL }, 'credential', SUB_PLUGINS),
    /only supports auth type plugins in consumer credential/,
  );
});

test('the examples of the page on multi-auth work', async () => {
  const { json, requests } = (await readPageExamples(import.meta.dirname)) ?? assert.fail();
  const configured = (document: JsonObject | undefined, name: string): JsonObject => JSON.parse(JSON.stringify(document?.plugins))[name];
  const [route, password, key] = json;
  assert.deepEqual(validatePlugins(route?.plugins, 'route', SUB_PLUGINS), []);
  const credentials = [
    { plugin: basicAuth, configuration: configured(password, 'basic-auth') },
    { plugin: keyAuth, configuration: configured(key, 'key-auth') },
  ];
  const instance = createPlugin(multiAuth, configured(route, 'multi-auth'), testSetup({ plugins: SUB_PLUGINS }));
  assert.equal(requests.length, 2);
  for (const sent of requests) {
    const request = new TestRequest({ ...sent, consumers: [{ username: 'jack', credentials }] });
    assert.equal(runPhaseAtOnce(instance, 'rewrite', request), undefined);
    assert.equal(request.consumer?.username, 'jack');
  }
});
