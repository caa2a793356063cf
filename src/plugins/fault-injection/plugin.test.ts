import assert from 'node:assert/strict';
import test from 'node:test';
import type { JsonObject, JsonValue } from '../../plugin-kit/index.ts';
import {
  configurationError,
  createPlugin,
  exampleOf,
  readExamples,
  runPhase,
  runPhaseAtOnce,
  TestRequest,
  testSetup,
} from '../../plugin-kit/testing/index.ts';
import { faultInjection } from './plugin.ts';
import { faultInjectionSchema } from './schema.ts';

const PLAIN = ['Content-Type', 'text/plain; charset=utf-8'];

function abortWith(abort: JsonObject, request = new TestRequest({ target: '/orders?a=1&b=2' })) {
  return runPhaseAtOnce(createPlugin(faultInjection, { abort }), 'rewrite', request);
}

test('an abort answers with its status and body, and variables in it', () => {
  assert.deepEqual(abortWith({ http_status: 418, body: 'no $arg_a at $uri, $arg_z ä' }), {
    status: 418,
    headers: [PLAIN],
    body: 'no 1 at /orders,  ä',
    reason: 'fault_injected',
  });
  assert.equal(abortWith({ http_status: 200, body: '' })?.body, '');
});

test('without a body the answer is empty, or from 300 on the gateway’s own', () => {
  assert.deepEqual(abortWith({ http_status: 204 }), { status: 204, headers: [PLAIN], body: '', reason: undefined });
  for (const [status, reason] of [
    [302, undefined],
    [503, 'fault_injected'],
  ] as const) {
    const answer = abortWith({ http_status: status });
    assert.deepEqual(answer, { status, headers: [['Content-Type', 'application/json']], body: '{"error_msg":"injected"}\n', reason });
  }
});

test('headers are set, with variables in them, and may name the type of the body', () => {
  const headers = { 'X-A': 'a=$arg_a', 'X-N': 1.5, 'content-type': 'text/html' };
  const expected = [['X-A', 'a=1'], ['X-N', '1.5'], ['content-type', 'text/html']]; // biome-ignore format: one answer
  assert.deepEqual(abortWith({ http_status: 500, body: '<p>', headers })?.headers, expected);
  assert.deepEqual(abortWith({ http_status: 500, headers })?.headers, expected);
  const attack = new TestRequest({ target: '/?a=%0d%0aSet-Cookie:x' });
  assert.deepEqual(abortWith({ http_status: 500, body: '', headers: { 'X-A': '$arg_a' } }, attack)?.headers, [
    PLAIN,
    ['X-A', '%0D%0ASet-Cookie:x'],
  ]);
});

test('an answer without variables is made once', () => {
  const instance = createPlugin(faultInjection, { abort: { http_status: 500, body: 'x', headers: { a: 'b' } } });
  assert.equal(runPhaseAtOnce(instance, 'rewrite', new TestRequest()), runPhaseAtOnce(instance, 'rewrite', new TestRequest()));
});

test('one of the expressions must hold, an empty list holds never', () => {
  const first = [['arg_a', '==', '1'], ['arg_b', '==', '2']]; // biome-ignore format: one rule
  const cases: ReadonlyArray<readonly [JsonValue, string, boolean]> = [
    [[first], '/?a=1&b=2', true],
    [[first], '/?a=1&b=3', false],
    [[first, [['arg_c', '==', '3']]], '/?c=3', true],
    [[first, [['arg_c', '==', '3']]], '/?c=4', false],
    [[[]], '/', true],
    [[], '/?a=1&b=2', false],
    [[['!AND', ['arg_name', '==', 'jack'], ['arg_age', '!', '<', 18]]], '/?name=jack&age=17', true],
    [[['!AND', ['arg_name', '==', 'jack'], ['arg_age', '!', '<', 18]]], '/?name=jack&age=18', false],
  ];
  for (const [vars, target, strikes] of cases) {
    const answer = abortWith({ http_status: 500, vars }, new TestRequest({ target }));
    assert.equal(answer !== undefined, strikes, `${JSON.stringify(vars)} ${target}`);
  }
});

test('percentage is the share of the requests: absent always, 0 never, 100 always', () => {
  const share = (percentage?: number): number => {
    const abort = { http_status: 500, ...(percentage === undefined ? {} : { percentage }) };
    const instance = createPlugin(faultInjection, { abort });
    let struck = 0;
    for (let request = 0; request < 10_000; request++) if (runPhaseAtOnce(instance, 'rewrite', new TestRequest()) !== undefined) struck++;
    return struck / 10_000;
  };
  assert.deepEqual([share(), share(0), share(100)], [1, 0, 1]);
  for (const percentage of [1, 30, 99]) assert.ok(Math.abs(share(percentage) - percentage / 100) < 0.02);
});

test('a delay lets its request wait, and no other', async () => {
  const setup = testSetup();
  const instance = createPlugin(faultInjection, { delay: { duration: 1.5, vars: [[['arg_slow', '==', '1']]] } }, setup);
  const slow = Promise.resolve(runPhase(instance, 'rewrite', new TestRequest({ target: '/?slow=1' })));
  assert.equal(runPhaseAtOnce(instance, 'rewrite', new TestRequest()), undefined);
  let passed = false;
  void slow.then(() => {
    passed = true;
  });
  setup.clock.advance(1499);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(passed, false);
  setup.clock.advance(1);
  assert.equal(await slow, undefined);
});

