import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import test from 'node:test';
import { readPageExamples } from '../../../test-support/curl-example.ts';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { type JsonObject, validatePlugins } from '../../plugin-kit/index.ts';
import {
  createPlugin,
  type HeaderLines,
  runPhase,
  runPhaseAtOnce,
  type TestConsumer,
  TestRequest,
  type TestSetup,
  testSetup,
} from '../../plugin-kit/testing/index.ts';
import { hmacAuth } from './plugin.ts';
import { hmacAuthSchema } from './schema.ts';
import { DATE, digestOf, type SigningOptions, signedHeaders } from './testing/sign-request.ts';

const CONSUMERS: readonly TestConsumer[] = [
  {
    username: 'jack',
    labels: { custom_id: '42' },
    credentials: [
      { id: 'billing', plugin: hmacAuthSchema, configuration: { key_id: 'jack-key', secret_key: 'right secret' } },
      { id: 'umlaut', plugin: hmacAuthSchema, configuration: { key_id: 'schl\u00fcssel', secret_key: 'gehe\u00efm' } },
    ],
  },
  { username: 'guest' },
];
const JACK = ['jack', 'billing', '42'];
const GUEST = ['guest', undefined, undefined];

const INVALID = "client request can't be validated";
const MISSING = `${INVALID}: missing Authorization header`;
const OTHER_SCHEME = `${INVALID}: Authorization header does not start with 'Signature'`;
const NO_ANONYMOUS = 'Invalid user authorization';

interface Sent {
  readonly method?: string;
  readonly target?: string;
  readonly body?: string;
  readonly chunked?: boolean;
}

function requestWith(headers: HeaderLines, sent: Sent = {}): TestRequest {
  return new TestRequest({ target: '/orders', ...sent, headers, consumers: CONSUMERS });
}

const signed = (options: SigningOptions = {}, sent: Sent = {}): TestRequest => requestWith(signedHeaders(options), sent);

async function answerTo(request: TestRequest, configuration: JsonObject = {}, setup: TestSetup = testSetup()) {
  return await runPhase(createPlugin(hmacAuth, configuration, setup), 'rewrite', request);
}

async function assertPasses(request: TestRequest, configuration: JsonObject = {}, consumer: readonly unknown[] = JACK): Promise<void> {
  assert.equal((await answerTo(request, configuration))?.body, undefined);
  assert.deepEqual([request.consumer?.username, request.consumer?.credentialId, request.consumer?.customId], consumer);
}

/** `problem`: what the log says. */
async function assertRefused(request: TestRequest, problem: string, configuration: JsonObject = {}, message = INVALID): Promise<void> {
  const sent = request.upstreamHead();
  const setup = testSetup();
  const answer = await answerTo(request, configuration, setup);
  assert.equal(answer?.status, 401);
  assert.equal(answer.body, `{"message":${JSON.stringify(message)}}\n`);
  assert.deepEqual(answer.headers, [
    ['Content-Type', 'text/plain; charset=utf-8'],
    ['WWW-Authenticate', `hmac realm="${configuration.realm ?? 'hmac'}"`],
  ]);
  assert.equal(request.consumer, undefined);
  assert.deepEqual(request.upstreamHead(), sent, 'a refused request stays as it was');
  assert.deepEqual(
    setup.log.lines.map(({ level, fields }) => [level, fields.problem]),
    problem === '' ? [] : [['info', problem]],
  );
}

const authorizationOf = (headers: HeaderLines): string => headers.find(([name]) => name === 'Authorization')?.[1] ?? '';
const withAuthorization = (change: (value: string) => string, options: SigningOptions = {}): HeaderLines =>
  signedHeaders(options).map(([name, value]) => (name === 'Authorization' ? [name, change(value)] : [name, value]));

test('a signed request passes with its consumer, and nothing else of it changes', async () => {
  const request = signed();
  const before = request.upstreamHead().headers;
  await assertPasses(request);
  const own = request.upstreamHead().headers.filter(([name]) => !/^x-/i.test(name));
  assert.deepEqual(own, before);
  assert.ok(!(runPhase(createPlugin(hmacAuth, {}), 'rewrite', signed()) instanceof Promise), 'without a body to read it decides at once');
});

test('the reference vector of the documentation is accepted', async () => {
  const text = `jack-key\nGET /anything/a b?x=%20y\ndate: ${DATE}\nx-custom: value\n`;
  const signature = createHmac('sha256', 'right secret').update(text).digest('base64');
  const authorization = `Signature keyId="jack-key",algorithm="hmac-sha256",headers="@request-target date x-custom",signature="${signature}"`;
  const headers: HeaderLines = [['Authorization', authorization], ['Date', DATE], ['X-Custom', 'value']]; // biome-ignore format: one line
  await assertPasses(requestWith(headers, { target: '/anything/a%20b?x=%20y' }));
});

