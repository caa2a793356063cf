import assert from 'node:assert/strict';
import test from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import type { JsonObject } from '../../plugin-kit/index.ts';
import {
  createPlugin,
  type HeaderLines,
  runPhaseAtOnce,
  type TestConsumer,
  TestRequest,
  testSetup,
} from '../../plugin-kit/testing/index.ts';
import { jwtPayload } from './jwt-payload.ts';
import { jwtAuth } from './plugin.ts';
import { jwtAuthSchema } from './schema.ts';
import { ed25519Pair } from './testing/key-pairs.ts';
import { encodePart, makeToken } from './testing/make-token.ts';

const NOW_S = 1_800_000_000;
const SIGNER = ed25519Pair();

function credential(id: string, configuration: JsonObject) {
  return { id, plugin: jwtAuthSchema, configuration };
}

const CONSUMERS: readonly TestConsumer[] = [
  {
    username: 'jack',
    labels: { custom_id: '42' },
    credentials: [
      credential('shared', { key: 'jack-key', secret: 'right secret' }),
      credential('signer', { key: 'signer-key', algorithm: 'EdDSA', public_key: SIGNER.pem, lifetime_grace_period: 60 }),
      credential('encoded', { key: 'schl\u00fcssel', secret: Buffer.from('bytes').toString('base64'), base64_secret: true }),
    ],
  },
  { username: 'guest' },
];

const RIGHT = makeToken({ key: 'jack-key' });
const WRONG = makeToken({ key: 'jack-key' }, { key: 'wrong secret' });
const JACK = ['jack', 'shared', '42'];
const GUEST = ['guest', undefined, undefined];

const MISSING = 'Missing JWT token in request';
const MALFORMED = 'JWT token invalid';
const NO_KEY = 'missing user key in JWT token';
const UNKNOWN_KEY = 'Invalid user key in JWT token';
const NOT_VERIFIED = 'failed to verify jwt';
const NO_ANONYMOUS = 'Invalid user authorization';

function requestWith(headers: HeaderLines, query = ''): TestRequest {
  return new TestRequest({ target: query === '' ? '/orders' : `/orders?${query}`, headers, consumers: CONSUMERS });
}

const bearing = (token: string): TestRequest => requestWith([['Authorization', `Bearer ${token}`]]);

function answerTo(request: TestRequest, configuration: JsonObject = {}, setup = testSetup({ clock: new FakeClock(NOW_S * 1000) })) {
  return runPhaseAtOnce(createPlugin(jwtAuth, configuration, setup), 'rewrite', request);
}

function assertPasses(request: TestRequest, configuration: JsonObject = {}, consumer: readonly unknown[] = JACK): void {
  assert.equal(answerTo(request, configuration), undefined);
  assert.deepEqual([request.consumer?.username, request.consumer?.credentialId, request.consumer?.customId], consumer);
}

function assertRefused(request: TestRequest, message: string, configuration: JsonObject = {}, realm = 'jwt'): void {
  const sent = request.upstreamHead();
  const answer = answerTo(request, configuration);
  assert.equal(answer?.status, 401);
  assert.equal(answer.body, `{"message":"${message}"}\n`);
  assert.deepEqual(answer.headers, [
    ['Content-Type', 'text/plain; charset=utf-8'],
    ['WWW-Authenticate', `Bearer realm="${realm}"`],
  ]);
  assert.equal(request.consumer, undefined);
  assert.equal(request.get(jwtPayload), undefined);
  assert.deepEqual(request.upstreamHead(), sent, 'a refused request stays as it was');
}

/** What the upstream gets of the client's own. */
function left(request: TestRequest): readonly unknown[] {
  const { target, headers } = request.upstreamHead();
  return [
    target,
    ...headers.filter(([name]) => !/^(?:host|x-consumer-|x-credential-)/i.test(name)).map(([name, value]) => `${name}: ${value}`),
  ];
}

test('a right token lets the request pass with its consumer and changes nothing else, wherever it is', () => {
  const places: readonly (readonly [HeaderLines, string])[] = [
    [[['Authorization', `Bearer ${RIGHT}`]], ''],
    [[['authorization', `bearer ${RIGHT}`]], ''],
    [[['AUTHORIZATION', RIGHT]], ''],
    [[], `a=1&jwt=${RIGHT}&b=2`],
    [[['Cookie', `a=1; jwt=${RIGHT}; b=2`]], ''],
  ];
  for (const [headers, query] of places) {
    const request = requestWith(headers, query);
    const before = left(request);
    assertPasses(request);
    assert.deepEqual(left(request), before);
  }
});

