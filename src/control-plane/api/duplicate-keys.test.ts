import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { makeAdminFixture } from '../testing/admin-fixture.ts';
import { TEST_PLUGIN_SCHEMAS } from '../testing/test-plugin-schemas.ts';

const KEY = 'k7Qm2ZxV9tLrB4nWc8HsJd3FgPy6EaUo';

async function withConsumers(t: TestContext) {
  const admin = await makeAdminFixture(t);
  for (const username of ['jack', 'jill']) await admin.send('PUT', `/apisix/admin/consumers/${username}`, { body: { username } });
  const putCredential = (username: string, id: string, key: unknown) =>
    admin.send('PUT', `/apisix/admin/consumers/${username}/credentials/${id}`, { body: { plugins: { 'key-auth': { key } } } });
  const putInline = (username: string, key: string) =>
    admin.send('PUT', `/apisix/admin/consumers/${username}`, { body: { username, plugins: { 'key-auth': { key } } } });
  return { admin, putCredential, putInline };
}

test('a key that a credential holds is refused everywhere else, and the holder is named', async (t) => {
  const { admin, putCredential, putInline } = await withConsumers(t);
  assert.equal((await putCredential('jack', 'c1', KEY)).status, 200);
  for (const refused of [
    await putCredential('jack', 'c2', KEY),
    await putCredential('jill', 'c1', KEY),
    await putInline('jill', KEY),
    await putInline('jack', KEY),
  ]) {
    assert.equal(refused.status, 400);
    assert.deepEqual(refused.body, { error_msg: 'duplicate key of plugin key-auth found with credential: c1 of consumer: jack' });
  }
  assert.equal((await admin.send('GET', '/apisix/admin/consumers/jill/credentials')).body.total, 0);
  assert.equal((await admin.send('GET', '/apisix/admin/consumers/jill')).body.value.plugins, undefined);
});

test('a key written on a consumer is refused on credentials, its own among them', async (t) => {
  const { putCredential, putInline } = await withConsumers(t);
  assert.equal((await putInline('jack', KEY)).status, 200);
  for (const refused of [await putCredential('jack', 'c1', KEY), await putCredential('jill', 'c1', KEY), await putInline('jill', KEY)]) {
    assert.deepEqual([refused.status, refused.body], [400, { error_msg: 'duplicate key of plugin key-auth found with consumer: jack' }]);
  }
});

test('a resource may be written again with its own key, and a key that was given up is free', async (t) => {
  const { admin, putCredential, putInline } = await withConsumers(t);
  assert.equal((await putCredential('jack', 'c1', KEY)).status, 200);
  assert.equal((await putCredential('jack', 'c1', KEY)).status, 200);
  assert.equal((await putCredential('jack', 'c1', `${KEY}2`)).status, 200);
  assert.equal((await putCredential('jill', 'c1', KEY)).status, 200);
  await admin.send('DELETE', '/apisix/admin/consumers/jill');
  assert.equal((await putInline('jack', KEY)).status, 200);
  assert.equal((await putInline('jack', KEY)).status, 200);
});

test('of twenty parallel writes of one key exactly one is accepted', async (t) => {
  const { admin, putCredential } = await withConsumers(t);
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) => putCredential(index % 2 === 0 ? 'jack' : 'jill', `c${index}`, KEY)),
  );
  assert.equal(answers.filter((answer) => answer.status === 200).length, 1);
  const refused = answers.filter((answer) => answer.status === 400);
  assert.equal(refused.length, 19);
  for (const { body } of refused)
    assert.match(body.error_msg, /^duplicate key of plugin key-auth found with credential: c\d+ of consumer: (jack|jill)$/);
  const lists = await Promise.all(['jack', 'jill'].map((name) => admin.send('GET', `/apisix/admin/consumers/${name}/credentials`)));
  assert.equal(
    lists.reduce((sum, list) => sum + list.body.total, 0),
    1,
  );
});

