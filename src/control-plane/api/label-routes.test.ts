import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeAdminFixture } from '../testing/admin-fixture.ts';

test('the labels of a kind are told with their values, each once, of the group that is asked for', async (t) => {
  const admin = await makeAdminFixture(t);
  const groupId = (await admin.send('POST', '/api/gateway_groups', { body: { name: 'edge', labels: { zone: 'z1' } } })).body.value.id;
  for (const [path, labels] of [
    ['consumers/a', { team: 'x', stage: 'test' }],
    ['consumers/b', { team: 'y' }],
    ['consumers/c', { team: 'x' }],
    ['services/s', { owner: 'z' }],
  ] as const) {
    const [collection = '', name = ''] = path.split('/');
    const body = { labels, ...(collection === 'consumers' ? { username: name } : { name }) };
    await admin.send('PUT', `/apisix/admin/${path}`, { body });
  }
  await admin.send('PUT', `/apisix/admin/consumers/d?gateway_group_id=${groupId}`, {
    body: { username: 'd', labels: { team: 'elsewhere' } },
  });
  const labels = async (query: string) => (await admin.send('GET', `/api/labels/${query}`)).body.value;
  assert.deepEqual(await labels('consumer?gateway_group_id=default'), { stage: ['test'], team: ['x', 'y'] });
  assert.deepEqual(await labels('service?gateway_group_id=default'), { owner: ['z'] });
  assert.deepEqual(await labels('route?gateway_group_id=default'), {});
  assert.deepEqual(await labels('ssl?gateway_group_id=default'), {});
  assert.deepEqual(await labels(`consumer?gateway_group_id=${groupId}`), { team: ['elsewhere'] });
  assert.deepEqual(await labels('gateway_group'), { zone: ['z1'] });
});

test('more resources than one page holds are all looked at', async (t) => {
  const admin = await makeAdminFixture(t);
  await admin.store.transaction({ id: 'system', name: 'system' }, async (transaction) => {
    for (let number = 0; number < 1_201; number += 1) {
      const key = { groupId: 'default', kind: 'consumer', parentId: '', id: `u${number}` };
      const document = { username: key.id, labels: { last: String(number) } };
      await transaction.putResource({ key, document, secretPointers: [], unique: [], owner: undefined });
    }
  });
  const { value } = (await admin.send('GET', '/api/labels/consumer?gateway_group_id=default')).body;
  assert.equal(value.last.length, 1_201);
});

test('a group must be named and exist, a kind be known, and a token be there', async (t) => {
  const admin = await makeAdminFixture(t);
  const status = async (path: string, request = {}) => (await admin.send('GET', path, request)).status;
  assert.equal(await status('/api/labels/consumer'), 400);
  assert.equal(await status('/api/labels/consumer?gateway_group_id=none'), 404);
  assert.equal(await status('/api/labels/other?gateway_group_id=default'), 404);
  assert.equal(await status('/api/labels/consumer?gateway_group_id=default', { token: undefined }), 401);
});
