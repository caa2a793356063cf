import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeAdminFixture } from '../testing/admin-fixture.ts';
import { TEST_PLUGIN_SCHEMAS } from '../testing/test-plugin-schemas.ts';

const LIST = '/apisix/admin/plugin_metadata';
const METADATA = { log_format: { host: '$host' }, test: 'kept', created_at: 'the user’s own' };
const plugins = TEST_PLUGIN_SCHEMAS;

test('metadata reads exactly as it was written, alone and in the object that lists all', async (t) => {
  const admin = await makeAdminFixture(t, { plugins });
  assert.deepEqual((await admin.send('GET', LIST)).body, { value: {} });
  const written = await admin.send('PUT', `${LIST}/a-logger`, { body: METADATA });
  assert.deepEqual([written.status, written.body, written.headers.etag], [200, { value: METADATA }, '"1"']);
  assert.deepEqual((await admin.send('GET', `${LIST}/a-logger`)).body, { value: METADATA });
  assert.deepEqual((await admin.send('GET', `${LIST}?gateway_group_id=default&labels%5Ba%5D=b&page_size=1`)).body, {
    value: { 'a-logger': METADATA },
  });
  await admin.send('PUT', `${LIST}/a-logger`, { body: { id: 'a-logger', log_format: {} } });
  assert.deepEqual((await admin.send('GET', `${LIST}/a-logger`)).body, { value: { log_format: {} } });
  assert.deepEqual((await admin.send('DELETE', `${LIST}/a-logger`)).body, {});
  assert.equal((await admin.send('GET', `${LIST}/a-logger`)).status, 404);
  assert.equal((await admin.send('DELETE', `${LIST}/a-logger`)).status, 404);
});

test('metadata is judged by its plugin, and refused where the plugin is unknown or has none', async (t) => {
  const admin = await makeAdminFixture(t, { plugins });
  const put = async (plugin: string, body: unknown) => {
    const answer = await admin.send('PUT', `${LIST}/${plugin}`, { body });
    return [answer.status, answer.body.error_msg];
  };
  assert.deepEqual(await put('a-logger', { max_pending_entries: 0 }), [400, 'Error at "/max_pending_entries": number must be at least 1']);
  assert.deepEqual(await put('a-logger', { id: 'other' }), [400, 'Error at "/id": wrong plugin_metadata id']);
  assert.deepEqual(await put('a-logger', []), [400, 'Error at "": value must be an object']);
  assert.deepEqual(await put('user-auth', {}), [400, 'Error at "/id": plugin user-auth has no metadata']);
  assert.deepEqual(await put('xyz', {}), [400, 'Error at "/id": unknown plugin [xyz]']);
  for (const name of ['constructor', 'toString', '__proto__']) assert.equal((await put(name, {}))[0], 400, name);
  assert.deepEqual((await admin.send('GET', LIST)).body, { value: {} });
});

test('validation takes metadata as ADC sends it, with the plugin as its id', async (t) => {
  const admin = await makeAdminFixture(t, { plugins });
  const validate = (metadata: readonly unknown[]) =>
    admin.send('POST', '/apisix/admin/configs/validate', { body: { plugin_metadata: metadata } });
  assert.equal((await validate([{ id: 'a-logger', ...METADATA }])).status, 200);
  const bad = await validate([{ id: 'a-logger', log_format: 7 }, { id: 'xyz' }, {}, 7]);
  assert.deepEqual(
    bad.body.errors.map((error: Record<string, unknown>) => [error.resource_type, error.resource_id, error.index, error.error]),
    [
      ['plugin_metadata', 'a-logger', 0, 'Error at "/log_format": value must be an object'],
      ['plugin_metadata', 'xyz', 1, 'Error at "/id": unknown plugin [xyz]'],
      ['plugin_metadata', '', 2, 'Error at "/id": property "id" is missing'],
      ['plugin_metadata', '', 3, 'Error at "": value must be an object'],
    ],
  );
});

test('what a plugin names as secret in its metadata is encrypted at rest, given back in clear, and in no version that is over', async (t) => {
  const admin = await makeAdminFixture(t, {
    plugins: plugins.map((schema) => (schema.metadataSchema === undefined ? schema : { ...schema, metadataSecrets: ['/log_format/*'] })),
  });
  const metadata = { log_format: { token: 'a-secret', other: '$env://TOKEN', size: 7 } };
  assert.deepEqual((await admin.send('PUT', `${LIST}/a-logger`, { body: metadata })).body, { value: metadata });
  assert.deepEqual((await admin.send('GET', `${LIST}/a-logger`)).body, { value: metadata });
  const key = { groupId: 'default', kind: 'plugin_metadata', parentId: '', id: 'a-logger' } as const;
  assert.ok(!JSON.stringify((await admin.store.getResource(key, { secrets: 'omit' }))?.document).includes('a-secret'));
  await admin.send('PUT', `${LIST}/a-logger`, { body: {} });
  const versions = await admin.history.listVersions(key, 9);
  assert.deepEqual(versions[1]?.secretPointers, ['/log_format/token']);
  assert.ok(!JSON.stringify(versions).includes('a-secret'));
});

test('every write of metadata is a version in its history and an entry in the audit log', async (t) => {
  const admin = await makeAdminFixture(t, { plugins });
  await admin.send('PUT', `${LIST}/a-logger`, { body: METADATA });
  await admin.send('PUT', `${LIST}/a-logger`, { body: {} });
  await admin.send('DELETE', `${LIST}/a-logger`);
  const key = { groupId: 'default', kind: 'plugin_metadata', parentId: '', id: 'a-logger' };
  assert.deepEqual(
    (await admin.history.listVersions(key, 9)).map(({ op, document }) => [op, document]),
    [
      ['delete', undefined],
      ['put', {}],
      ['put', METADATA],
    ],
  );
  assert.deepEqual(
    (await admin.history.pageOfAudit(undefined, 3)).map(({ action, resource }) => `${action} ${resource}`),
    [
      'plugin_metadata.delete plugin_metadata/a-logger',
      'plugin_metadata.put plugin_metadata/a-logger',
      'plugin_metadata.put plugin_metadata/a-logger',
    ],
  );
});
