import assert from 'node:assert/strict';
import test from 'node:test';
import { requestSlot } from '../index.ts';
import { collectBody, seededRandom, TestCounters, TestRequest, TestResponse, testDigest, testSetup } from './index.ts';

test('a fixed window begins with its first request and is over when its time is', () => {
  const { counters, clock } = testSetup();
  assert.deepEqual(counters.fixedWindow('k', 2, 1000), { kind: 'allowed', remaining: 1, resetMs: 1000 });
  clock.advance(400);
  assert.deepEqual(counters.fixedWindow('k', 2, 1000), { kind: 'allowed', remaining: 0, resetMs: 600 });
  assert.deepEqual(counters.fixedWindow('k', 2, 1000), { kind: 'rejected', resetMs: 600 });
  assert.deepEqual(counters.fixedWindow('other', 2, 1000), { kind: 'allowed', remaining: 1, resetMs: 1000 });
  clock.advance(600);
  assert.deepEqual(counters.fixedWindow('k', 2, 1000), { kind: 'allowed', remaining: 1, resetMs: 1000 });
});

test('a sliding window weighs the one before it, and does not count what it rejects', () => {
  const { counters, clock } = testSetup();
  clock.setWallClock(10_000);
  for (let count = 0; count < 4; count++) counters.slidingWindow('k', 4, 1000);
  assert.deepEqual(counters.slidingWindow('k', 4, 1000), { kind: 'rejected', resetMs: 1000 });
  clock.setWallClock(11_000);
  assert.deepEqual(counters.slidingWindow('k', 4, 1000), { kind: 'rejected', resetMs: 0 });
  clock.setWallClock(11_250);
  assert.deepEqual(counters.slidingWindow('k', 4, 1000), { kind: 'allowed', remaining: 0, resetMs: 750 });
  clock.setWallClock(13_000);
  assert.deepEqual(counters.slidingWindow('k', 4, 1000), { kind: 'allowed', remaining: 3, resetMs: 1000 });
});

test('a leaky bucket delays up to its burst and forgets what it rejects', () => {
  const { counters, clock } = testSetup();
  assert.deepEqual(counters.leakyBucket('k', 2, 1), { kind: 'allowed', delayMs: 0 });
  assert.deepEqual(counters.leakyBucket('k', 2, 1), { kind: 'allowed', delayMs: 500 });
  assert.deepEqual(counters.leakyBucket('k', 2, 1), { kind: 'rejected' });
  clock.advance(500);
  assert.deepEqual(counters.leakyBucket('k', 2, 1), { kind: 'allowed', delayMs: 500 });
});

test('what has entered is left exactly once', () => {
  const { counters } = testSetup();
  const first = counters.enter('k', 1);
  assert.ok(!(first instanceof Promise) && first.kind === 'entered');
  assert.deepEqual(counters.enter('k', 1), { kind: 'rejected', inFlight: 1 });
  first.leave();
  assert.equal(counters.inFlight('k'), 0);
  assert.throws(() => first.leave(), /exactly once/);
});

test('counters can be out of reach, and those of a server answer later', async () => {
  const setup = testSetup();
  const server = {
    kind: 'redis-cluster',
    nodes: [],
    name: 'n',
    username: undefined,
    password: undefined,
    timeoutMs: 1,
    tls: false,
    tlsVerify: false,
    idleTimeoutMs: 1,
  } as const;
  const counters = setup.counterServer(server);
  assert.ok(counters instanceof TestCounters && setup.servers[0]?.counters === counters);
  counters.unavailable = true;
  const later = counters.fixedWindow('k', 1, 1);
  assert.ok(later instanceof Promise);
  assert.equal((await later).kind, 'unavailable');
  assert.deepEqual(counters.calls, [{ kind: 'fixed-window', key: 'k', numbers: [1, 1] }]);
});

test('a shared record is kept for its lifetime after each call', () => {
  const { records, clock } = testSetup();
  records.record('k', 1000)?.add(0, 5);
  clock.advance(900);
  assert.equal(records.record('k', 1000)?.compareExchange(0, 5, 7), 5);
  clock.advance(900);
  assert.equal(records.record('k', 1000)?.load(0), 7);
  clock.advance(1000);
  assert.equal(records.record('k', 1000)?.load(0), 0);
  records.full = true;
  assert.equal(records.record('other', 1), undefined);
  assert.throws(() => records.record('k', 1)?.store(4, 1), RangeError);
});

test('metrics are the same for the same definition, and can be read', () => {
  const { metrics } = testSetup();
  const definition = { name: 'n', help: 'h', labels: ['a'] };
  metrics.counter(definition).add(['x']);
  metrics.counter(definition).series(['x']).add(2);
  metrics.gauge({ ...definition, name: 'g' }).set(['x'], 7);
  metrics.histogram({ ...definition, name: 'hist' }, [1, 2]).observe(['x'], 1.5);
  assert.deepEqual([metrics.value('n', ['x']), metrics.value('g', ['x']), metrics.observations('hist', ['x'])], [3, 7, [1.5]]);
  assert.throws(() => metrics.counter(definition).add([]));
  assert.throws(() => metrics.counter({ ...definition, labels: [] }));
});

