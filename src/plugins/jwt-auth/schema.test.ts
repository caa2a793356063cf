import assert from 'node:assert/strict';
import test from 'node:test';
import { readPageExamples } from '../../../test-support/curl-example.ts';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { createTestCertificate } from '../../../test-support/test-certificate.ts';
import { describeSecrets, type JsonObject, readPluginConfiguration, validatePlugins } from '../../plugin-kit/index.ts';
import { configurationError, createPlugin, runPhaseAtOnce, TestRequest, testSetup } from '../../plugin-kit/testing/index.ts';
import { jwtAuth } from './plugin.ts';
import { jwtAuthSchema } from './schema.ts';
import { curvePair, ed25519Pair, rsaPair, rsaPssPair } from './testing/key-pairs.ts';

const at = (field: string, message: string): string => `Error at "/plugins/jwt-auth${field}": ${message}`;
const routeError = (configuration: JsonObject): string => configurationError(jwtAuthSchema, configuration);
const credentialError = (configuration: JsonObject): string => configurationError(jwtAuthSchema, configuration, 'credential');

test('a route has these defaults', () => {
  assert.deepEqual(readPluginConfiguration(jwtAuthSchema.schema, {}), {
    header: 'authorization',
    query: 'jwt',
    cookie: 'jwt',
    hide_credentials: false,
    key_claim_name: 'key',
    store_in_ctx: false,
    realm: 'jwt',
  });
});

test('a credential has these defaults', () => {
  assert.deepEqual(readPluginConfiguration(jwtAuthSchema.consumerSchema ?? assert.fail(), { key: 'k', secret: 's' }), {
    key: 'k',
    secret: 's',
    algorithm: 'HS256',
    exp: 86_400,
    base64_secret: false,
    lifetime_grace_period: 0,
  });
});

test('a route takes what APISIX takes, and says what is wrong with the rest', () => {
  const good: readonly JsonObject[] = [
    {},
    { header: '', query: '', cookie: '' },
    { claims_to_verify: [] },
    { claims_to_verify: ['exp', 'nbf'] },
    { key_claim_name: 'x', store_in_ctx: true, hide_credentials: true, realm: 'r', anonymous_consumer: 'g' },
    { other: 1 },
  ];
  for (const configuration of good) assert.equal(routeError(configuration), '');
  const bad: readonly (readonly [JsonObject, string])[] = [
    [{ header: 1 }, at('/header', 'value must be a string')],
    [{ query: null }, at('/query', 'value must be a string')],
    [{ cookie: {} }, at('/cookie', 'value must be a string')],
    [{ hide_credentials: 1 }, at('/hide_credentials', 'value must be a boolean')],
    [{ store_in_ctx: 'x' }, at('/store_in_ctx', 'value must be a boolean')],
    [{ key_claim_name: '' }, at('/key_claim_name', 'minimum string length is 1')],
    [{ claims_to_verify: 'exp' }, at('/claims_to_verify', 'value must be an array')],
    [{ claims_to_verify: ['iat'] }, at('/claims_to_verify/0', 'value is not one of the allowed values ["exp","nbf"]')],
    [{ claims_to_verify: ['exp', 'exp'] }, at('/claims_to_verify', 'duplicate items found')],
    [{ realm: '' }, at('/realm', 'minimum string length is 1')],
    [{ anonymous_consumer: '' }, at('/anonymous_consumer', 'minimum string length is 1')],
  ];
  for (const [configuration, error] of bad) assert.ok(routeError(configuration).includes(error), routeError(configuration));
});