test('every kind of key lets its own credential in', () => {
  assertPasses(bearing(makeToken({ key: 'signer-key' }, { algorithm: 'EdDSA', key: SIGNER.privateKey })), {}, ['jack', 'signer', '42']);
  assertPasses(bearing(makeToken({ key: 'schl\u00fcssel' }, { key: 'bytes' })), {}, ['jack', 'encoded', '42']);
});

test('the texts tell how far a token got', () => {
  assertRefused(requestWith([]), MISSING);
  for (const token of ['', 'x', 'a.b.c', `${RIGHT}.`, `Bearer ${RIGHT}`, `BEARER ${RIGHT}`, ` ${RIGHT}`, `${RIGHT} `, 'x'.repeat(65_536)]) {
    assertRefused(bearing(token), MALFORMED);
  }
  assertRefused(bearing(makeToken({})), NO_KEY);
  assertRefused(bearing(makeToken({ Key: 'jack-key' })), NO_KEY);
  assertRefused(bearing(makeToken('{"__proto__":{"key":"jack-key"}}')), NO_KEY);
  for (const key of ['', 'nobody', 'JACK-KEY', 'jack-key ', 1, null, true, ['jack-key'], { key: 'jack-key' }]) {
    assertRefused(bearing(makeToken({ key })), UNKNOWN_KEY);
  }
  assertRefused(bearing(WRONG), NOT_VERIFIED);
  assertRefused(bearing(makeToken({ key: 'jack-key' }, { algorithm: 'HS384' })), NOT_VERIFIED);
  assertRefused(bearing(`${encodePart({ alg: 'none' })}.${encodePart({ key: 'jack-key' })}.`), NOT_VERIFIED);
  assertRefused(bearing(makeToken({ key: 'jack-key', exp: NOW_S - 1 })), NOT_VERIFIED);
  assertRefused(bearing(makeToken({ key: 'jack-key', nbf: NOW_S + 1 })), NOT_VERIFIED);
});

test('other schemes in Authorization are tokens that cannot be read', () => {
  for (const value of ['Basic amFjazpyaWdodA==', `Bearer  ${RIGHT}`, `JWT ${RIGHT}`, 'Bearer', 'Bearer ']) {
    assertRefused(requestWith([['Authorization', value]]), MALFORMED);
  }
});

test('the header comes before the query and the query before the cookie, even when they are wrong', () => {
  assertPasses(requestWith([['Authorization', RIGHT], ['Cookie', `jwt=${WRONG}`]], `jwt=${WRONG}`)); // biome-ignore format: one request a line
  assertRefused(requestWith([['Authorization', WRONG], ['Cookie', `jwt=${RIGHT}`]], `jwt=${RIGHT}`), NOT_VERIFIED); // biome-ignore format: one request a line
  assertRefused(requestWith([['Authorization', '']], `jwt=${RIGHT}`), MALFORMED);
  assertPasses(requestWith([['Cookie', `jwt=${WRONG}`]], `jwt=${RIGHT}`));
  assertRefused(requestWith([['Cookie', `jwt=${RIGHT}`]], 'jwt='), MALFORMED);
  assertRefused(requestWith([['Cookie', `jwt=${RIGHT}`]], 'jwt'), MALFORMED);
});

test('of several equal headers, arguments and cookies the first counts', () => {
  assertPasses(requestWith([['Authorization', RIGHT], ['authorization', WRONG]])); // biome-ignore format: one request a line
  assertPasses(requestWith([], `jwt=${RIGHT}&jwt=${WRONG}`));
  assertPasses(requestWith([['Cookie', `jwt=${RIGHT}; jwt=${WRONG}`]]));
  assertRefused(requestWith([['Authorization', WRONG], ['authorization', RIGHT]]), NOT_VERIFIED); // biome-ignore format: one request a line
  assertRefused(requestWith([], `jwt=${WRONG}&jwt=${RIGHT}`), NOT_VERIFIED);
  assertRefused(requestWith([], `jwt&jwt=${RIGHT}`), MALFORMED);
  assertRefused(requestWith([['Cookie', `jwt=${WRONG}; jwt=${RIGHT}`]]), NOT_VERIFIED);
});

test('Bearer is cut from the header only', () => {
  assertRefused(requestWith([], `jwt=Bearer%20${RIGHT}`), MALFORMED);
  assertRefused(requestWith([['Cookie', `jwt=Bearer ${RIGHT}`]]), MALFORMED);
});

