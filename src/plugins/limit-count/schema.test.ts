import assert from 'node:assert/strict';
import test from 'node:test';
import { type JsonObject, readPluginConfiguration } from '../../plugin-kit/index.ts';
import { configurationError } from '../../plugin-kit/testing/index.ts';
import { limitCountSchema } from './schema.ts';

const LIMIT = { count: 2, time_window: 60 };

function errorOf(configuration: JsonObject): string {
  return configurationError(limitCountSchema, configuration);
}

function assertError(configuration: JsonObject, pointer: string, message: string): void {
  assert.equal(errorOf(configuration), `Error at "/plugins/limit-count${pointer}": ${message}`);
}

test('the defaults are those of APISIX', () => {
  assert.deepEqual(readPluginConfiguration(limitCountSchema.schema, LIMIT), {
    ...LIMIT,
    window_type: 'fixed',
    key: 'remote_addr',
    key_type: 'var',
    policy: 'local',
    rejected_code: 503,
    allow_degradation: false,
    show_limit_quota_header: true,
    sync_interval: -1,
    redis_port: 6379,
    redis_database: 0,
    redis_timeout: 1000,
    redis_ssl: false,
    redis_ssl_verify: false,
    redis_keepalive_pool: 100,
    redis_cluster_ssl: false,
    redis_cluster_ssl_verify: false,
    redis_role: 'master',
    redis_connect_timeout: 1000,
    redis_read_timeout: 1000,
  });
});

test('all that is allowed is accepted', () => {
  const rule = { count: 1, time_window: '$http_w', key: '$remote_addr' };
  const good: readonly JsonObject[] = [
    LIMIT,
    { count: '$http_c', time_window: '10' },
    { ...LIMIT, window_type: 'sliding', key: '', key_type: 'constant', group: '' },
    { rules: [] },
    { rules: [rule, { ...rule, key: '$uri', header_prefix: 'uri' }] },
    { ...LIMIT, rejected_code: 200, rejected_msg: 'x', allow_degradation: true, show_limit_quota_header: false },
    { ...LIMIT, rejected_code: 599, limit_header: 'X-A', remaining_header: 'X-B', reset_header: 'X-C', unknown: 1 },
    {
      ...LIMIT,
      policy: 'redis',
      redis_host: 'r1',
      redis_password: '',
      redis_timeout: 1,
      redis_keepalive_timeout: 1000,
      sync_interval: 0.1,
    },
    { ...LIMIT, policy: 'redis', redis_host: '$env://REDIS_HOST', redis_password: '$env://REDIS_PASSWORD', sync_interval: -1 },
    { ...LIMIT, policy: 'redis-cluster', redis_cluster_nodes: ['a:1'], redis_cluster_name: 'c', redis_keepalive_pool: 1 },
    { ...LIMIT, policy: 'redis-sentinel', redis_sentinels: [{ host: 's1', port: 1 }], redis_master_name: 'm', redis_keepalive_timeout: 1 },
    { ...LIMIT, sync_interval: 0.01 },
    { count: 1, time_window: '$http_w', policy: 'redis', redis_host: 'r1', sync_interval: 100 },
  ];
  for (const configuration of good) assert.equal(errorOf(configuration), '', JSON.stringify(configuration));
});

