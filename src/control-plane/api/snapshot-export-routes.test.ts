import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExportState } from '../snapshot-export/index.ts';
import { makeAdminFixture } from '../testing/admin-fixture.ts';

const PATH = '/api/gateway_groups/default/snapshot_export';

test('how exports go is told: that there are none, that none was made yet, the last one, and why they fail', async (t) => {
  assert.deepEqual((await (await makeAdminFixture(t)).send('GET', PATH)).body, { value: { status: 'off', failures: 0 } });
  const states: ExportState[] = [];
  const admin = await makeAdminFixture(t, { exporter: { description: 's3://bucket', states: () => states } });
  const told = async () => (await admin.send('GET', PATH)).body.value;
  assert.deepEqual(await told(), { status: 'pending', target: 's3://bucket', failures: 0 });
  states.push({ groupId: 'other', revision: 9, exportedAtMs: 1, failures: 3, lastFailure: 'of another group' });
  await admin.send('PUT', '/apisix/admin/consumers/jack', { body: { username: 'jack' } });
  await admin.send('PUT', '/apisix/admin/consumers/jill', { body: { username: 'jill' } });
  const exported: ExportState = { groupId: 'default', revision: 1, exportedAtMs: 5_000, failures: 0, lastFailure: undefined };
  states.push(exported);
  const good = { status: 'exported', target: 's3://bucket', revision: 1, lag: 1, exported_at: 5, failures: 0 };
  assert.deepEqual(await told(), good);
  states.splice(1, 1, { ...exported, failures: 2, lastFailure: 'the store answered 403' });
  assert.deepEqual(await told(), { ...good, status: 'failing', failures: 2, last_failure: 'the store answered 403' });
});

test('an unknown group has no exports, and nobody without a token sees any', async (t) => {
  const admin = await makeAdminFixture(t);
  assert.equal((await admin.send('GET', '/api/gateway_groups/none/snapshot_export')).status, 404);
  assert.equal((await admin.send('GET', PATH, { token: undefined })).status, 401);
});