test('header, query argument and cookie can be named', () => {
  const configuration = { header: 'X-Token', query: 't\u00f6ken', cookie: 'session' };
  assertPasses(requestWith([['x-token', `Bearer ${RIGHT}`]]), configuration);
  assertPasses(requestWith([], `t%C3%B6ken=${RIGHT}`), configuration);
  assertPasses(requestWith([], `t%C3%B6ken=${RIGHT}&t%C3%B6ken=x`), configuration);
  assertPasses(requestWith([['Cookie', `session=${RIGHT}`]]), configuration);
  assertRefused(requestWith([['Authorization', RIGHT], ['Cookie', `jwt=${RIGHT}`]], `jwt=${RIGHT}`), MISSING, configuration); // biome-ignore format: one request a line
});

test('hide_credentials hides the place that was used and leaves the others', () => {
  const configuration = { hide_credentials: true };
  const all = requestWith([['Authorization', RIGHT], ['Cookie', `jwt=${RIGHT}`]], `jwt=${RIGHT}`); // biome-ignore format: one request a line
  assertPasses(all, configuration);
  assert.deepEqual(left(all), [`/orders?jwt=${RIGHT}`, `Cookie: jwt=${RIGHT}`]);
  const query = requestWith([['Cookie', `jwt=${RIGHT}`]], `a=1&jwt=${RIGHT}&jwt=2&b=%20`);
  assertPasses(query, configuration);
  assert.deepEqual(left(query), ['/orders?a=1&b=%20', `Cookie: jwt=${RIGHT}`]);
  const alone = requestWith([['Cookie', `jwt=${RIGHT}`]]);
  assertPasses(alone, configuration);
  assert.deepEqual(left(alone), ['/orders']);
});

test('hiding a cookie leaves the other cookies as they were', () => {
  const request = requestWith([['Cookie', `a="x y"; jwt=${RIGHT};b=c=d;; xjwt=1; jwt =2`], ['cookie', 'JWT=3; jwt=4; flag']]); // biome-ignore format: one request a line
  assertPasses(request, { hide_credentials: true });
  assert.deepEqual(left(request), ['/orders', 'Cookie: a="x y"; b=c=d; xjwt=1; JWT=3; flag']);
});

test('key_claim_name names the claim, whatever it is called', () => {
  for (const name of ['sub', 'user id', 'constructor', '__proto__', 'schl\u00fcssel']) {
    const token = makeToken(`{${JSON.stringify(name)}:"jack-key"}`);
    assertPasses(bearing(token), { key_claim_name: name });
    assertRefused(bearing(RIGHT), NO_KEY, { key_claim_name: name });
  }
});

test('exp and nbf hold where they are there, with the grace period of the credential', () => {
  assertPasses(bearing(makeToken({ key: 'jack-key', exp: NOW_S + 1, nbf: NOW_S - 1 })));
  const signed = (claims: JsonObject): TestRequest =>
    bearing(makeToken({ key: 'signer-key', ...claims }, { algorithm: 'EdDSA', key: SIGNER.privateKey }));
  assertPasses(signed({ exp: NOW_S - 59 }), {}, ['jack', 'signer', '42']);
  assertPasses(signed({ nbf: NOW_S + 59 }), {}, ['jack', 'signer', '42']);
  assertRefused(signed({ exp: NOW_S - 60 }), NOT_VERIFIED);
  assertRefused(signed({ nbf: NOW_S + 60 }), NOT_VERIFIED);
});

test('claims_to_verify names what must be there', () => {
  assertRefused(bearing(RIGHT), NOT_VERIFIED, { claims_to_verify: ['exp'] });
  assertRefused(bearing(RIGHT), NOT_VERIFIED, { claims_to_verify: ['nbf'] });
  assertPasses(bearing(RIGHT), { claims_to_verify: [] });
  const both = makeToken({ key: 'jack-key', exp: NOW_S + 9, nbf: NOW_S - 9 });
  assertPasses(bearing(both), { claims_to_verify: ['exp', 'nbf'] });
});

test('a token is verified anew with every request', () => {
  const clock = new FakeClock(NOW_S * 1000);
  const instance = createPlugin(jwtAuth, {}, testSetup({ clock }));
  const token = makeToken({ key: 'jack-key', exp: NOW_S + 10 });
  assert.equal(runPhaseAtOnce(instance, 'rewrite', bearing(token)), undefined);
  clock.advance(10_000);
  assert.equal(runPhaseAtOnce(instance, 'rewrite', bearing(token))?.status, 401);
});

