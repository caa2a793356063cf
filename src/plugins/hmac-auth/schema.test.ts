import assert from 'node:assert/strict';
import test from 'node:test';
import { describeSecrets, type JsonObject, readPluginConfiguration } from '../../plugin-kit/index.ts';
import { configurationError } from '../../plugin-kit/testing/index.ts';
import { hmacAuthSchema } from './schema.ts';

const at = (field: string, message: string): string => `Error at "/plugins/hmac-auth${field}": ${message}`;

test('a route has these defaults', () => {
  assert.deepEqual(readPluginConfiguration(hmacAuthSchema.schema, {}), {
    allowed_algorithms: ['hmac-sha1', 'hmac-sha256', 'hmac-sha512'],
    clock_skew: 300,
    signed_headers: ['date'],
    validate_request_body: false,
    max_req_body_size: 67_108_864,
    hide_credentials: false,
    realm: 'hmac',
  });
});

test('a route takes what APISIX takes, and says what is wrong with the rest', () => {
  const good: readonly JsonObject[] = [
    {},
    { allowed_algorithms: ['hmac-sha1'], clock_skew: 1, signed_headers: [], max_req_body_size: 1 },
    { signed_headers: ['x', 'y'.repeat(50)], validate_request_body: true, hide_credentials: true },
    { anonymous_consumer: 'g', realm: 'r', other: 1 },
  ];
  for (const configuration of good) assert.equal(configurationError(hmacAuthSchema, configuration), '');
  const bad: readonly (readonly [JsonObject, string])[] = [
    [{ allowed_algorithms: [] }, at('/allowed_algorithms', 'minimum number of items is 1')],
    [{ allowed_algorithms: 'hmac-sha1' }, at('/allowed_algorithms', 'value must be an array')],
    [{ allowed_algorithms: ['hmac-md5'] }, at('/allowed_algorithms/0', 'value is not one of the allowed values ["hmac-sha1",')],
    [{ clock_skew: 0 }, at('/clock_skew', 'number must be at least 1')],
    [{ clock_skew: 1.5 }, at('/clock_skew', 'value must be an integer')],
    [{ signed_headers: 'date' }, at('/signed_headers', 'value must be an array')],
    [{ signed_headers: [''] }, at('/signed_headers/0', 'minimum string length is 1')],
    [{ signed_headers: ['x'.repeat(51)] }, at('/signed_headers/0', 'maximum string length is 50')],
    [{ validate_request_body: 1 }, at('/validate_request_body', 'value must be a boolean')],
    [{ max_req_body_size: 0 }, at('/max_req_body_size', 'number must be at least 1')],
    [{ hide_credentials: 1 }, at('/hide_credentials', 'value must be a boolean')],
    [{ realm: '' }, at('/realm', 'minimum string length is 1')],
    [{ anonymous_consumer: '' }, at('/anonymous_consumer', 'minimum string length is 1')],
  ];
  for (const [configuration, error] of bad) {
    const said = configurationError(hmacAuthSchema, configuration);
    assert.ok(said.includes(error), said);
  }
});

test('a credential needs a key id and a secret of up to 256 characters', () => {
  const errorOf = (configuration: JsonObject): string => configurationError(hmacAuthSchema, configuration, 'credential');
  assert.equal(errorOf({ key_id: 'k', secret_key: 's' }), '');
  assert.equal(errorOf({ key_id: 'k'.repeat(256), secret_key: 's'.repeat(256) }), '');
  assert.equal(errorOf({ key_id: 'k' }), at('/secret_key', 'property "secret_key" is missing'));
  assert.equal(errorOf({ secret_key: 's' }), at('/key_id', 'property "key_id" is missing'));
  for (const field of ['key_id', 'secret_key']) {
    assert.equal(errorOf({ key_id: 'k', secret_key: 's', [field]: '' }), at(`/${field}`, 'minimum string length is 1'));
    assert.equal(errorOf({ key_id: 'k', secret_key: 's', [field]: 'x'.repeat(257) }), at(`/${field}`, 'maximum string length is 256'));
  }
});

test('the key id is unique, the secret secret, and gateways get the secret', () => {
  assert.deepEqual(describeSecrets({ 'hmac-auth': { key_id: 'k', secret_key: 's' } }, 'credential', [hmacAuthSchema]), {
    secretPointers: ['/plugins/hmac-auth/secret_key'],
    uniqueValues: [{ plugin: 'hmac-auth', field: 'key_id', value: 'k' }],
  });
  assert.deepEqual(
    hmacAuthSchema.credentialData?.({ key_id: 'k', secret_key: 's' }, () => ''),
    { secret_key: 's' },
  );
  assert.equal(
    hmacAuthSchema.credentialData?.({ key_id: 'k', secret_key: '$ENV://S' }, () => ''),
    undefined,
  );
});
