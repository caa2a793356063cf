import assert from 'node:assert/strict';
import test from 'node:test';
import { readPageExamples } from '../../../test-support/curl-example.ts';
import { describeSecrets, type JsonObject, validatePlugins } from '../../plugin-kit/index.ts';
import {
  configurationError,
  createPlugin,
  runPhaseAtOnce,
  type TestConsumer,
  TestRequest,
  testDigest,
} from '../../plugin-kit/testing/index.ts';
import { basicAuth } from './plugin.ts';
import { basicAuthSchema } from './schema.ts';

function consumer(username: string, password: string): TestConsumer {
  return {
    username: 'jack',
    labels: { custom_id: '42' },
    credentials: [{ id: 'office', plugin: basicAuthSchema, configuration: { username, password } }],
  };
}

const GUEST: TestConsumer = { username: 'guest' };
const CONSUMERS = [consumer('jack', 'right'), GUEST];
const JACK = ['jack', 'office', '42'];
const ANONYMOUS = ['guest', undefined, undefined];

const MISSING = 'Missing authorization in request';
const MALFORMED = 'Invalid authorization in request';
const INVALID = 'Invalid user authorization';

function basic(text: string): string {
  return `Basic ${Buffer.from(text, 'utf8').toString('base64')}`;
}

function requestWith(authorization: string | undefined, consumers: readonly TestConsumer[] = CONSUMERS): TestRequest {
  return new TestRequest({ headers: authorization === undefined ? [] : [['Authorization', authorization]], consumers });
}

function answerTo(request: TestRequest, configuration: JsonObject = {}) {
  return runPhaseAtOnce(createPlugin(basicAuth, configuration), 'rewrite', request);
}

function assertPasses(request: TestRequest, configuration: JsonObject = {}, expected: readonly unknown[] = JACK): void {
  assert.equal(answerTo(request, configuration), undefined);
  assert.deepEqual([request.consumer?.username, request.consumer?.credentialId, request.consumer?.customId], expected);
}

function assertRefused(request: TestRequest, message: string, configuration: JsonObject = {}, realm = 'basic'): void {
  const sent = request.upstreamHead();
  const answer = answerTo(request, configuration);
  assert.equal(answer?.status, 401);
  assert.equal(answer.body, `{"message":"${message}"}\n`);
  assert.deepEqual(answer.headers, [
    ['Content-Type', 'text/plain; charset=utf-8'],
    ['WWW-Authenticate', `Basic realm="${realm}"`],
  ]);
  assert.equal(request.consumer, undefined);
  assert.deepEqual(request.upstreamHead(), sent, 'a refused request stays as it was');
}

const upstreamHeader = (request: TestRequest, name: string): string | undefined =>
  request.upstreamHead().headers.find(([each]) => each.toLowerCase() === name)?.[1];

test('the right user name and password let the request pass with its consumer, and change nothing else', () => {
  const request = requestWith(basic('jack:right'));
  assertPasses(request);
  assert.equal(upstreamHeader(request, 'authorization'), basic('jack:right'));
  assert.equal(upstreamHeader(request, 'x-consumer-username'), 'jack');
  assert.equal(upstreamHeader(request, 'x-credential-identifier'), 'office');
  assert.equal(upstreamHeader(request, 'x-consumer-custom-id'), '42');
});

test('the scheme is known in any case', () => {
  for (const scheme of ['Basic', 'basic', 'BASIC', 'bAsIc']) assertPasses(requestWith(basic('jack:right').replace('Basic', scheme)));
});

test('without Authorization the request is refused as missing it', () => {
  assertRefused(requestWith(undefined), MISSING);
});

test('what is not Basic, base64 and a colon is refused as invalid', () => {
  const encoded = Buffer.from('jack:right').toString('base64');
  const malformed = [
    '',
    'Basic',
    'Basic ',
    encoded,
    `Basic${encoded}`,
    `Basic  ${encoded}`,
    `Basic ${encoded} `,
    `XBasic ${encoded}`,
    `Bearer ${encoded}`,
    `Digest x, Basic ${encoded}`,
    `Basic ${encoded.slice(0, -3)}`,
    `Basic ${encoded}=`,
    `Basic ${encoded.slice(0, 4)} ${encoded.slice(4)}`,
    `Basic ${encoded},${encoded}`,
    'Basic amFjaw==',
    'Basic amFjazpyaWdodA==AAAA',
    'Basic \u00ff\u00fe',
    'Basic jack:right',
  ];
  for (const authorization of malformed) assertRefused(requestWith(authorization), MALFORMED);
});

test('base64 is read without its padding too', () => {
  assertPasses(requestWith('Basic amFjazpyaWdodA'));
});

test('an unknown user and a wrong password get the same answer', () => {
  for (const pair of ['jack:wrong', 'jack:RIGHT', 'Jack:right', 'nobody:right', 'jack:', ':right', ':', 'jack:righ', 'jack:rightt']) {
    assertRefused(requestWith(basic(pair)), INVALID);
  }
});