test('a credential takes what APISIX takes, and says what is wrong with the rest', () => {
  const good: readonly JsonObject[] = [
    { key: 'k', secret: 's' },
    { key: 'k', secret: 's', algorithm: 'HS512', exp: 1, lifetime_grace_period: 0 },
    { key: 'k', secret: 'c2VjcmV0', base64_secret: true },
    { key: 'k', secret: 'c2VjcmV0LQ', base64_secret: true },
    { key: 'k', secret: '***', base64_secret: false },
  ];
  for (const configuration of good) assert.equal(credentialError(configuration), '');
  const bad: readonly (readonly [JsonObject, string])[] = [
    [{ secret: 's' }, at('/key', 'property "key" is missing')],
    [{ key: '', secret: 's' }, at('/key', 'minimum string length is 1')],
    [{ key: 'k', secret: '' }, at('/secret', 'minimum string length is 1')],
    [{ key: 'k', secret: 's', exp: 0 }, at('/exp', 'number must be at least 1')],
    [{ key: 'k', secret: 's', exp: 1.5 }, at('/exp', 'value must be an integer')],
    [{ key: 'k', secret: 's', lifetime_grace_period: -1 }, at('/lifetime_grace_period', 'number must be at least 0')],
    [{ key: 'k', secret: 's', base64_secret: 'x' }, at('/base64_secret', 'value must be a boolean')],
    [{ key: 'k', public_key: '' }, at('/public_key', 'minimum string length is 1')],
  ];
  for (const [configuration, error] of bad) assert.ok(credentialError(configuration).includes(error), credentialError(configuration));
  for (const algorithm of ['none', 'hs256', 'HS1', 'ES256K', '']) {
    assert.match(credentialError({ key: 'k', secret: 's', algorithm }), /algorithm": value is not one of the allowed values \["HS256",/);
  }
});

test('an algorithm with a shared secret needs one, in base64 where it says so', () => {
  const required = at('/secret', 'property "secret" is required when using HS based algorithms');
  for (const algorithm of ['HS256', 'HS384', 'HS512']) {
    assert.equal(credentialError({ key: 'k', algorithm }), required);
    assert.equal(credentialError({ key: 'k', algorithm, base64_secret: true, public_key: 'p' }), required);
    for (const secret of ['***', 'a', 'c2Vj cmV0', 'c2VjcmV0LQ===', '=']) {
      const notBase64 = at('/secret', 'base64_secret required but the secret is not in base64 format');
      assert.equal(credentialError({ key: 'k', algorithm, base64_secret: true, secret }), notBase64);
    }
  }
  assert.equal(credentialError({ key: 'k' }), required);
});

test('every other algorithm needs a public key that fits it', async () => {
  const rsa = rsaPair().pem;
  const [p256, p384, p521] = ['prime256v1', 'secp384r1', 'secp521r1'].map((name) => curvePair(name).pem);
  const ed25519 = ed25519Pair().pem;
  const pss = rsaPssPair('sha256').pem;
  const { cert } = await createTestCertificate();
  const fits: readonly (readonly [string, string | undefined])[] = [
    ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'].map((name) => [name, rsa] as const),
    ['ES256', p256],
    ['ES384', p384],
    ['ES512', p521],
    ['EdDSA', ed25519],
    ['PS256', pss],
    ['ES256', cert],
  ];
  for (const [algorithm, public_key = ''] of fits) assert.equal(credentialError({ key: 'k', algorithm, public_key }), '', algorithm);
  for (const algorithm of new Set(fits.map(([name]) => name))) {
    assert.equal(credentialError({ key: 'k', algorithm }), at('/public_key', 'missing valid public key'));
    assert.equal(credentialError({ key: 'k', algorithm, secret: 's' }), at('/public_key', 'missing valid public key'));
  }
  const misfits: readonly (readonly [string, string | undefined, string])[] = [
    ['RS256', rsaPair(1024).pem, 'RS256 needs an RSA key of 2048 to 8192 bits'],
    ['PS512', rsaPair(1024).pem, 'PS512 needs an RSA key of 2048 to 8192 bits'],
    ['RS256', p256, 'RS256 needs an RSA key'],
    ['RS256', pss, 'RS256 needs an RSA key'],
    ['PS384', pss, 'PS384 needs a key that allows sha384'],
    ['PS256', ed25519, 'PS256 needs an RSA key'],
    ['ES256', p384, 'ES256 needs a key on the curve P-256'],
    ['ES384', p256, 'ES384 needs a key on the curve P-384'],
    ['ES512', rsa, 'ES512 needs a key on the curve P-521'],
    ['ES256', curvePair('secp256k1').pem, 'ES256 needs a key on the curve P-256'],
    ['EdDSA', p256, 'EdDSA needs an Ed25519 or Ed448 key'],
    ['EdDSA', 'no key', 'it cannot be read as PEM'],
    ['RS256', rsa.replace('MII', 'AAA'), 'it cannot be read as PEM'],
  ];
  for (const [algorithm, public_key = '', problem] of misfits) {
    assert.equal(credentialError({ key: 'k', algorithm, public_key }), at('/public_key', `missing valid public key: ${problem}`));
  }
});

test('a private key is refused where a public one belongs, in whatever form', () => {
  const { privateKey } = rsaPair();
  const forms = [
    privateKey.export({ type: 'pkcs8', format: 'pem' }),
    privateKey.export({ type: 'pkcs1', format: 'pem' }),
    privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'p' }),
  ];
  for (const form of forms) {
    const error = credentialError({ key: 'k', algorithm: 'RS256', public_key: form.toString() });
    assert.equal(error, at('/public_key', 'missing valid public key: it is a private key'));
  }
});

