import assert from 'node:assert/strict';
import test from 'node:test';
import type { JsonObject, JsonValue } from '../../plugin-kit/index.ts';
import {
  configurationError,
  createPlugin,
  exampleOf,
  readExamples,
  runPhaseAtOnce,
  TestRequest,
  testSetup,
} from '../../plugin-kit/testing/index.ts';
import { inlineUpstreams } from './inline-upstreams.ts';
import { trafficSplit } from './plugin.ts';
import { trafficSplitSchema } from './schema.ts';

const BLUE = { type: 'roundrobin', nodes: { '127.0.0.1:1981': 1 } };
const GREEN = { type: 'roundrobin', nodes: [{ host: '127.0.0.1', port: 1982, weight: 1 }] };

/** What becomes of so many requests: the index of the upstream each goes to, undefined for the route's own. */
function chosen(rules: JsonValue, count: number, target = '/'): readonly (number | undefined)[] {
  const instance = createPlugin(trafficSplit, { rules });
  return Array.from({ length: count }, () => {
    const request = new TestRequest({ target });
    assert.equal(runPhaseAtOnce(instance, 'access', request), undefined);
    return request.chosenUpstream?.index;
  });
}

function shares(choices: readonly (number | undefined)[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const choice of choices) counts[String(choice)] = (counts[String(choice)] ?? 0) + 1;
  return counts;
}

test('requests are divided exactly by weight, evenly spread, and an entry without an upstream is the route’s own', () => {
  const weighted = [{ upstream: BLUE, weight: 3 }, { upstream: GREEN, weight: 2 }, { weight: 5 }];
  const choices = chosen([{ weighted_upstreams: weighted }], 1000);
  assert.deepEqual(shares(choices), { 0: 300, 1: 200, undefined: 500 });
  for (let start = 0; start < 990; start += 10) assert.deepEqual(shares(choices.slice(start, start + 10)), { 0: 3, 1: 2, undefined: 5 });
});

test('the start is random, so that workers do not go in step', () => {
  const rules = [{ weighted_upstreams: [{ upstream: BLUE }, { upstream: GREEN }, { weight: 1 }] }];
  const starts = new Set(
    Array.from({ length: 40 }, (_, seed) => {
      const request = new TestRequest();
      const bytes = (length: number): Buffer => Buffer.alloc(length, seed);
      runPhaseAtOnce(createPlugin(trafficSplit, { rules }, testSetup({ random: { bytes } })), 'access', request);
      return request.chosenUpstream?.index;
    }),
  );
  assert.equal(starts.size, 3);
});

test('a weight of 0 is never chosen; where all are 0 the route’s own upstream is', () => {
  assert.deepEqual(shares(chosen([{ weighted_upstreams: [{ upstream: BLUE, weight: 0 }, { upstream: GREEN }] }], 50)), { 1: 50 });
  assert.deepEqual(shares(chosen([{ weighted_upstreams: [{ upstream: BLUE, weight: 0 }] }], 50)), { undefined: 50 });
});

test('the first rule that holds counts, the others are not looked at', () => {
  const rules = [
    { match: [{ vars: [['arg_a', '==', '1'], ['arg_b', '==', '1']] }, { vars: [['arg_c', '==', '1']] }], weighted_upstreams: [{ upstream: BLUE }] },
    { match: [{ vars: [['arg_a', '==', '1']] }], weighted_upstreams: [{ upstream: GREEN }] },
    { match: [{ vars: [['arg_d', '==', '1']] }] },
    { match: [{ vars: [['arg_e', '==', '1']] }], weighted_upstreams: [{ upstream: BLUE }] },
  ]; // biome-ignore format: one rule a line
  assert.deepEqual(chosen(rules, 1, '/?a=1&b=1'), [0]);
  assert.deepEqual(chosen(rules, 1, '/?c=1&a=1'), [0]);
  assert.deepEqual(chosen(rules, 1, '/?a=1'), [1]);
  assert.deepEqual(chosen(rules, 1, '/?d=1&e=1'), [undefined]);
  assert.deepEqual(chosen(rules, 1, '/?e=1'), [2]);
  assert.deepEqual(chosen(rules, 1, '/?f=1'), [undefined]);
});

test('a rule without a condition always holds, and one without upstreams means the route’s own', () => {
  for (const match of [undefined, [], [{ vars: [] }]]) {
    const rule = { ...(match === undefined ? {} : { match }), weighted_upstreams: [{ upstream: BLUE }] };
    assert.deepEqual(chosen([rule, { weighted_upstreams: [{ upstream: GREEN }] }], 2), [0, 0]);
  }
  assert.deepEqual(chosen([{}], 2), [undefined, undefined]);
  assert.deepEqual(chosen([], 2), [undefined, undefined]);
  assert.equal(runPhaseAtOnce(createPlugin(trafficSplit, {}), 'access', new TestRequest()), undefined);
});