test('a token that has expired does not live again when the clock is set back', () => {
  const setup = testSetup({ clock: new FakeClock((NOW_S - 60) * 1000), expiryClock: new FakeClock(NOW_S * 1000) });
  const instance = createPlugin(jwtAuth, {}, setup);
  assert.equal(runPhaseAtOnce(instance, 'rewrite', bearing(makeToken({ key: 'jack-key', exp: NOW_S - 1 })))?.status, 401);
  assert.equal(runPhaseAtOnce(instance, 'rewrite', bearing(makeToken({ key: 'jack-key', exp: NOW_S + 1 }))), undefined);
});

test('store_in_ctx keeps the payload of a verified token', () => {
  const request = bearing(makeToken({ key: 'jack-key', roles: ['a'] }));
  assertPasses(request, { store_in_ctx: true });
  assert.deepEqual(request.get(jwtPayload), { key: 'jack-key', roles: ['a'] });
  const unasked = bearing(RIGHT);
  assertPasses(unasked);
  assert.equal(unasked.get(jwtPayload), undefined);
  assertRefused(bearing(WRONG), NOT_VERIFIED, { store_in_ctx: true });
  const anonymous = bearing(WRONG);
  assertPasses(anonymous, { store_in_ctx: true, anonymous_consumer: 'guest' }, GUEST);
  assert.equal(anonymous.get(jwtPayload), undefined);
});

test('the realm stands in every challenge', () => {
  const configuration = { realm: 'orders' };
  assertRefused(requestWith([]), MISSING, configuration, 'orders');
  assertRefused(bearing('x'), MALFORMED, configuration, 'orders');
  assertRefused(bearing(makeToken({})), NO_KEY, configuration, 'orders');
  assertRefused(bearing(makeToken({ key: 'x' })), UNKNOWN_KEY, configuration, 'orders');
  assertRefused(bearing(WRONG), NOT_VERIFIED, configuration, 'orders');
});

test('the anonymous consumer stands in for a missing and for a wrong token, which is hidden where it was found', () => {
  const configuration = { anonymous_consumer: 'guest', hide_credentials: true };
  assertPasses(requestWith([]), configuration, GUEST);
  for (const token of ['x', WRONG, makeToken({}), makeToken({ key: 'nobody' })]) {
    const request = requestWith([['Authorization', token]], 'jwt=kept');
    assertPasses(request, configuration, GUEST);
    assert.deepEqual(left(request), ['/orders?jwt=kept']);
  }
  assertPasses(bearing(RIGHT), configuration);
});

test('an anonymous consumer that does not exist lets nobody in', () => {
  const configuration = { anonymous_consumer: 'nobody', hide_credentials: true };
  assertRefused(requestWith([]), NO_ANONYMOUS, configuration);
  assertRefused(bearing(WRONG), NO_ANONYMOUS, configuration);
  assertPasses(bearing(RIGHT), configuration);
});

test('a key that cannot be imported verifies nothing and fails nobody else', () => {
  const request = bearing(RIGHT);
  const found = request.findCredential('jwt-auth', 'jack-key') ?? assert.fail();
  const data = { algorithm: 'RS256', public_key: 'no key' };
  request.findCredential = () => ({ ...found, data, prepared: (create) => create(data) });
  assertRefused(request, NOT_VERIFIED);
});

test('a key is imported once for each state of its credential', () => {
  const instance = createPlugin(jwtAuth, {});
  const request = bearing(RIGHT);
  const found = request.findCredential('jwt-auth', 'jack-key') ?? assert.fail();
  const creations: unknown[] = [];
  request.findCredential = () => ({
    ...found,
    prepared: (create) =>
      found.prepared((data) => {
        creations.push(data);
        return create(data);
      }),
  });
  for (let round = 0; round < 3; round++) assert.equal(runPhaseAtOnce(instance, 'rewrite', request), undefined);
  assert.equal(creations.length, 1);
});

test('the log tells why a token could not be verified, and nothing of the token', () => {
  const setup = testSetup({ clock: new FakeClock(NOW_S * 1000) });
  const payloads: readonly JsonObject[] = [
    { key: 'jack-key', exp: 1 },
    { key: 'jack-key', nbf: 'x' },
  ];
  for (const payload of payloads) answerTo(bearing(makeToken(payload)), {}, setup);
  answerTo(bearing(WRONG), {}, setup);
  assert.deepEqual(
    setup.log.lines.map(({ level, fields }) => [level, fields.problem]),
    [
      ['info', 'claim exp has passed'],
      ['info', 'claim nbf is not a number'],
      ['info', 'algorithm or signature do not fit the credential'],
    ],
  );
});