test('every algorithm is accepted, as far as the route allows it', async () => {
  for (const algorithm of ['hmac-sha1', 'hmac-sha256', 'hmac-sha512'] as const) {
    await assertPasses(signed({ algorithm }));
    await assertPasses(signed({ algorithm }), { allowed_algorithms: [algorithm] });
    const others = ['hmac-sha1', 'hmac-sha256', 'hmac-sha512'].filter((each) => each !== algorithm);
    await assertRefused(signed({ algorithm }), 'Invalid algorithm', { allowed_algorithms: others });
  }
  for (const name of ['hmac-md5', 'sha256', 'HMAC-SHA256', 'none', '', 'constructor']) {
    const headers = withAuthorization((value) => value.replace('hmac-sha256', name));
    await assertRefused(requestWith(headers), 'Invalid algorithm');
  }
});

test('a signature made with one algorithm does not count as that of another', async () => {
  const headers = withAuthorization((value) => value.replace('hmac-sha512', 'hmac-sha256'), { algorithm: 'hmac-sha512' });
  await assertRefused(requestWith(headers), 'Invalid signature');
});

test('without Authorization, or with another scheme, the text says so', async () => {
  await assertRefused(requestWith([['Date', DATE]]), '', {}, MISSING);
  for (const value of ['', 'Basic eDp5', 'signature keyId="jack-key"', 'Bearer x']) {
    await assertRefused(requestWith([['Authorization', value], ['Date', DATE]]), '', {}, OTHER_SCHEME); // biome-ignore format: one line
  }
});

test('every other fault gives the same text, and its reason to the log', async () => {
  const without = (member: string): HeaderLines => withAuthorization((value) => value.replace(new RegExp(`${member}="[^"]*",?`), ''));
  await assertRefused(requestWith(without('keyId')), 'keyId or signature missing');
  await assertRefused(requestWith(without('signature')), 'keyId or signature missing');
  await assertRefused(requestWith([['Authorization', 'Signature']]), 'keyId or signature missing');
  await assertRefused(requestWith(without('algorithm')), 'algorithm missing');
  await assertRefused(signed({ keyId: 'nobody' }), 'Invalid key_id');
  await assertRefused(signed({ keyId: 'JACK-KEY' }), 'Invalid key_id');
  await assertRefused(signed({ keyId: '' }), 'Invalid key_id');
  await assertRefused(requestWith(without('headers')), 'expected header "date" missing in signing');
  await assertRefused(signed({ secret: 'wrong secret' }), 'Invalid signature');
});

test('the order of checks is that of APISIX', async () => {
  const bad = { keyId: 'nobody', secret: 'wrong', headers: [['Date', 'never']] } as const;
  const authorization = authorizationOf(signedHeaders({ ...bad, names: [] }));
  const shorten = (text: string, ...members: readonly string[]): HeaderLines => [
    ['Authorization', members.reduce((value, member) => value.replace(new RegExp(`${member}="[^"]*",?`), ''), text)],
    ['Date', 'never'],
  ];
  const configuration = { allowed_algorithms: ['hmac-sha1'], signed_headers: ['x-a', 'x-b'], validate_request_body: true };
  await assertRefused(requestWith(shorten(authorization, 'keyId', 'algorithm')), 'keyId or signature missing', configuration);
  await assertRefused(requestWith(shorten(authorization, 'algorithm')), 'algorithm missing', configuration);
  await assertRefused(requestWith(shorten(authorization)), 'Invalid key_id', configuration);
  const known = authorization.replace('nobody', 'jack-key');
  await assertRefused(requestWith(shorten(known)), 'Invalid algorithm', configuration);
  const allowed = known.replace('hmac-sha256', 'hmac-sha1');
  await assertRefused(requestWith([['Authorization', allowed]]), 'Date header missing. failed to validate clock skew', configuration);
  await assertRefused(requestWith(shorten(allowed)), 'Invalid GMT format time', configuration);
  const old: HeaderLines = [['Authorization', allowed], ['Date', 'Fri, 15 Jan 2027 07:00:00 GMT']]; // biome-ignore format: one line
  await assertRefused(requestWith(old), 'Clock skew exceeded', configuration);
  const dated: HeaderLines = [['Authorization', allowed], ['Date', DATE]]; // biome-ignore format: one line
  await assertRefused(requestWith(dated), 'expected header "x-a" missing in signing', configuration);
  await assertRefused(requestWith(dated), 'Invalid signature', { ...configuration, signed_headers: [] });
});