test('expressions see the consumer that authentication found', () => {
  const rules = [{ match: [{ vars: [['consumer_name', '==', 'jack']] }], weighted_upstreams: [{ upstream: BLUE }] }];
  const instance = createPlugin(trafficSplit, { rules });
  const request = new TestRequest({ consumer: { username: 'jack', customId: undefined, credentialId: undefined } });
  runPhaseAtOnce(instance, 'access', request);
  assert.equal(request.chosenUpstream?.index, 0);
});

test('an id is that of an upstream of the service, of its own or a further one, and wins over an upstream beside it', () => {
  const entries = [{ upstream_id: 'canary', upstream: BLUE, weight: 3 }, { upstream: GREEN }, { upstream_id: 'service-1' }];
  const instance = createPlugin(trafficSplit, { rules: [{ weighted_upstreams: entries }] });
  const choices = Array.from({ length: 50 }, () => {
    const request = new TestRequest({ serviceUpstreams: ['other', 'canary'] });
    assert.equal(runPhaseAtOnce(instance, 'access', request), undefined);
    return request.chosenUpstream;
  });
  const canary = new TestRequest({ serviceUpstreams: ['other', 'canary'] }).serviceUpstream('canary');
  const isCanary = choices.filter((upstream) => upstream?.index === canary?.index);
  assert.deepEqual([isCanary.length, choices.filter((upstream) => upstream?.index === 0).length], [30, 10]);
  assert.equal(choices.filter((upstream) => upstream === undefined).length, 10);
});

test('an id that the service does not have fails each request that reaches its rule', () => {
  const answer = (rules: JsonValue, target = '/') => {
    const request = new TestRequest({ target });
    return { answer: runPhaseAtOnce(createPlugin(trafficSplit, { rules }), 'access', request), upstream: request.chosenUpstream };
  };
  const unknown = {
    status: 500,
    headers: [['Content-Type', 'text/plain; charset=utf-8']],
    body: 'failed to fetch upstream info by upstream id: other',
    reason: 'unknown_upstream',
  };
  assert.deepEqual(answer([{ weighted_upstreams: [{ upstream_id: 'service-1' }] }]), { answer: undefined, upstream: undefined });
  assert.deepEqual(answer([{ weighted_upstreams: [{ upstream_id: 'other', upstream: BLUE }] }]).answer, unknown);
  const behind = {
    match: [{ vars: [['arg_a', '==', '1']] }],
    weighted_upstreams: [{ upstream: BLUE }, { upstream_id: 'other', weight: 0 }],
  };
  assert.deepEqual(answer([behind]).answer, unknown, 'asked before the rule’s condition');
  assert.equal(answer([{ weighted_upstreams: [{ upstream: GREEN }] }, behind]).upstream?.index, 0);
  assert.equal(answer([{ weighted_upstreams: [{ upstream_id: 7 }] }]).answer?.body.endsWith('id: 7'), true);
});

test('the gateway gets the upstreams in the order of the entries, as a service writes them, with the fields that count', () => {
  const full = {
    name: 'n',
    type: 'chash',
    hash_on: 'vars',
    key: 'uri',
    pass_host: 'rewrite',
    upstream_host: 'h',
    timeout: { connect: 1, send: 2, read: 3 },
    scheme: 'http',
  };
  const ignored = { retries: 3, checks: { active: {} }, keepalive_pool: { size: 1 }, tls: {}, labels: { a: 'b' } };
  const rules = [
    { weighted_upstreams: [{ weight: 1 }, { upstream: { ...full, ...ignored, nodes: { 'a.test:80': 1, 'b.test': 2, '[::1]:8080': 0 } } }] },
    { weighted_upstreams: [{ upstream_id: 'x', upstream: BLUE }, { upstream: GREEN }] },
    {},
  ];
  const nodes = [
    { host: 'a.test', port: 80, weight: 1 },
    { host: 'b.test', port: 80, weight: 2 },
    { host: '[::1]', port: 8080, weight: 0 },
  ];
  assert.deepEqual(inlineUpstreams({ rules }), [{ ...full, nodes }, GREEN]);
  assert.deepEqual(inlineUpstreams({}), []);
});