test('calls go nowhere and answer what a test says', async () => {
  const { calls } = testSetup();
  const request = { method: 'GET', url: 'http://a', headers: {}, timeoutMs: 1, verifyTls: true };
  assert.equal((await calls.send(request)).status, 200);
  calls.answer = (_request, index) => (index === 1 ? { status: 503 } : new Error('refused'));
  assert.equal((await calls.send(request)).status, 503);
  await assert.rejects(calls.send(request), /refused/);
  assert.equal(calls.sent.length, 3);
});

test('lines of files are kept in memory until the last has closed', () => {
  const { files } = testSetup();
  const [one, other] = [files.open('/log'), files.open('/log')];
  assert.ok(one.append('a') && other.append('b'));
  one.close();
  assert.deepEqual([files.lines('/log'), files.openCount('/log')], [['a', 'b'], 1]);
  assert.throws(() => one.append('c'), /closed/);
  files.full = true;
  assert.equal(other.append('c'), false);
});

test('randomness is the same in every run', () => {
  assert.deepEqual(seededRandom('a').bytes(70), seededRandom('a').bytes(70));
  assert.notDeepEqual(seededRandom('a').bytes(16), seededRandom('b').bytes(16));
  const random = seededRandom();
  assert.notDeepEqual(random.bytes(16), random.bytes(16));
  assert.equal(testDigest('x'), testDigest('x'));
});

test('a request shows what was done to it, until it is decided', () => {
  const request = new TestRequest({ method: 'POST', target: '/a%20b?x=1&y&x=2', headers: [['Cookie', 'a=b; c="d"'], ['X-A', '1']], body: 'hi' }); // biome-ignore format: one request a line
  assert.deepEqual([request.path, request.query, request.host, request.bodyLength], ['/a b', 'x=1&y&x=2', 'gateway.test', 2]);
  assert.deepEqual([request.cookie('c'), request.queryArgument('x').kind, request.queryArgument('y').kind], ['"d"', 'repeated', 'flag']);
  request.removeQueryArgument('x');
  request.setHeader('x-a', '2');
  request.addHeader('X-A', '3');
  request.setUpstreamHost('up');
  request.setMethod('PUT');
  request.setResponseHeader('X-R', 'r');
  assert.deepEqual(request.upstreamHead(), {
    method: 'PUT',
    target: '/a%20b?y',
    headers: [
      ['Host', 'up'],
      ['Cookie', 'a=b; c="d"'],
      ['Content-Length', '2'],
      ['x-a', '2'],
      ['X-A', '3'],
    ],
  });
  assert.deepEqual(request.responseHeaders, [['X-R', 'r']]);
  for (const [name, value] of [['X', 'a\nb'], ['X y', 'a'], ['Content-Length', '1']] as const) assert.throws(() => request.setHeader(name, value), TypeError); // biome-ignore format: one edit a line
  for (const target of ['a', '/a b', '/a#b']) assert.throws(() => request.setTarget(target), TypeError);
  request.decide();
  assert.throws(() => request.setHeader('X-A', '4'), TypeError);
  const slot = requestSlot<number>('s');
  request.set(slot, 1);
  assert.deepEqual([request.get(slot), request.get(requestSlot<number>('s'))], [1, undefined]);
});

test('variables are those of the request, of its answer and a plugin’s own', () => {
  const request = new TestRequest({ target: '/a?b=c%20d', variables: { uri: '/own' } });
  assert.deepEqual(
    ['uri', 'request_uri', 'arg_b', 'args', 'http_host', 'route_id', 'remote_addr', 'status', 'nothing'].map((name) =>
      request.variable(name),
    ),
    ['/own', '/a?b=c%20d', 'c d', 'b=c%20d', 'gateway.test', 'route-1', '192.0.2.1', 200, undefined],
  );
  request.setVariable('mine', 7);
  request.answeredBy(new TestResponse({ status: 404, headers: [['X-A', 'b']] }));
  assert.deepEqual([request.variable('mine'), request.variable('status'), request.variable('sent_http_x_a')], [7, 404, 'b']);
});

test('an answer keeps its framing and takes no status that is none', () => {
  const response = new TestResponse({ headers: [['Content-Length', '1'], ['X-A', 'b']] }); // biome-ignore format: one answer a line
  response.removeHeader('content-length');
  response.removeHeader('x-a');
  assert.deepEqual(response.headers, [['Content-Length', '1']]);
  for (const name of ['Transfer-Encoding', 'Server', 'date']) assert.throws(() => response.setHeader(name, 'x'), TypeError);
  for (const status of [101, 600, 200.5]) assert.throws(() => (response.status = status), RangeError);
  response.status = 204;
  assert.equal(response.hasBody, false);
});

test('pieces of a body belong to the caller again after each call', async () => {
  const kept: Buffer[] = [];
  const keeping = { write: (chunk: Buffer) => void kept.push(chunk), end: (push: (bytes: Buffer) => void) => push(Buffer.concat(kept)) };
  assert.equal((await collectBody(keeping, ['ab', 'c'])).toString(), '~~~', 'a filter that keeps a piece is found out');
  const passing = { write: (chunk: Buffer, push: (bytes: Buffer) => void) => push(chunk), end: () => {} };
  assert.equal((await collectBody(passing, ['ab', 'c'])).toString(), 'abc');
  assert.equal((await collectBody(undefined, ['ab', 'c'])).toString(), 'abc');
});
