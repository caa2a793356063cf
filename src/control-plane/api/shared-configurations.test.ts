import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { JsonObject } from '../../lib/json.ts';
import { makeAdminFixture } from '../testing/admin-fixture.ts';

const LIMIT = { count: 2, time_window: 60, group: 'shared', rejected_code: 429 };

async function withService(t: TestContext) {
  const admin = await makeAdminFixture(t);
  await admin.send('PUT', '/apisix/admin/services/s', { body: { name: 's' } });
  const putRoute = (id: string, limit: JsonObject) =>
    admin.send('PUT', `/apisix/admin/routes/${id}`, {
      body: { name: id, service_id: 's', paths: [`/${id}`], plugins: { 'limit-count': limit } },
    });
  return { admin, putRoute };
}

const mismatch = (holder: string) => ({
  error_msg: `Error at "/plugins/limit-count/group": group conf mismatched: it differs from that of ${holder}`,
});

test('two configurations of one group that differ are refused, whatever resource they stand in', async (t) => {
  const { admin, putRoute } = await withService(t);
  assert.equal((await putRoute('a', LIMIT)).status, 200);
  const refused = await putRoute('b', { ...LIMIT, count: 3 });
  assert.deepEqual([refused.status, refused.body], [400, mismatch('route: a')]);
  const service = await admin.send('PUT', '/apisix/admin/services/s', {
    body: { name: 's', plugins: { 'limit-count': { ...LIMIT, key: 'uri' } } },
  });
  assert.deepEqual([service.status, service.body], [400, mismatch('route: a')]);
  assert.equal((await admin.send('GET', '/apisix/admin/routes/b')).status, 404);
});

test('configurations are equal by what they mean: defaults, and the order of fields, make no difference', async (t) => {
  const { putRoute } = await withService(t);
  assert.equal((await putRoute('a', LIMIT)).status, 200);
  assert.equal((await putRoute('b', { rejected_code: 429, policy: 'local', group: 'shared', time_window: 60, count: 2 })).status, 200);
  assert.equal((await putRoute('c', { ...LIMIT, _meta: { priority: 7 } })).status, 200);
  assert.equal((await putRoute('d', { ...LIMIT, group: 'another', count: 9 })).status, 200);
  assert.equal((await putRoute('e', { ...LIMIT, count: 9, _meta: { disable: true } })).status, 200);
});

test('the last of a group may change it, and what was given up or deleted counts no longer', async (t) => {
  const { admin, putRoute } = await withService(t);
  for (const id of ['a', 'b']) assert.equal((await putRoute(id, LIMIT)).status, 200);
  const refused = await putRoute('a', { ...LIMIT, count: 3 });
  assert.deepEqual([refused.status, refused.body], [400, mismatch('route: b')]);
  assert.equal((await putRoute('b', { count: 1, time_window: 1 })).status, 200);
  assert.equal((await putRoute('a', { ...LIMIT, count: 3 })).status, 200);
  assert.equal((await putRoute('b', LIMIT)).status, 400);
  await admin.send('DELETE', '/apisix/admin/routes/a');
  assert.equal((await putRoute('b', LIMIT)).status, 200);
});