test('a credential of an unknown consumer is 404, after everything that is wrong with itself', async (t) => {
  const { admin, putCredential } = await withConsumers(t);
  const unknown = await putCredential('nobody', 'c1', KEY);
  assert.deepEqual([unknown.status, unknown.body], [404, { error_msg: 'consumer not found' }]);
  const put = (body: unknown) => admin.send('PUT', '/apisix/admin/consumers/nobody/credentials/c1', { body });
  assert.match((await put('{')).body.error_msg, /^invalid request body: /);
  assert.match((await put({ plugins: {} })).body.error_msg, /^Error at "\/plugins": /);
  assert.match((await put({ plugins: { 'key-auth': { key: KEY }, other: {} } })).body.error_msg, /^Error at "\/plugins/);
  assert.match((await put({ plugins: { 'key-auth': {} } })).body.error_msg, /^Error at "\/plugins\/key-auth\/key": /);
  assert.match((await put({ plugins: { 'key-auth': { key: '' } } })).body.error_msg, /^Error at "\/plugins\/key-auth\/key": /);
  await putCredential('jack', 'c1', KEY);
  assert.match((await putCredential('nobody', 'c1', KEY)).body.error_msg, /^duplicate key/);
});

test('the key comes back as it was written, and a weak one gets a warning', async (t) => {
  const { admin, putCredential } = await withConsumers(t);
  const weak = await putCredential('jack', 'weak', 'secret-api-key');
  assert.deepEqual([weak.status, weak.body.value.plugins], [200, { 'key-auth': { key: 'secret-api-key' } }]);
  assert.match(weak.body.warning_msg, /key of plugin key-auth is easy to guess/);
  assert.ok(!weak.body.warning_msg.includes('secret-api-key'));
  assert.equal((await putCredential('jack', 'strong', KEY)).body.warning_msg, undefined);
  for (const key of ['ключ', '"\\\u0000\n', 'x'.repeat(10_000)]) {
    assert.equal((await putCredential('jack', 'odd', key)).status, 200);
    const read = await admin.send('GET', '/apisix/admin/consumers/jack/credentials/odd');
    assert.equal(read.body.value.plugins['key-auth'].key, key);
  }
});

test('a duplicate of another plugin is told by the field that must be unique, which is no weak key where it is no secret', async (t) => {
  const admin = await makeAdminFixture(t, { plugins: TEST_PLUGIN_SCHEMAS });
  const plugins = { 'user-auth': { user: 'foo', password: 'bar' } };
  for (const username of ['jack', 'jill']) {
    const written = await admin.send('PUT', `/apisix/admin/consumers/${username}`, { body: { username } });
    assert.equal(written.status, 200);
  }
  const first = await admin.send('PUT', '/apisix/admin/consumers/jack/credentials/c1', { body: { plugins } });
  assert.deepEqual([first.status, first.body.warning_msg], [200, undefined]);
  const second = await admin.send('PUT', '/apisix/admin/consumers/jill', { body: { username: 'jill', plugins } });
  assert.deepEqual(
    [second.status, second.body.error_msg],
    [400, 'duplicate user of plugin user-auth found with credential: c1 of consumer: jack'],
  );
});

test('no key is logged, whatever becomes of the request', async (t) => {
  const { admin, putCredential } = await withConsumers(t);
  await putCredential('jack', 'c1', KEY);
  await putCredential('jack', 'c2', KEY);
  await putCredential('nobody', 'c2', KEY);
  await admin.send('PUT', '/apisix/admin/consumers/jack/credentials/c3', { body: `{"plugins": {"key-auth": {"key": "${KEY}" }` });
  await admin.send('GET', `/apisix/admin/consumers?gateway_group_id=default&secret=${KEY}`, { token: KEY });
  assert.ok(admin.log.lines.length > 5);
  assert.ok(!JSON.stringify(admin.log.lines).includes(KEY));
});