test('each rule takes the handles of its own upstreams', () => {
  const rule = (name: string) => ({ match: [{ vars: [['arg_r', '==', name]] }], weighted_upstreams: [{ weight: 0 }, { upstream: BLUE }] });
  const rules = [rule('0'), { match: [{ vars: [['arg_r', '==', 'x']] }] }, rule('1'), rule('2')];
  for (const index of [0, 1, 2]) assert.deepEqual(chosen(rules, 1, `/?r=${index}`), [index]);
});

test('fields have the bounds of APISIX', () => {
  const errorOf = (configuration: JsonObject) => configurationError(trafficSplitSchema, configuration);
  const entries = (weighted: JsonValue): JsonObject => ({ rules: [{ weighted_upstreams: weighted }] });
  const good: readonly JsonObject[] = [
    {},
    { rules: [] },
    { rules: [{}], more: 1 },
    { rules: [{ match: [] }] },
    { rules: [{ match: [{ vars: [] }, { vars: [['arg_a', '==', '1']] }] }] },
    entries(Array.from({ length: 20 }, () => ({ weight: 0 }))),
    entries([{ upstream_id: 'a-b_c.1' }, { upstream_id: 1 }, { upstream_id: 'not-there-yet', upstream: BLUE }]),
    entries([{ upstream: { ...GREEN, scheme: 'http', timeout: { connect: 1 } } }, { upstream: BLUE, weight: 100_000 }]),
  ];
  for (const configuration of good) assert.equal(errorOf(configuration), '', JSON.stringify(configuration));
  const bad: ReadonlyArray<readonly [JsonObject, RegExp]> = [
    [{ rules: {} }, /rules"/],
    [{ rules: ['x'] }, /rules\/0"/],
    [{ rules: [{ match: {} }] }, /rules\/0\/match"/],
    [{ rules: [{ match: [{ vars: 'x' }] }] }, /match\/0\/vars"/],
    [
      { rules: [{ match: [{ vars: [['a', 'is', 1]] }] }] },
      /match\/0\/vars": failed to validate the 'vars' expression: invalid operator 'is'$/,
    ],
    [{ rules: [{ match: [{}] }] }, /match\/0\/vars": failed to validate the 'vars' expression: rule should be wrapped inside brackets$/],
    [entries([]), /weighted_upstreams"/],
    [entries(Array.from({ length: 21 }, () => ({}))), /weighted_upstreams"/],
    [entries([{ weight: -1 }]), /0\/weight"/],
    [entries([{ weight: 1.5 }]), /0\/weight"/],
    [entries([{ upstream_id: 0 }]), /0\/upstream_id"/],
    [entries([{ upstream_id: '' }]), /0\/upstream_id"/],
    [entries([{ upstream_id: 'a b' }]), /0\/upstream_id"/],
    [entries([{ upstream_id: 'x'.repeat(65) }]), /0\/upstream_id"/],
    [entries([{ upstream: {} }]), /0\/upstream\/nodes": property "nodes" is missing/],
    [entries([{ upstream: { nodes: [{ host: 'a' }] } }]), /0\/upstream\/nodes/],
    [entries([{ upstream: { nodes: [{ host: 'a b', port: 80, weight: 1 }] } }]), /upstream\/nodes\/0\/host"/],
    [entries([{ upstream: { nodes: { 'a:80': -1 } } }]), /upstream\/nodes/],
    [entries([{ upstream: { nodes: { 'a:99999': 1 } } }]), /upstream\/nodes\/0\/port": value must be a port$/],
    [entries([{ upstream: { nodes: { 'a:0': 1 } } }]), /upstream\/nodes\/0\/port": value must be a port$/],
    [entries([{ upstream: { ...BLUE, type: 'other' } }]), /upstream\/type"/],
    [entries([{ upstream: { ...BLUE, type: 'chash' } }]), /upstream\/key": property "key" is missing/],
    [entries([{ upstream: { ...BLUE, pass_host: 'rewrite' } }]), /upstream\/upstream_host"/],
  ];
  for (const [configuration, message] of bad) assert.match(errorOf(configuration), message, JSON.stringify(configuration));
});

test('the example of the page works', async () => {
  const [example] = await readExamples(import.meta.dirname);
  const configuration = exampleOf(example, 'traffic-split');
  assert.equal(configurationError(trafficSplitSchema, configuration), '');
  assert.deepEqual(shares(chosen(configuration.rules ?? [], 50)), { 1: 10, undefined: 40 });
  const canary = new TestRequest({ headers: [['X-Canary', 'yes']] });
  runPhaseAtOnce(createPlugin(trafficSplit, configuration), 'access', canary);
  assert.equal(canary.chosenUpstream?.index, 0);
});
