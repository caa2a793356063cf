import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeAdminFixture } from '../testing/admin-fixture.ts';

const RULE = '/apisix/admin/global_rules/file-logger';
const METADATA = '/apisix/admin/plugin_metadata/file-logger';
const MISSING = 'property "path" is not set in either the plugin conf or the metadata';

test('a path that neither the configuration nor the metadata of the group names is refused, by its place', async (t) => {
  const admin = await makeAdminFixture(t);
  const put = async (path: string, body: unknown) => {
    const answer = await admin.send('PUT', path, { body });
    return [answer.status, answer.body.error_msg];
  };
  const without = { plugins: { 'file-logger': {} } };
  assert.deepEqual(await put(RULE, without), [400, `Error at "/plugins/file-logger/path": ${MISSING}`]);
  assert.deepEqual(await put(RULE, { plugins: { 'file-logger': { path: 'logs/file.log' } } }), [200, undefined]);
  assert.deepEqual(await put(METADATA, { path: '/var/log/' }), [
    400,
    'Error at "/path": the path of a log file must name a file, not a folder',
  ]);
  assert.deepEqual(await put(METADATA, { path: '$env://LOG_FILE' }), [200, undefined]);
  assert.deepEqual(await put(RULE, without), [200, undefined]);
});

test('a path into the data of the control plane is refused', async (t) => {
  const admin = await makeAdminFixture(t);
  const [folder = ''] = admin.closedFolders;
  const answer = await admin.send('PUT', RULE, { body: { plugins: { 'file-logger': { path: `${folder}/store.sqlite` } } } });
  assert.deepEqual(
    [answer.status, answer.body.error_msg],
    [400, 'Error at "/plugins/file-logger/path": the path of a log file must not lead into Portcullis\'s own data'],
  );
});

test('validation takes metadata that comes in the same body', async (t) => {
  const admin = await makeAdminFixture(t);
  const rules = [{ id: 'file-logger', plugins: { 'file-logger': {} } }];
  const validate = (body: unknown) => admin.send('POST', '/apisix/admin/configs/validate', { body });
  assert.match(String((await validate({ global_rules: rules })).body.error_msg), /property "path" is not set/);
  const metadata = [{ id: 'file-logger', path: '/var/log/a.log' }];
  assert.equal((await validate({ global_rules: rules, plugin_metadata: metadata })).status, 200);
});