test('the delay comes before the abort; both are judged before it', async () => {
  const setup = testSetup();
  const vars = [[['http_x', '==', '1']]];
  const instance = createPlugin(faultInjection, { delay: { duration: 1 }, abort: { http_status: 500, vars } }, setup);
  const request = new TestRequest({ headers: [['x', '1']] });
  const answer = Promise.resolve(runPhase(instance, 'rewrite', request));
  request.setVariable('http_x', '2');
  setup.clock.advance(1000);
  assert.equal((await answer)?.status, 500);
});

test('each of delay and abort throws dice of its own', async () => {
  const setup = testSetup();
  const instance = createPlugin(
    faultInjection,
    { delay: { duration: 1, percentage: 50 }, abort: { http_status: 500, percentage: 50 } },
    setup,
  );
  const seen = new Set<string>();
  for (let round = 0; round < 200; round++) {
    const result = runPhase(instance, 'rewrite', new TestRequest());
    setup.clock.advance(1000);
    seen.add(`${result instanceof Promise} ${(await result)?.status}`);
  }
  assert.deepEqual([...seen].sort(), ['false 500', 'false undefined', 'true 500', 'true undefined']);
});

test('a delay of 0 waits for nothing, one beyond all bounds ends after an hour', async () => {
  assert.equal(runPhaseAtOnce(createPlugin(faultInjection, { delay: { duration: 0 } }), 'rewrite', new TestRequest()), undefined);
  const setup = testSetup();
  const request = new TestRequest();
  const waiting = runPhase(createPlugin(faultInjection, { delay: { duration: 1e12 } }, setup), 'rewrite', request);
  setup.clock.advance(3_599_999);
  assert.equal(setup.clock.pendingTasks, 1);
  setup.clock.advance(1);
  assert.equal(await waiting, undefined);
  assert.equal(request.grantedMs, 3_600_000);
});

test('fields have the bounds of APISIX', () => {
  const errorOf = (configuration: JsonObject) => configurationError(faultInjectionSchema, configuration);
  const rules = (count: number): JsonValue => Array.from({ length: count }, () => [['arg_a', '==', '1']]);
  const good: readonly JsonObject[] = [
    { abort: { http_status: 200 } },
    { abort: { http_status: 599, body: '', percentage: 0, vars: rules(20), headers: { a: 1, b: '' } } },
    { delay: { duration: 0, percentage: 100, vars: [] } },
    { delay: { duration: 0.5 }, abort: { http_status: 200 }, more: 1 },
  ];
  for (const configuration of good) assert.equal(errorOf(configuration), '', JSON.stringify(configuration));
  const bad: ReadonlyArray<readonly [JsonObject, RegExp]> = [
    [{}, /fault-injection"/],
    [{ abort: {} }, /abort\/http_status": property "http_status" is missing/],
    [{ abort: { http_status: 199 } }, /abort\/http_status"/],
    [{ abort: { http_status: 600 } }, /abort\/http_status": value must be <= 599/],
    [{ abort: { http_status: 200.5 } }, /abort\/http_status"/],
    [{ abort: { http_status: 200, body: 1 } }, /abort\/body"/],
    [{ abort: { http_status: 200, headers: {} } }, /abort\/headers"/],
    [{ abort: { http_status: 200, headers: { 'a:b': '1' } } }, /abort\/headers/],
    [{ abort: { http_status: 200, headers: { 'a b': '1' } } }, /abort\/headers": value must be the name of a header/],
    [{ abort: { http_status: 200, headers: { 'Content-Length': 1 } } }, /abort\/headers": the header Content-Length is the gateway's own/],
    [{ abort: { http_status: 200, headers: { a: true } } }, /abort\/headers\/a"/],
    [{ abort: { http_status: 200, percentage: 101 } }, /abort\/percentage"/],
    [{ delay: { duration: 1, percentage: -1 } }, /delay\/percentage"/],
    [{ delay: { duration: 1, percentage: 1.5 } }, /delay\/percentage"/],
    [{ delay: {} }, /delay\/duration": property "duration" is missing/],
    [{ delay: { duration: -1 } }, /delay\/duration"/],
    [{ delay: { duration: '1' } }, /delay\/duration"/],
    [{ delay: { duration: 1, vars: rules(21) } }, /delay\/vars"/],
    [{ delay: { duration: 1, vars: ['x'] } }, /delay\/vars\/0"/],
    [
      { delay: { duration: 1, vars: [[['a', 'is', 1]]] } },
      /delay\/vars\/0": failed to validate the 'vars' expression: invalid operator 'is'/,
    ],
    [{ abort: { http_status: 200, vars: [[['a']]] } }, /abort\/vars\/0": failed to validate the 'vars' expression: invalid expression/],
  ];
  for (const [configuration, message] of bad) assert.match(errorOf(configuration), message, JSON.stringify(configuration));
});

test('the example of the page works', async () => {
  const [example] = await readExamples(import.meta.dirname);
  const { abort } = exampleOf(example, 'fault-injection');
  assert.equal(configurationError(faultInjectionSchema, exampleOf(example, 'fault-injection')), '');
  const answer = abortWith(Object(abort), new TestRequest({ headers: [['X-Fault', '1']], remoteAddress: '192.0.2.7' }));
  assert.deepEqual([answer?.status, answer?.body], [503, 'out of order, 192.0.2.7']);
  assert.deepEqual(answer?.headers[1], ['Retry-After', '120']);
});
