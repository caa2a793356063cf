import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeAdminFixture } from '../testing/admin-fixture.ts';

const LIST = '/apisix/admin/global_rules';
const RULE = { plugins: { 'key-auth': { header: 'x-key', unknown: 'kept', _meta: { disable: false } } } };

test('a global rule reads as it was written, with no default added, and comes to rest', async (t) => {
  const admin = await makeAdminFixture(t);
  assert.equal((await admin.send('PUT', `${LIST}/key-auth`, { body: RULE })).status, 200);
  const { created_at, updated_at, ...value } = (await admin.send('GET', `${LIST}/key-auth`)).body.value;
  assert.deepEqual(value, { id: 'key-auth', ...RULE });
  const dumped = (await admin.send('GET', LIST)).body.list[0];
  const again = await admin.send('PUT', `${LIST}/key-auth`, { body: dumped });
  assert.deepEqual([again.status, again.body.value.plugins], [200, RULE.plugins]);
});

test('labels in the query narrow no list of global rules', async (t) => {
  const admin = await makeAdminFixture(t);
  await admin.send('PUT', `${LIST}/key-auth`, { body: RULE });
  const { body } = await admin.send('GET', `${LIST}?gateway_group_id=default&labels%5Bteam%5D=a`);
  assert.equal(body.total, 1);
});

test('a rule has exactly one plugin, by whose name it is called, and that plugin is judged as on a route', async (t) => {
  const admin = await makeAdminFixture(t);
  const errorOf = async (id: string, body: unknown): Promise<string> => {
    const answer = await admin.send('PUT', `${LIST}/${id}`, { body });
    assert.equal(answer.status, 400);
    return answer.body.error_msg;
  };
  assert.equal(await errorOf('1', RULE), 'Error at "/id": a global rule must have the name of its plugin as its id');
  assert.equal(await errorOf('key-auth', { id: '1', ...RULE }), 'Error at "/id": wrong global_rule id');
  assert.match(await errorOf('key-auth', {}), /^Error at "\/plugins": property "plugins" is missing/);
  assert.match(await errorOf('key-auth', { plugins: {} }), /^Error at "\/plugins": there must be at least 1 properties/);
  assert.match(await errorOf('xyz', { plugins: { xyz: {} } }), /^Error at "\/plugins\/xyz": unknown plugin \[xyz\]/);
  assert.match(await errorOf('key-auth', { plugins: { 'key-auth': {}, xyz: {} } }), /^Error at "\/plugins": there must be at most 1/);
  const header = await errorOf('key-auth', { plugins: { 'key-auth': { header: 7 } } });
  assert.equal(header, 'Error at "/plugins/key-auth/header": value must be a string');
  assert.deepEqual((await admin.send('GET', LIST)).body, { list: [], total: 0 });
});

test('validation takes rules as ADC sends them, without an id, and names the faulty ones', async (t) => {
  const admin = await makeAdminFixture(t);
  const validate = (rules: readonly unknown[]) =>
    admin.send('POST', '/apisix/admin/configs/validate', { body: { global_rules: rules, plugin_metadata: [] } });
  assert.equal((await validate([RULE])).status, 200);
  const bad = await validate([RULE, { plugins: { 'key-auth': { header: 7 } } }, { id: 'x', ...RULE }, { plugins: { xyz: {} } }]);
  assert.deepEqual(
    [bad.status, bad.body.errors.map((error: Record<string, unknown>) => [error.resource_type, error.index])],
    [
      400,
      [
        ['global_rules', 1],
        ['global_rules', 2],
        ['global_rules', 3],
      ],
    ],
  );
});
