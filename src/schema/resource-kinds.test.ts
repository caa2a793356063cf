import assert from 'node:assert/strict';
import test from 'node:test';
import { RESOURCE_KINDS, resourceKind } from './index.ts';

test('every kind has its own name and collection, and comes after its parent', () => {
  const names = RESOURCE_KINDS.map((kind) => kind.name);
  assert.equal(new Set(names).size, names.length);
  assert.deepEqual(
    RESOURCE_KINDS.map((kind) => kind.collection),
    [
      ...['services', 'upstreams', 'routes', 'stream_routes', 'consumers', 'credentials', 'ssls', 'certificates', 'ca_certificates'],
      ...['snis', 'global_rules', 'plugin_metadata', 'protos', 'secret_providers'],
    ],
  );
  for (const kind of RESOURCE_KINDS) {
    assert.equal(resourceKind(kind.name), kind);
    if (kind.parent !== undefined) assert.ok(names.indexOf(kind.parent) < names.indexOf(kind.name));
  }
});

test('routes and upstreams belong to their service and a credential to its consumer', () => {
  assert.deepEqual(resourceKind('upstream').owner({ nodes: [] }, 's'), { kind: 'service', id: 's' });
  assert.deepEqual(resourceKind('stream_route').owner({ service_id: 's' }, ''), { kind: 'service', id: 's' });
  assert.deepEqual(resourceKind('route').owner({ service_id: 's' }, ''), { kind: 'service', id: 's' });
  assert.deepEqual(resourceKind('credential').owner({ plugins: {} }, 'jack'), { kind: 'consumer', id: 'jack' });
  assert.equal(resourceKind('service').owner({ name: 's' }, ''), undefined);
  assert.equal(resourceKind('consumer').owner({ username: 'jack' }, ''), undefined);
});

test('answers show the id, whatever the body said, and what clients need though it is not stored', () => {
  assert.deepEqual(resourceKind('service').present({ name: 's' }, 'a'), { type: 'http', name: 's', id: 'a' });
  assert.deepEqual(resourceKind('route').present({ name: 'r' }, 'a'), { name: 'r', id: 'a' });
  assert.deepEqual(resourceKind('consumer').present({ username: 'jack' }, 'jack'), { username: 'jack' });
  assert.deepEqual(resourceKind('credential').present({ plugins: {} }, 'c'), { name: 'c', plugins: {}, id: 'c' });
  assert.deepEqual(resourceKind('credential').present({ name: 'laptop' }, 'c'), { name: 'laptop', id: 'c' });
  assert.deepEqual(resourceKind('global_rule').present({ plugins: {} }, 'cors'), { plugins: {}, id: 'cors' });
});

test('plugin metadata is shown exactly as it was written', () => {
  const metadata = { log_format: { host: '$host' } };
  assert.equal(resourceKind('plugin_metadata').present(metadata, 'http-logger'), metadata);
});

test('the secrets of a provider are named for the store and masked in answers, and nothing else of it changes', () => {
  const { present, secretPointers } = resourceKind('secret_provider');
  const account = { auth_config: { client_email: 'a', private_key: 'p', extra: ['x'] }, ssl_verify: false };
  assert.deepEqual(secretPointers(account), ['/auth_config/private_key']);
  assert.deepEqual(present(account, 'gcp/1'), {
    id: 'gcp/1',
    auth_config: { client_email: 'a', private_key: '********', extra: ['x'] },
    ssl_verify: false,
  });
  assert.equal(account.auth_config.private_key, 'p');
  const aws = { access_key_id: 'a', secret_access_key: 'b', session_token: 'c' };
  assert.deepEqual(secretPointers(aws), ['/secret_access_key', '/session_token']);
  assert.deepEqual(secretPointers({ auth_config: 'x', token: 7 }), []);
  for (const kind of RESOURCE_KINDS.filter(({ name }) => name !== 'secret_provider')) assert.deepEqual(kind.secretPointers(aws), []);
});
