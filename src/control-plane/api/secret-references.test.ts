import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { makeAdminFixture } from '../testing/admin-fixture.ts';
import { TEST_PLUGIN_SCHEMAS } from '../testing/test-plugin-schemas.ts';

const KEY = '$secret://vault/1/jack/key';

async function withConsumers(t: TestContext) {
  const admin = await makeAdminFixture(t);
  for (const username of ['jack', 'jill']) await admin.send('PUT', `/apisix/admin/consumers/${username}`, { body: { username } });
  const putKey = (username: string, key: string) =>
    admin.send('PUT', `/apisix/admin/consumers/${username}/credentials/c1`, { body: { plugins: { 'key-auth': { key } } } });
  return { admin, putKey };
}

test('a key may be a reference: it is shown as it was written, encrypts nothing and warns of nothing', async (t) => {
  const { admin, putKey } = await withConsumers(t);
  const written = await putKey('jack', KEY);
  assert.deepEqual([written.status, written.body.value.plugins, written.body.warning_msg], [200, { 'key-auth': { key: KEY } }, undefined]);
  assert.deepEqual((await admin.send('GET', '/apisix/admin/consumers/jack/credentials/c1')).body.value.plugins, {
    'key-auth': { key: KEY },
  });
  const key = { groupId: 'default', kind: 'credential', parentId: 'jack', id: 'c1' } as const;
  const stored = await admin.store.getResource(key, { secrets: 'omit' });
  assert.deepEqual([stored?.document.plugins, stored?.unique], [{ 'key-auth': { key: KEY } }, []]);
});

test('one reference may stand in two credentials, and takes no key from anybody', async (t) => {
  const { putKey } = await withConsumers(t);
  assert.equal((await putKey('jack', 'k7Qm2ZxV9tLrB4nWc8HsJd3FgPy6EaUo')).status, 200);
  assert.equal((await putKey('jack', KEY)).status, 200);
  assert.equal((await putKey('jill', KEY)).status, 200);
  assert.equal((await putKey('jill', 'k7Qm2ZxV9tLrB4nWc8HsJd3FgPy6EaUo')).status, 200);
});

test('a malformed reference is refused by its pointer, and validation of a whole configuration says the same', async (t) => {
  const { admin, putKey } = await withConsumers(t);
  const message = 'Error at "/plugins/key-auth/key": a secret reference has the form $secret://manager/provider/name/key';
  const refused = await putKey('jack', '$secret://vault/1/key');
  assert.deepEqual([refused.status, refused.body.error_msg], [400, message]);
  const body = { consumers: [{ username: 'joe', plugins: { 'key-auth': { key: '$secret://vault/1/key' } } }] };
  const validated = await admin.send('POST', '/apisix/admin/configs/validate', { body });
  assert.equal(validated.status, 400);
  assert.match(validated.text, /secret:\/\/manager\/provider\/name\/key/);
});

test('_meta takes references, and what they stand for is no reason to refuse a condition', async (t) => {
  const admin = await makeAdminFixture(t);
  const put = async (meta: unknown) => {
    const answer = await admin.send('PUT', '/apisix/admin/global_rules/key-auth', { body: { plugins: { 'key-auth': { _meta: meta } } } });
    return [answer.status, answer.body.error_msg];
  };
  const filter = [
    ['remote_addr', 'ipmatch', '$env://OFFICE'],
    ['uri', '~~', '$secret://vault/1/a/b'],
  ];
  assert.deepEqual(await put({ error_response: '$env://REFUSAL', filter }), [200, undefined]);
  assert.deepEqual(await put({ error_response: { message: '$secret://vault/1/a/b' } }), [200, undefined]);
  assert.match(
    String((await put({ error_response: { message: '$env://' } }))[1]),
    /^Error at "\/plugins\/key-auth\/_meta\/error_response\/message"/,
  );
  assert.match(String((await put({ filter: [['uri', '$env://A', 'b']] }))[1]), /_meta\/filter": failed to validate the 'vars' expression/);
});

test('plugin metadata takes references where it takes text', async (t) => {
  const metadataSchema = {
    type: 'object',
    properties: { uri: { type: 'string', pattern: '^https:' }, size: { type: 'integer' } },
  } as never;
  const plugins = TEST_PLUGIN_SCHEMAS.map((schema) => (schema.name === 'a-logger' ? { ...schema, metadataSchema } : schema));
  const admin = await makeAdminFixture(t, { plugins });
  const put = async (body: unknown) => {
    const answer = await admin.send('PUT', '/apisix/admin/plugin_metadata/a-logger', { body });
    return [answer.status, answer.body.error_msg];
  };
  assert.deepEqual(await put({ uri: '$env://LOG_URI' }), [200, undefined]);
  assert.deepEqual(await put({ uri: '$env://LOG_URI', size: '$env://SIZE' }), [400, 'Error at "/size": value must be an integer']);
  assert.match(String((await put({ uri: '$env://' }))[1]), /^Error at "\/uri": a reference to an environment variable has the form/);
});

test('a provider takes its secrets from the environment of the gateways, and shows such references', async (t) => {
  const admin = await makeAdminFixture(t);
  const vault = { uri: 'https://vault.example', prefix: 'kv', token: '$ENV://VAULT_TOKEN', kv_version: 'kv-v2' };
  const written = await admin.send('PUT', '/apisix/admin/secret_providers/vault/1', { body: vault });
  assert.deepEqual([written.status, written.body.value.token], [200, '$ENV://VAULT_TOKEN']);
  const refused = await admin.send('PUT', '/apisix/admin/secret_providers/vault/1', { body: { ...vault, token: '$secret://vault/2/a/b' } });
  assert.deepEqual(
    [refused.status, refused.body.error_msg],
    [400, 'Error at "/token": a secret provider takes no reference but $env://NAME'],
  );
});