test('as in APISIX white space is left out, and the password ends at a second colon', () => {
  for (const pair of [' ja ck :\tri\r\nght ', 'jack:right:of course', 'jack:right:']) assertPasses(requestWith(basic(pair)));
  for (const pair of ['jack::right', 'jack:rig:ht']) assertRefused(requestWith(basic(pair)), INVALID);
  assertRefused(requestWith(basic('jack:a:b'), [consumer('jack', 'a:b')]), INVALID);
  assertRefused(requestWith(basic('jack:a b'), [consumer('jack', 'a b')]), INVALID);
  // U+00A0 is C2 A0 in UTF-8, and is no white space of ASCII.
  assertPasses(requestWith(basic('jack:a\u00a0b'), [consumer('jack', 'a\u00a0b')]));
});

test('texts outside ASCII are matched by their UTF-8 bytes', () => {
  const consumers = [consumer('j\u00e4ck', '\u5bc6\u7801')];
  assertPasses(requestWith(basic('j\u00e4ck:\u5bc6\u7801'), consumers));
  assertRefused(requestWith(`Basic ${Buffer.from('j\u00e4ck:\u5bc6\u7801', 'latin1').toString('base64')}`, consumers), INVALID);
});

test('of several Authorization headers the first counts', () => {
  const both = (first: string, second: string): TestRequest =>
    new TestRequest({ headers: [['Authorization', first], ['authorization', second]], consumers: CONSUMERS }); // biome-ignore format: one line
  assertPasses(both(basic('jack:right'), basic('jack:wrong')));
  assertRefused(both(basic('jack:wrong'), basic('jack:right')), INVALID);
});

test('an unknown user costs the same look-up, digest and comparison as a wrong password', () => {
  const digested: string[][] = [];
  for (const pair of ['jack:wrong', 'nobody:wrong']) {
    const request = requestWith(basic(pair));
    const calls: string[] = [];
    const digest = request.digest.bind(request);
    request.digest = (text) => {
      calls.push(text);
      return digest(text);
    };
    assertRefused(request, INVALID);
    digested.push(calls);
  }
  assert.deepEqual(digested, [['wrong'], ['wrong']]);
});

test('nobody gets in by an empty password, nor while the gateway cannot digest one', () => {
  const empty = requestWith(basic('jack:'));
  const found = empty.findCredential('basic-auth', 'jack') ?? assert.fail();
  empty.findCredential = () => ({ ...found, data: { password_digest: testDigest('') } });
  assertRefused(empty, INVALID);
  const request = requestWith(basic('jack:right'));
  request.digest = () => undefined;
  assertRefused(request, INVALID);
});

test('a credential without a digest lets nobody in', () => {
  for (const data of [{}, { password_digest: null }, { password_digest: '' }, { password: 'right' }]) {
    const request = requestWith(basic('jack:right'));
    const found = request.findCredential('basic-auth', 'jack') ?? assert.fail();
    request.findCredential = () => ({ ...found, data });
    assertRefused(request, INVALID);
  }
});

test('the realm stands in every challenge', () => {
  assertRefused(requestWith(undefined), MISSING, { realm: 'orders' }, 'orders');
  assertRefused(requestWith('x'), MALFORMED, { realm: 'orders' }, 'orders');
  assertRefused(requestWith(basic('jack:wrong')), INVALID, { realm: 'orders' }, 'orders');
});

test('hide_credentials keeps Authorization from the upstream', () => {
  const request = requestWith(basic('jack:right'));
  assertPasses(request, { hide_credentials: true });
  assert.equal(upstreamHeader(request, 'authorization'), undefined);
  assertRefused(requestWith(basic('jack:wrong')), INVALID, { hide_credentials: true });
});

test('the anonymous consumer stands in for missing, malformed and wrong credentials', () => {
  for (const authorization of [undefined, 'x', basic('jack:wrong'), basic('nobody:right')]) {
    const kept = requestWith(authorization);
    assertPasses(kept, { anonymous_consumer: 'guest' }, ANONYMOUS);
    assert.equal(upstreamHeader(kept, 'authorization'), authorization);
    const hidden = requestWith(authorization);
    assertPasses(hidden, { anonymous_consumer: 'guest', hide_credentials: true }, ANONYMOUS);
    assert.equal(upstreamHeader(hidden, 'authorization'), undefined);
  }
  assertPasses(requestWith(basic('jack:right')), { anonymous_consumer: 'guest' });
});

test('an anonymous consumer that does not exist lets nobody in', () => {
  const configuration = { anonymous_consumer: 'nobody', hide_credentials: true };
  assertRefused(requestWith(undefined), INVALID, configuration);
  assertRefused(requestWith(basic('jack:wrong')), INVALID, configuration);
  assertPasses(requestWith(basic('jack:right')), configuration);
});

