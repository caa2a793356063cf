import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeAdminFixture } from '../testing/admin-fixture.ts';

const MASK = '********';
const SECRET = 'a secret of the manager';
const PROVIDERS = {
  'vault/1': { uri: 'https://vault.example/v1', prefix: 'kv/apisix', token: SECRET, namespace: 'team' },
  'aws/1': { access_key_id: 'AKIA', secret_access_key: SECRET, session_token: SECRET, region: 'eu-central-1' },
  'gcp/1': { auth_config: { client_email: 'a@b.example', private_key: SECRET, project_id: 'p', scope: ['s'] }, ssl_verify: false },
  'kubernetes/1': { apiserver_addr: 'https://kubernetes.example:6443', token: SECRET },
} as const;
const masked = (value: unknown) => JSON.parse(JSON.stringify(value).replaceAll(SECRET, MASK));

test('providers of each manager are stored, and read with a mask in place of every secret', async (t) => {
  const admin = await makeAdminFixture(t);
  for (const [id, body] of Object.entries(PROVIDERS)) {
    const written = await admin.send('PUT', `/apisix/admin/secret_providers/${id}`, { body });
    assert.equal(written.status, 200, written.text);
    const read = await admin.send('GET', `/apisix/admin/secrets/${id}`);
    const { created_at, updated_at, ...value } = read.body.value;
    assert.deepEqual(value, { ...masked(body), id });
    assert.deepEqual(written.body.value, read.body.value);
  }
  const list = await admin.send('GET', '/apisix/admin/secrets');
  assert.deepEqual(
    list.body.list.map((provider: { id: string }) => provider.id),
    Object.keys(PROVIDERS).toReversed(),
  );
  assert.ok(!list.text.includes(SECRET));
  assert.equal((await admin.send('DELETE', '/apisix/admin/secrets/aws/1')).status, 200);
  assert.equal((await admin.send('GET', '/apisix/admin/secret_providers/aws/1')).status, 404);
});

test('the secrets of a provider are kept whole in the store, and in no version of its history', async (t) => {
  const admin = await makeAdminFixture(t);
  for (const [id, body] of Object.entries(PROVIDERS)) await admin.send('PUT', `/apisix/admin/secret_providers/${id}`, { body });
  for (const [id, body] of Object.entries(PROVIDERS)) {
    const key = { groupId: 'default', kind: 'secret_provider', parentId: '', id };
    assert.deepEqual((await admin.store.getResource(key))?.document, body);
    const omitted = [await admin.store.getResource(key, { secrets: 'omit' }), await admin.history.listVersions(key, 9)];
    assert.ok(!JSON.stringify(omitted).includes(SECRET), id);
  }
});

test('a mask that was read is never stored as if it were the secret', async (t) => {
  const admin = await makeAdminFixture(t);
  for (const [id, body] of Object.entries(PROVIDERS)) {
    const answer = await admin.send('PUT', `/apisix/admin/secret_providers/${id}`, { body: masked(body) });
    assert.equal(answer.status, 400, id);
    assert.match(answer.body.error_msg, /value is the mask of an answer, not a secret/);
  }
});

test('each manager has its own fields, and an unknown one is refused', async (t) => {
  const admin = await makeAdminFixture(t);
  const errorOf = async (id: string, body: unknown): Promise<string> => {
    const answer = await admin.send('PUT', `/apisix/admin/secrets/${id}`, { body });
    assert.equal(answer.status, 400, answer.text);
    return answer.body.error_msg;
  };
  assert.equal(
    await errorOf('vault/1', { uri: 'vault', token: 7 }),
    'Error at "/prefix": property "prefix" is missing; Error at "/uri": string doesn\'t match the regular expression ' +
      '"^[^/]+://[^/]+"; Error at "/token": value must be a string',
  );
  assert.match(await errorOf('aws/1', { access_key_id: 'a' }), /^Error at "\/secret_access_key": property/);
  assert.match(await errorOf('gcp/1', {}), /^Error at "\/auth_config": property "auth_config" or "auth_file" is missing/);
  assert.match(await errorOf('gcp/1', { auth_config: {} }), /Error at "\/auth_config\/private_key": property/);
  assert.match(await errorOf('kubernetes/1', {}), /^Error at "\/apiserver_addr": property/);
  for (const id of ['azure/1', 'vault%2Fx/1', 'vault/a%2Fb', '__proto__/1']) {
    assert.match(await errorOf(id, PROVIDERS['vault/1']), /^Error at "\/id": string doesn't match/, id);
  }
  assert.equal((await admin.send('PUT', '/apisix/admin/secrets/vault', { body: {} })).status, 404);
});

test('validation knows the manager by the id', async (t) => {
  const admin = await makeAdminFixture(t);
  const validate = (providers: readonly unknown[]) =>
    admin.send('POST', '/apisix/admin/configs/validate', { body: { secret_providers: providers } });
  assert.equal((await validate([{ id: 'vault/1', ...PROVIDERS['vault/1'] }])).status, 200);
  const bad = await validate([{ id: 'vault/1' }, PROVIDERS['vault/1']]);
  assert.deepEqual(
    bad.body.errors.map((error: Record<string, unknown>) => [error.resource_id, error.index]),
    [
      ['vault/1', 0],
      ['', 1],
    ],
  );
});