test('on a route nothing is asked of secrets and keys', () => {
  assert.equal(configurationError(jwtAuthSchema, {}, 'service'), '');
  assert.equal(configurationError(jwtAuthSchema, {}, 'global_rule'), '');
  assert.match(configurationError(jwtAuthSchema, {}, 'consumer'), /property "key" is missing/);
});

test('gateways get the key that the algorithm needs, and no other', () => {
  const dataOf = (configuration: JsonObject) => jwtAuthSchema.credentialData?.(configuration, () => '');
  assert.deepEqual(dataOf({ key: 'k', secret: 's', public_key: 'p' }), {
    algorithm: 'HS256',
    lifetime_grace_period: 0,
    secret: 's',
    base64_secret: false,
  });
  assert.deepEqual(dataOf({ key: 'k', algorithm: 'ES256', secret: 's', public_key: 'p', lifetime_grace_period: 5 }), {
    algorithm: 'ES256',
    lifetime_grace_period: 5,
    public_key: 'p',
  });
  for (const useless of [{ key: 'k' }, { key: 'k', secret: '$env://S' }, { key: 'k', algorithm: 'RS256', public_key: '$secret://v/1/k' }]) {
    assert.equal(dataOf(useless), undefined);
  }
});

test('the key is unique and the secret is secret', () => {
  assert.deepEqual(describeSecrets({ 'jwt-auth': { key: 'k', secret: 's' } }, 'credential', [jwtAuthSchema]), {
    secretPointers: ['/plugins/jwt-auth/secret'],
    uniqueValues: [{ plugin: 'jwt-auth', field: 'key', value: 'k' }],
  });
});

test('the examples of the page on jwt-auth work', async (context) => {
  const examples = await readPageExamples(import.meta.dirname);
  if (examples === undefined) return context.skip('openssl is not installed');
  const [route, credential] = examples.json;
  assert.deepEqual(validatePlugins(route?.plugins, 'route', [jwtAuthSchema]), []);
  assert.deepEqual(validatePlugins(credential?.plugins, 'credential', [jwtAuthSchema]), []);
  const configured = (document: JsonObject | undefined): JsonObject => JSON.parse(JSON.stringify(document?.plugins))['jwt-auth'];
  const consumers = [{ username: 'jack', credentials: [{ plugin: jwtAuthSchema, configuration: configured(credential) }] }];
  const [request] = examples.requests;
  const sent = new TestRequest({ ...request, consumers });
  const instance = createPlugin(jwtAuth, configured(route), testSetup({ clock: new FakeClock(Date.now()) }));
  assert.equal(runPhaseAtOnce(instance, 'rewrite', sent), undefined);
  assert.equal(sent.consumer?.username, 'jack');
});