test('a credential on the consumer itself has no identifier', () => {
  const own = { username: 'jill', credentials: [{ plugin: basicAuthSchema, configuration: { username: 'jill', password: 'p' } }] };
  assertPasses(requestWith(basic('jill:p'), [own]), {}, ['jill', undefined, undefined]);
});

test('behind another authentication plugin this one decides the consumer, and nothing of the other is left', () => {
  const jill = { username: 'jill', credentials: [{ plugin: basicAuthSchema, configuration: { username: 'jill', password: 'p' } }] };
  const request = requestWith(basic('jill:p'), [jill, ...CONSUMERS]);
  request.attachConsumer(request.findCredential('basic-auth', 'jack') ?? assert.fail());
  assertPasses(request, {}, ['jill', undefined, undefined]);
  assert.equal(upstreamHeader(request, 'x-consumer-username'), 'jill');
  assert.equal(upstreamHeader(request, 'x-credential-identifier'), undefined);
  assert.equal(upstreamHeader(request, 'x-consumer-custom-id'), undefined);
});

test('the route takes what APISIX takes, and says what is wrong with the rest', () => {
  const good: readonly JsonObject[] = [{}, { hide_credentials: true, realm: 'x'.repeat(128), anonymous_consumer: 'g' }, { other: 1 }];
  for (const configuration of good) assert.equal(configurationError(basicAuthSchema, configuration), '');
  const bad: readonly (readonly [JsonObject, string])[] = [
    [{ hide_credentials: 'yes' }, 'Error at "/plugins/basic-auth/hide_credentials": value must be a boolean'],
    [{ anonymous_consumer: '' }, 'Error at "/plugins/basic-auth/anonymous_consumer": minimum string length is 1'],
    [{ realm: '' }, 'Error at "/plugins/basic-auth/realm": minimum string length is 1'],
    [{ realm: 'x'.repeat(129) }, 'Error at "/plugins/basic-auth/realm": maximum string length is 128'],
  ];
  for (const [configuration, error] of bad) assert.ok(configurationError(basicAuthSchema, configuration).includes(error), error);
  for (const realm of ['a"b', 'a\\b', 'a\r\nX: y', '\u00e4'])
    assert.match(configurationError(basicAuthSchema, { realm }), /regular expression/);
});

test('a credential needs a user name and a password', () => {
  const errorOf = (configuration: JsonObject): string => configurationError(basicAuthSchema, configuration, 'credential');
  assert.equal(errorOf({ username: 'u', password: 'p' }), '');
  assert.equal(errorOf({ username: 'u' }), 'Error at "/plugins/basic-auth/password": property "password" is missing');
  assert.equal(errorOf({ password: 'p' }), 'Error at "/plugins/basic-auth/username": property "username" is missing');
  assert.equal(errorOf({ username: '', password: 'p' }), 'Error at "/plugins/basic-auth/username": minimum string length is 1');
  assert.equal(errorOf({ username: 'u', password: '' }), 'Error at "/plugins/basic-auth/password": minimum string length is 1');
  assert.equal(errorOf({ username: 'u', password: 1 }), 'Error at "/plugins/basic-auth/password": value must be a string');
});

test('the user name is unique, the password secret, and gateways get its digest alone', () => {
  const plugins = { 'basic-auth': { username: 'u', password: 'p' } };
  assert.deepEqual(describeSecrets(plugins, 'credential', [basicAuthSchema]), {
    secretPointers: ['/plugins/basic-auth/password'],
    uniqueValues: [{ plugin: 'basic-auth', field: 'username', value: 'u' }],
  });
  const dataOf = (configuration: JsonObject) => basicAuthSchema.credentialData?.(configuration, (text) => `digest of ${text}`);
  assert.deepEqual(dataOf({ username: 'u', password: 'p' }), { password_digest: 'digest of p' });
  assert.equal(dataOf({ username: 'u', password: '$env://P' }), undefined);
  assert.equal(dataOf({ username: 'u' }), undefined);
});

test('the examples of the page on basic-auth work', async () => {
  const { json, requests } = (await readPageExamples(import.meta.dirname)) ?? assert.fail();
  const [route, credential] = json;
  assert.deepEqual(validatePlugins(route?.plugins, 'route', [basicAuthSchema]), []);
  assert.deepEqual(validatePlugins(credential?.plugins, 'credential', [basicAuthSchema]), []);
  const configured = (document: JsonObject | undefined): JsonObject => JSON.parse(JSON.stringify(document?.plugins))['basic-auth'];
  const consumers = [{ username: 'jack', credentials: [{ plugin: basicAuthSchema, configuration: configured(credential) }] }];
  assert.equal(requests.length, 1);
  for (const request of requests)
    assertPasses(new TestRequest({ ...request, consumers }), configured(route), ['jack', undefined, undefined]);
});