test('Date may differ by clock_skew in both directions, to the second', async () => {
  const dated = (seconds: number): TestRequest =>
    signed({ headers: [['Date', new Date(1_800_000_000_000 + seconds * 1000).toUTCString()]] });
  for (const seconds of [-300, 0, 300]) await assertPasses(dated(seconds));
  for (const seconds of [-301, 301, 31_536_000]) await assertRefused(dated(seconds), 'Clock skew exceeded');
  for (const seconds of [-2, 2]) await assertPasses(dated(seconds), { clock_skew: 2 });
  for (const seconds of [-3, 3]) await assertRefused(dated(seconds), 'Clock skew exceeded', { clock_skew: 2 });
});

test('a signature grows old', async () => {
  const setup = testSetup({ clock: new FakeClock() });
  const instance = createPlugin(hmacAuth, {}, setup);
  setup.clock.advance(300_999);
  assert.equal(runPhaseAtOnce(instance, 'rewrite', signed()), undefined);
  setup.clock.advance(1);
  assert.equal(runPhaseAtOnce(instance, 'rewrite', signed())?.status, 401);
});

test('a signature that has grown old does not become young when the clock is set back', async () => {
  const expiryClock = new FakeClock();
  const instance = createPlugin(hmacAuth, {}, testSetup({ clock: new FakeClock(), expiryClock }));
  assert.equal(runPhaseAtOnce(instance, 'rewrite', signed()), undefined);
  expiryClock.advance(301_000);
  assert.equal(runPhaseAtOnce(instance, 'rewrite', signed())?.status, 401);
});

test('a Date that is no date of HTTP is refused', async () => {
  for (const date of ['', 'now', '1800000000', '2027-01-15T08:00:00Z', 'Fri, 15 Jan 2027 08:00:00 CET']) {
    await assertRefused(signed({ headers: [['Date', date]] }), 'Invalid GMT format time');
  }
});

test('signed_headers must all be listed, in exactly their spelling', async () => {
  const configuration = { signed_headers: ['date', '@request-target', 'X-Amount'] };
  const headers: HeaderLines = [['X-Amount', '10']];
  await assertPasses(signed({ names: ['X-Amount', 'date', '@request-target'], headers }), configuration);
  await assertRefused(
    signed({ names: ['x-amount', 'date', '@request-target'], headers }),
    'expected header "X-Amount" missing in signing',
    configuration,
  );
  await assertRefused(
    signed({ names: ['date', 'X-Amount'], headers }),
    'expected header "@request-target" missing in signing',
    configuration,
  );
  await assertPasses(signed({ names: [] }), { signed_headers: [] });
  await assertRefused(signed({ names: ['@request-target'] }), 'expected header "date" missing in signing');
});

test('what was signed cannot be changed', async () => {
  const names = ['@request-target', 'date', 'x-amount'];
  const headers: HeaderLines = [['X-Amount', '10']];
  const options = { names, headers, method: 'POST', requestUri: '/orders?a=1' };
  const change = (change: (lines: HeaderLines) => HeaderLines, sent: Sent = {}): TestRequest =>
    requestWith(change(signedHeaders(options)), { method: 'POST', target: '/orders?a=1', ...sent });
  const same = (lines: HeaderLines): HeaderLines => lines;
  await assertPasses(change(same));
  await assertPasses(change((lines) => [...lines, ['X-Amount', '1000']]));
  const changed: readonly TestRequest[] = [
    change(same, { method: 'PUT' }),
    change(same, { target: '/orders?a=2' }),
    change(same, { target: '/orders' }),
    change(same, { target: '/Orders?a=1' }),
    change(same, { target: '/orders?a=%31' }),
    change((lines) => lines.map(([name, value]) => (name === 'X-Amount' ? [name, '11'] : [name, value]))),
    change((lines) => lines.filter(([name]) => name !== 'X-Amount')),
    change((lines) => [['X-Amount', '1000'], ...lines]),
    change((lines) => lines.map(([name, value]) => [name, value.replace('@request-target date', 'date @request-target')])),
    change((lines) => lines.map(([name, value]) => [name, value.replace('x-amount"', 'X-Amount"')])),
    change((lines) => lines.map(([name, value]) => [name, value.replace(' x-amount"', '"')])),
    change((lines) => lines.map(([name, value]) => [name, value.replace('jack-key', 'schl\u00c3\u00bcssel')])),
  ];
  for (const request of changed) await assertRefused(request, 'Invalid signature');
});

