import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecordingLogger } from '../../test-support/recording-logger.ts';
import type { JsonObject } from '../lib/json.ts';
import { PLUGIN_SCHEMAS } from '../plugins/schemas.ts';
import { toSnapshotPlugin } from './snapshot-plugin.ts';
import { TEST_PLUGIN_SCHEMAS } from './testing/test-plugin-schemas.ts';

function userAuth() {
  const log = new RecordingLogger();
  const [, schema] = TEST_PLUGIN_SCHEMAS;
  assert.ok(schema !== undefined);
  const plugin = toSnapshotPlugin(schema, log);
  const dataOf = (configuration: JsonObject) => plugin.credentialData?.(configuration, (text) => `digest of ${text}`);
  return { log, dataOf };
}

test('a credential’s data is computed from its configuration with defaults', () => {
  const { dataOf, log } = userAuth();
  assert.deepEqual(dataOf({ user: 'jack', password: 'p', _meta: { disable: false } }), { password_digest: 'digest of p', rounds: 3 });
  assert.deepEqual(log.lines, []);
});

test('a credential that the plugin does not accept gives nothing, and its values are not logged', () => {
  const { dataOf, log } = userAuth();
  assert.equal(dataOf({ user: 'jack', password: ['clear-password'] }), undefined);
  assert.deepEqual(
    log.lines.map(({ level }) => level),
    ['warn'],
  );
  const text = JSON.stringify(log.lines);
  assert.ok(text.includes('user-auth') && !text.includes('clear-password') && !text.includes('jack'), text);
});

test('key-auth tells gateways nothing of a key but its digest', () => {
  const plugin = PLUGIN_SCHEMAS.find(({ name }) => name === 'key-auth');
  assert.ok(plugin !== undefined);
  const { name, type, credentialData } = toSnapshotPlugin(plugin, new RecordingLogger());
  assert.deepEqual([name, type, credentialData], ['key-auth', 'auth', undefined]);
});

/** What stands for a credential of a plugin of the product. */
function referencedKey(plugin: string, configuration: JsonObject) {
  const schema = PLUGIN_SCHEMAS.find(({ name }) => name === plugin);
  assert.ok(schema !== undefined);
  return toSnapshotPlugin(schema, new RecordingLogger()).referencedKey?.(configuration, (text) => `digest of ${text}`);
}

test('of a key that is kept elsewhere gateways get the reference', () => {
  assert.deepEqual(referencedKey('key-auth', { key: '$env://KEY' }), { plugin: 'key-auth', unique: { reference: '$env://KEY' } });
});

test('a credential without references, with irrelevant ones, or switched off has nothing that stands for it', () => {
  assert.equal(referencedKey('key-auth', { key: 'k' }), undefined);
  assert.equal(referencedKey('key-auth', { key: 'k', note: '$env://NOTE' }), undefined);
  assert.equal(referencedKey('basic-auth', { username: 'u', password: 'p', note: '$env://NOTE' }), undefined);
  assert.equal(referencedKey('key-auth', { key: '$env://KEY', _meta: { disable: true } }), undefined);
});

test('a clear password never travels beside a reference, and a configuration only where its data waits for one', () => {
  assert.deepEqual(referencedKey('basic-auth', { username: '$env://USER', password: 'clear' }), {
    plugin: 'basic-auth',
    unique: { reference: '$env://USER' },
    data: { password_digest: 'digest of clear' },
  });
  const configuration = { username: 'u', password: '$env://PASSWORD' };
  assert.deepEqual(referencedKey('basic-auth', configuration), { plugin: 'basic-auth', unique: { digest: 'digest of u' }, configuration });
  for (const [plugin, credential] of [
    ['jwt-auth', { key: 'k', secret: '$env://SECRET' }],
    ['jwt-auth', { key: 'k', algorithm: 'RS256', public_key: '$secret://vault/1/jack/pem' }],
    ['hmac-auth', { key_id: 'k', secret_key: '$env://SECRET' }],
  ] as const) {
    assert.deepEqual(referencedKey(plugin, credential), { plugin, unique: { digest: 'digest of k' }, configuration: credential });
  }
});
