import assert from 'node:assert/strict';
import test from 'node:test';
import type { JsonValue } from '../lib/json.ts';
import { coreSchemas, resourceKind } from './index.ts';

type Schema = { readonly [key: string]: JsonValue };

/** Reads defaults as API7's declarative client does: objects with properties, arrays of objects, and scalars. */
function defaultsOf(schema: JsonValue | undefined): JsonValue | undefined {
  const { type, properties, items, default: value } = asSchema(schema);
  if (type === 'object') {
    if (properties === undefined) return undefined;
    return Object.fromEntries(
      Object.entries(asSchema(properties)).flatMap(([name, field]) => {
        const fieldDefault = defaultsOf(field);
        return fieldDefault === undefined ? [] : [[name, fieldDefault]];
      }),
    );
  }
  if (type === 'array') return asSchema(items).type === 'object' ? [defaultsOf(items) ?? {}] : undefined;
  return value;
}

function asSchema(value: JsonValue | undefined): Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.fromEntries(Object.entries(value)) : {};
}

const published: Schema = JSON.parse(JSON.stringify(coreSchemas()));
const timeout = { connect: 60, send: 60, read: 60 };

test('exactly the kinds that clients ask for are published, each as one flat object', () => {
  assert.deepEqual(Object.keys(published).sort(), [
    'consumer',
    'consumer_credential',
    'global_rule',
    'plugin_metadata',
    'route',
    'service',
    'ssl',
    'stream_route',
    'stream_service',
    'upstream',
  ]);
  for (const schema of Object.values(published)) assert.equal(asSchema(schema).type, 'object');
});

test('a client reads the defaults that API7 has, and no other scalar at the top', () => {
  const upstream = {
    name: 'default',
    scheme: 'http',
    type: 'roundrobin',
    hash_on: 'vars',
    pass_host: 'pass',
    retry_timeout: 0,
    timeout,
    keepalive_pool: { size: 320, idle_timeout: 60, requests: 1000 },
    nodes: [{ priority: 0 }],
  };
  assert.partialDeepStrictEqual(defaultsOf(published.upstream), { ...upstream, discovery_args: {} });
  assert.partialDeepStrictEqual(defaultsOf(published.service), { strip_path_prefix: true, upstream });
  assert.deepEqual(scalarsOf(published.service), { strip_path_prefix: true });
  assert.deepEqual(defaultsOf(published.route), { priority: 0, timeout });
  assert.deepEqual(scalarsOf(published.stream_service), {});
  const streamUpstream = asSchema(asSchema(defaultsOf(published.stream_service)).upstream);
  assert.deepEqual(
    { ...streamUpstream, checks: {} },
    {
      name: 'default',
      type: 'roundrobin',
      scheme: 'tcp',
      hash_on: 'vars',
      retry_timeout: 0,
      timeout,
      nodes: [{ priority: 0 }],
      ...{ keepalive_pool: {}, discovery_args: {}, checks: {} },
    },
  );
  assert.deepEqual(defaultsOf(published.ssl), { client: { depth: 1 } });
  for (const name of ['consumer', 'consumer_credential', 'ssl', 'global_rule', 'plugin_metadata', 'stream_route']) {
    assert.deepEqual(scalarsOf(published[name]), {}, name);
  }
});

test('what a write stores beyond the body is what a client reads out of the schema', () => {
  const body = { name: 's', upstream: { nodes: [{ host: 'a', port: 1, weight: 1 }], timeout: {}, keepalive_pool: {}, discovery_args: {} } };
  const validation = resourceKind('service').validate(body);
  assert.ok(validation.ok);
  const defaults = asSchema(defaultsOf(published.service));
  // `checks` holds no default, so a client that reads it finds only empty objects and takes over none of them.
  const { checks, ...upstream } = asSchema(defaults.upstream);
  assert.deepEqual(checks, { active: { healthy: {}, unhealthy: {} }, passive: { healthy: {}, unhealthy: {} } });
  assert.deepEqual(validation.value, {
    name: 's',
    ...defaults,
    upstream: { ...upstream, nodes: [{ host: 'a', port: 1, weight: 1, priority: 0 }] },
  });
});

test('a stream service is stored with the defaults that its own schema announces', () => {
  const nodes = [{ host: 'a', port: 1, weight: 1 }];
  const validation = resourceKind('service').validate({ name: 's', type: 'stream', upstream: { nodes, pass_host: 'pass', timeout: {} } });
  assert.ok(validation.ok);
  assert.deepEqual(validation.value, {
    name: 's',
    type: 'stream',
    upstream: {
      ...{ name: 'default', type: 'roundrobin', scheme: 'tcp', hash_on: 'vars', pass_host: 'pass', retry_timeout: 0, timeout },
      nodes: [{ host: 'a', port: 1, weight: 1, priority: 0 }],
    },
  });
});

function scalarsOf(schema: JsonValue | undefined): JsonValue {
  return Object.fromEntries(Object.entries(asSchema(defaultsOf(schema))).filter(([, value]) => typeof value !== 'object'));
}