test('a listed header that the request does not have adds nothing to what is signed', async () => {
  await assertPasses(signed({ names: ['date', 'x-absent'] }));
  await assertPasses(signed({ names: ['date', 'x-absent'] }), { signed_headers: ['x-absent'] });
  const added: HeaderLines = [...signedHeaders({ names: ['date', 'x-absent'] }), ['X-Absent', '']];
  await assertRefused(requestWith(added), 'Invalid signature');
});

test('@request-target is the path as it was understood and the query as it was sent', async () => {
  const signedFor = (requestUri: string, target: string): TestRequest =>
    signed({ names: ['date', '@request-target'], requestUri }, { target });
  await assertPasses(signedFor('/a b/\u00c3\u00bc?q=%20+x', '/a%20b/%C3%BC?q=%20+x'));
  await assertPasses(signedFor('/', '/'));
  await assertRefused(signedFor('/a%20b', '/a%20b'), 'Invalid signature');
});

test('key ids and secrets outside ASCII are UTF-8', async () => {
  await assertPasses(signed({ keyId: 'schl\u00c3\u00bcssel', secret: 'gehe\u00efm' }), {}, ['jack', 'umlaut', '42']);
});

test('a signature is base64 of all bytes of the digest', async () => {
  const right = /signature="([^"]*)"/.exec(authorizationOf(signedHeaders()))?.[1] ?? '';
  const withSignature = (text: string): TestRequest => requestWith(withAuthorization((value) => value.replace(right, text)));
  await assertPasses(withSignature(right.replace('=', '')));
  const hex = Buffer.from(right, 'base64').toString('hex');
  const cut = Buffer.from(right, 'base64').subarray(0, 16).toString('base64');
  const longer = Buffer.concat([Buffer.from(right, 'base64'), Buffer.alloc(1)]).toString('base64');
  for (const text of [
    '',
    'x',
    hex,
    cut,
    longer,
    ` ${right}`,
    `${right}=`,
    `${right}${right}`,
    `${right.slice(0, -2)}==`,
    'A'.repeat(30_000),
  ]) {
    await assertRefused(withSignature(text), 'Invalid signature');
  }
});

