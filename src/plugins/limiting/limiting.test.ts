// biome-ignore-all lint/suspicious/noTemplateCurlyInString: templates with braces are tested here.
import assert from 'node:assert/strict';
import test from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { TestRequest } from '../../plugin-kit/testing/index.ts';
import type { CounterServerConfiguration } from './counter-server-fields.ts';
import { compileLimitKey, compileLimitNumber, compileRuleKey, counterPrefix, counterServerOf, delayFor } from './index.ts';

test('a variable gives the key, and the client stands in where it is not there', () => {
  const key = compileLimitKey('var', 'http_x_user');
  assert.equal(key(new TestRequest({ headers: [['X-User', 'jack']] })), 'jack');
  assert.equal(key(new TestRequest({ headers: [['X-User', '']] })), '');
  assert.equal(key(new TestRequest()), '192.0.2.1');
  const numbered = compileLimitKey('var', 'n');
  assert.equal(numbered(new TestRequest({ variables: { n: 7 } })), '7');
  assert.equal(numbered(new TestRequest({ variables: { n: ['a', 'b'] } })), 'a,b');
});

test('an IPv6 client counts by its /64, unless a template asks for the address itself', () => {
  const request = new TestRequest({ remoteAddress: '2001:db8:0:1:ffff::9' });
  const neighbour = new TestRequest({ remoteAddress: '2001:db8:0:1::1' });
  const byAddress = compileLimitKey('var', 'remote_addr');
  assert.equal(byAddress(request), byAddress(neighbour));
  assert.notEqual(byAddress(request), byAddress(new TestRequest({ remoteAddress: '2001:db8:0:2::1' })));
  assert.equal(compileLimitKey('var', 'http_x_user')(request), byAddress(request));
  assert.equal(compileLimitKey('var_combination', '$remote_addr')(request), '2001:db8:0:1:ffff::9');
  assert.equal(byAddress(new TestRequest({ remoteAddress: '10.0.0.7' })), '10.0.0.7');
});

test('a template gives the key unless nothing in it is there', () => {
  const key = compileLimitKey('var_combination', '$http_a:$http_b');
  assert.equal(key(new TestRequest({ headers: [['A', '1']] })), '1:');
  assert.equal(key(new TestRequest()), '192.0.2.1');
  const ofRule = compileRuleKey('$http_a');
  assert.equal(ofRule(new TestRequest({ headers: [['A', '1']] })), '1');
  assert.equal(ofRule(new TestRequest()), undefined);
  assert.equal(compileRuleKey('everybody')(new TestRequest()), undefined);
});

test('a constant is the same for all', () => {
  assert.equal(compileLimitKey('constant', 'remote_addr')(new TestRequest()), 'remote_addr');
});

test('a number is taken as it is, a template only when it gives a whole number within its bounds', () => {
  assert.equal(compileLimitNumber(5, 1)(new TestRequest()), 5);
  const number = compileLimitNumber('$http_n', 1);
  const of = (text: string) => number(new TestRequest({ headers: [['N', text]] }));
  assert.equal(of('10'), 10);
  assert.equal(of('9007199254740991'), Number.MAX_SAFE_INTEGER);
  for (const text of ['', '0', '-1', '1.5', '1e3', '0x10', ' 1', 'many', '9007199254740992', '99999999999999999'])
    assert.equal(of(text), undefined, text);
  assert.equal(compileLimitNumber('${http_n ?? 3}', 1)(new TestRequest()), 3);
  assert.equal(compileLimitNumber('0', 0)(new TestRequest()), 0);
});

test('a counter is named after the object that holds the plugin, and its configuration', () => {
  assert.equal(counterPrefix({ owner: { kind: 'consumer', id: 'jack' }, configurationHash: 'abc' }), '/consumers/jack:abc:');
  assert.equal(counterPrefix({ owner: { kind: 'global_rule', id: '1' }, configurationHash: 'abc' }), '/global_rules/1:abc:');
});

test('a delay ends when the clock says so, and a short one is none', async () => {
  const clock = new FakeClock();
  assert.equal(delayFor(new TestRequest(), clock, 0.9), undefined);
  let over = false;
  const delayed = delayFor(new TestRequest(), clock, 1500)?.then(() => {
    over = true;
  });
  clock.advance(1499);
  await Promise.resolve();
  assert.equal(over, false);
  clock.advance(1);
  await delayed;
  assert.equal(over, true);
});

const DEFAULTS: CounterServerConfiguration = {
  policy: 'local',
  redis_port: 6379,
  redis_database: 0,
  redis_timeout: 1000,
  redis_ssl: false,
  redis_ssl_verify: false,
  redis_keepalive_pool: 100,
  redis_cluster_ssl: false,
  redis_cluster_ssl_verify: false,
};

test('each policy says all that its server has to know, with its own defaults', () => {
  assert.equal(counterServerOf(DEFAULTS), undefined);
  assert.deepEqual(
    counterServerOf({ ...DEFAULTS, policy: 'redis', redis_host: 'r1', redis_username: 'u', redis_password: 'p', redis_ssl: true }),
    {
      kind: 'redis',
      host: 'r1',
      port: 6379,
      username: 'u',
      password: 'p',
      database: 0,
      timeoutMs: 1000,
      tls: true,
      tlsVerify: false,
      poolSize: 100,
      idleTimeoutMs: 10_000,
    },
  );
  const cluster = {
    policy: 'redis-cluster',
    redis_cluster_nodes: ['a:1'],
    redis_cluster_name: 'c',
    redis_cluster_ssl_verify: true,
  } as const;
  assert.deepEqual(counterServerOf({ ...DEFAULTS, ...cluster, redis_keepalive_timeout: 5000 }), {
    kind: 'redis-cluster',
    nodes: ['a:1'],
    name: 'c',
    username: undefined,
    password: undefined,
    timeoutMs: 1000,
    tls: false,
    tlsVerify: true,
    idleTimeoutMs: 5000,
  });
  const sentinel = {
    policy: 'redis-sentinel',
    redis_sentinels: [{ host: 's1', port: 26_379 }],
    redis_master_name: 'm',
    sentinel_password: 'sp',
  } as const;
  assert.deepEqual(counterServerOf({ ...DEFAULTS, ...sentinel, redis_role: 'slave', redis_connect_timeout: 7, redis_read_timeout: 8 }), {
    kind: 'redis-sentinel',
    sentinels: [{ host: 's1', port: 26_379 }],
    masterName: 'm',
    username: undefined,
    password: undefined,
    sentinelUsername: undefined,
    sentinelPassword: 'sp',
    database: 0,
    connectTimeoutMs: 7,
    readTimeoutMs: 8,
    idleTimeoutMs: 60_000,
  });
});