test('values out of their bounds are refused where they stand', () => {
  const fields: readonly JsonObject[] = [
    { count: 0 },
    { count: 1.5 },
    { count: true },
    { time_window: 0 },
    { time_window: null },
    { window_type: 'leaky' },
    { key: 1 },
    { key_type: 'header' },
    { group: 1 },
    { policy: 'memory' },
    { rejected_code: 199 },
    { rejected_code: 600 },
    { rejected_msg: '' },
    { allow_degradation: 1 },
    { show_limit_quota_header: 'no' },
    { sync_interval: '1' },
    { redis_host: 'r' },
    { redis_port: 0 },
    { redis_username: '' },
    { redis_password: 1 },
    { redis_database: -1 },
    { redis_timeout: 0 },
    { redis_ssl: 1 },
    { redis_ssl_verify: 1 },
    { redis_keepalive_timeout: 0 },
    { redis_keepalive_pool: 0 },
    { redis_cluster_nodes: [] },
    { redis_cluster_nodes: ['a'] },
    { redis_cluster_nodes: ['x'.repeat(101)] },
    { redis_cluster_name: 1 },
    { redis_cluster_ssl: 1 },
    { redis_cluster_ssl_verify: 1 },
    { redis_sentinels: [] },
    { redis_sentinels: [{ host: 's', port: 1 }] },
    { redis_sentinels: [{ host: 's1', port: 65_536 }] },
    { redis_sentinels: [{ host: 's1', port: 1, extra: 1 }] },
    { redis_master_name: '' },
    { redis_role: 'replica' },
    { redis_connect_timeout: 0 },
    { redis_read_timeout: 0 },
    { sentinel_username: '' },
    { sentinel_password: 1 },
    { limit_header: 'a b' },
    { remaining_header: 'Content-Length' },
    { reset_header: 1 },
  ];
  for (const field of fields) {
    const [name = ''] = Object.keys(field);
    assert.ok(errorOf({ ...LIMIT, ...field }).startsWith(`Error at "/plugins/limit-count/${name}`), JSON.stringify(field));
  }
});

test('a policy needs the fields of its server', () => {
  assertError({ ...LIMIT, policy: 'redis' }, '/redis_host', 'property "redis_host" is missing');
  assertError(
    { ...LIMIT, policy: 'redis', redis_host: 'r1', redis_keepalive_timeout: 999 },
    '/redis_keepalive_timeout',
    'number must be at least 1000',
  );
  assertError(
    { ...LIMIT, policy: 'redis-cluster', redis_cluster_name: 'c' },
    '/redis_cluster_nodes',
    'property "redis_cluster_nodes" is missing',
  );
  assertError(
    { ...LIMIT, policy: 'redis-cluster', redis_cluster_nodes: ['a:1'] },
    '/redis_cluster_name',
    'property "redis_cluster_name" is missing',
  );
  assertError({ ...LIMIT, policy: 'redis-sentinel', redis_master_name: 'm' }, '/redis_sentinels', 'property "redis_sentinels" is missing');
  const sentinels = [{ host: 's1', port: 1 }];
  assertError(
    { ...LIMIT, policy: 'redis-sentinel', redis_sentinels: sentinels },
    '/redis_master_name',
    'property "redis_master_name" is missing',
  );
});

test('count with time_window, or rules: APISIX’s words where it is neither or both', () => {
  const rules = [{ count: 1, time_window: 1, key: '$uri' }];
  const none = 'value should match only one schema, but matches none';
  assertError({}, '', none);
  assertError({ count: 1 }, '', none);
  assertError({ time_window: 1 }, '', none);
  assertError({ ...LIMIT, rules }, '/rules', 'count/time_window and rules cannot be specified at the same time');
  assertError({ rules, group: 'g' }, '/group', 'group and rules cannot be specified at the same time');
  assertError({ ...LIMIT, count: 0 }, '/count', 'number must be more than 0');
  assertError({ rules: [...rules, { count: 2, time_window: 2, key: '$uri' }] }, '/rules/1/key', "duplicate key '$uri' in rules");
  for (const field of ['count', 'time_window', 'key']) {
    const rule = Object.fromEntries(Object.entries({ count: 1, time_window: 1, key: 'k' }).filter(([name]) => name !== field));
    assertError({ rules: [rule] }, `/rules/0/${field}`, `property "${field}" is missing`);
  }
});

test('a sync_interval is at least 0.1 and smaller than the window', () => {
  const redis = { ...LIMIT, policy: 'redis', redis_host: 'r1' };
  for (const interval of [0.09, 0, -2]) {
    assertError({ ...redis, sync_interval: interval }, '/sync_interval', 'sync_interval should not be smaller than 0.1');
  }
  for (const interval of [60, 61]) {
    assertError({ ...redis, sync_interval: interval }, '/sync_interval', 'sync_interval should be smaller than time_window');
  }
  assert.equal(errorOf({ ...redis, sync_interval: 59.9 }), '');
});

test('passwords are secrets', () => {
  assert.deepEqual(limitCountSchema.secretFields, ['redis_password', 'sentinel_password']);
});