test('a credential without a secret verifies nothing', async () => {
  const empty = createHmac('sha256', '').update(`jack-key\ndate: ${DATE}\n`).digest('base64');
  for (const data of [{}, { secret_key: '' }, { secret_key: null }, { secret_key: 5 }]) {
    const request = requestWith(withAuthorization((value) => value.replace(/signature="[^"]*"/, `signature="${empty}"`)));
    const found = request.findCredential('hmac-auth', 'jack-key') ?? assert.fail();
    request.findCredential = () => ({ ...found, data, prepared: (create) => create(data) });
    await assertRefused(request, 'Invalid signature');
  }
});

test('validate_request_body compares the body with Digest, after the signature', async () => {
  const configuration = { validate_request_body: true, signed_headers: ['date', 'digest'] };
  const post = (body: string | undefined, digest: HeaderLines, chunked = false): TestRequest =>
    signed({ names: ['date', 'digest'], headers: digest }, { method: 'POST', chunked, ...(body === undefined ? {} : { body }) });
  await assertPasses(post('{"a":1}', [digestOf('{"a":1}')]), configuration);
  await assertPasses(post('{"a":1}', [digestOf('{"a":1}')], true), configuration);
  await assertPasses(post(undefined, [digestOf('')]), configuration);
  await assertPasses(post('', [digestOf('')]), configuration);
  for (const digest of [
    [],
    [digestOf('{"a":2}')],
    [['Digest', '']],
    [['Digest', digestOf('{"a":1}')[1].toLowerCase()]],
    [['Digest', `${digestOf('{"a":1}')[1]},MD5=x`]],
  ] as HeaderLines[]) {
    await assertRefused(post('{"a":1}', digest), 'Invalid digest', configuration);
  }
  await assertRefused(post(undefined, []), 'Invalid digest', configuration);
  const unsigned = signed({ secret: 'wrong' }, { method: 'POST', body: 'x' });
  await assertRefused(unsigned, 'Invalid signature', { validate_request_body: true });
  assert.deepEqual(unsigned.bodyReads, [], 'nobody unknown makes the gateway keep a body');
  await assertPasses(post('{"a":1}', []), {});
});

test('a body above max_req_body_size is 413 without a challenge, for an anonymous consumer too', async () => {
  const post = (body: string, chunked: boolean): TestRequest => signed({ headers: [digestOf(body)] }, { method: 'POST', body, chunked });
  for (const anonymous of [{}, { anonymous_consumer: 'guest' }]) {
    const configuration = { validate_request_body: true, max_req_body_size: 10, ...anonymous };
    await assertPasses(post('0123456789', false), configuration);
    await assertPasses(post('0123456789', true), configuration);
    for (const [chunked, size] of [
      [false, 13],
      [true, 11],
    ] as const) {
      // biome-ignore format: pairs
      const request = post('0123456789abc', chunked);
      const answer = await answerTo(request, configuration);
      assert.equal(answer?.status, 413);
      assert.equal(answer.body, `{"message":"request size ${size} is greater than the maximum size 10 allowed"}\n`);
      assert.deepEqual(answer.headers, [['Content-Type', 'text/plain; charset=utf-8']]);
      assert.equal(answer.reason, 'body_too_large');
      assert.equal(request.consumer, undefined);
      assert.deepEqual(request.bodyReads, chunked ? [10] : []);
    }
  }
});

test('hide_credentials keeps Authorization from the upstream and nothing else', async () => {
  const request = signed({ headers: [digestOf('')] });
  await assertPasses(request, { hide_credentials: true });
  const names = request.upstreamHead().headers.map(([name]) => name);
  assert.deepEqual(names.slice(0, 3), ['Host', 'Date', 'Digest']);
  assert.ok(!names.includes('Authorization'));
  await assertRefused(signed({ secret: 'wrong' }), 'Invalid signature', { hide_credentials: true });
});

test('the realm stands in every challenge', async () => {
  await assertRefused(requestWith([]), '', { realm: 'orders' }, MISSING);
  await assertRefused(requestWith([['Authorization', 'x']]), '', { realm: 'orders' }, OTHER_SCHEME);
  await assertRefused(signed({ secret: 'x' }), 'Invalid signature', { realm: 'orders' });
});

test('the anonymous consumer stands in for every fault', async () => {
  const faulty: readonly HeaderLines[] = [
    [],
    [['Authorization', 'Basic eDp5']],
    signedHeaders({ secret: 'wrong' }),
    signedHeaders({ keyId: 'nobody' }),
    signedHeaders({ headers: [['Date', 'never']] }),
  ];
  for (const headers of faulty) {
    const kept = requestWith(headers);
    await assertPasses(kept, { anonymous_consumer: 'guest' }, GUEST);
    assert.equal(kept.header('authorization'), headers.find(([name]) => name === 'Authorization')?.[1]);
    const hidden = requestWith(headers);
    await assertPasses(hidden, { anonymous_consumer: 'guest', hide_credentials: true }, GUEST);
    assert.equal(hidden.header('authorization'), undefined);
    await assertPasses(requestWith(headers), { anonymous_consumer: 'guest', validate_request_body: true }, GUEST);
  }
  const wrongDigest = signed({ headers: [digestOf('x')] }, { method: 'POST', body: 'y' });
  await assertPasses(wrongDigest, { anonymous_consumer: 'guest', validate_request_body: true }, GUEST);
  await assertPasses(signed(), { anonymous_consumer: 'guest' });
});

test('an anonymous consumer that does not exist lets nobody in', async () => {
  const configuration = { anonymous_consumer: 'nobody', hide_credentials: true };
  await assertRefused(requestWith([]), '', configuration, NO_ANONYMOUS);
  await assertRefused(signed({ secret: 'wrong' }), 'Invalid signature', configuration, NO_ANONYMOUS);
  await assertPasses(signed(), configuration);
});

test('the examples of the page on hmac-auth work', async (context) => {
  const examples = await readPageExamples(import.meta.dirname);
  if (examples === undefined) return context.skip('openssl is not installed');
  const [route, credential] = examples.json;
  assert.deepEqual(validatePlugins(route?.plugins, 'route', [hmacAuthSchema]), []);
  assert.deepEqual(validatePlugins(credential?.plugins, 'credential', [hmacAuthSchema]), []);
  const configured = (document: JsonObject | undefined): JsonObject => JSON.parse(JSON.stringify(document?.plugins))['hmac-auth'];
  const consumers = [{ username: 'jack', credentials: [{ plugin: hmacAuthSchema, configuration: configured(credential) }] }];
  const [sent] = examples.requests;
  const request = new TestRequest({ ...sent, consumers });
  const setup = testSetup({ clock: new FakeClock(Date.now()) });
  assert.equal(await answerTo(request, configured(route), setup), undefined);
  assert.equal(request.consumer?.username, 'jack');
});
