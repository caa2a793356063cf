import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AdminFixture, makeAdminFixture } from '../testing/admin-fixture.ts';
import { makeSampleResources } from '../testing/sample-resources.ts';

const SAMPLES = await makeSampleResources();
const QUERY = '?gateway_group_id=default';
const SPELLINGS = ['dry_run=true', 'dry-run=all'];

async function everything(admin: AdminFixture): Promise<unknown> {
  const lists = await Promise.all(SAMPLES.map(({ list }) => admin.send('GET', list)));
  const audit = await admin.send('GET', '/api/audit_logs');
  const groups = await admin.send('GET', '/api/gateway_groups');
  return [lists.map(({ body }) => body), audit.body.list.length, groups.body, (await admin.store.getGroup('default'))?.revision];
}

test('a write of each kind that is only tried answers what the write would, and stores, announces and logs nothing', async (t) => {
  const admin = await makeAdminFixture(t);
  for (const { list, id, body } of SAMPLES) {
    const before = await everything(admin);
    for (const spelling of SPELLINGS) {
      const tried = await admin.send('PUT', `${list}/${id}${QUERY}&${spelling}`, { body });
      assert.deepEqual([tried.status, tried.body.dry_run], [200, true], tried.text);
      assert.deepEqual([tried.headers.etag, tried.headers['portcullis-revision']], [undefined, undefined]);
    }
    assert.equal((await admin.send('GET', `${list}/${id}`)).status, 404);
    assert.deepEqual(await everything(admin), before);
    const announced = admin.announcer.announced.length;
    const written = await admin.send('PUT', `${list}/${id}`, { body });
    assert.equal(admin.announcer.announced.length, announced + 1);
    const tried = await admin.send('PUT', `${list}/${id}${QUERY}&dry_run=true`, { body });
    assert.deepEqual(tried.body, { ...written.body, dry_run: true });
    assert.equal(admin.announcer.announced.length, announced + 1);
  }
  const nodes = [{ host: 'a.example', port: 80, weight: 1 }];
  await admin.send('PUT', '/apisix/admin/services/whole', { body: { name: 'whole', upstream: { nodes } } });
  const before = await everything(admin);
  for (const { list, id, isCreatable, body } of SAMPLES) {
    const patched = await admin.send('PATCH', `${list}/${id}${QUERY}&dry-run=all`, { body: { desc: 'tried' } });
    assert.deepEqual([patched.status, patched.body.value.desc, patched.body.dry_run], [200, 'tried', true], patched.text);
    if (isCreatable) assert.equal((await admin.send('POST', `${list}${QUERY}&dry_run=true`, { body: { ...body, id } })).status, 409);
  }
  for (const path of ['/apisix/admin/services/whole', '/apisix/admin/services/whole/upstreams/whole']) {
    const deleted = await admin.send('DELETE', `${path}${QUERY}&dry_run=true`);
    assert.deepEqual([deleted.status, deleted.body], [200, { dry_run: true }], deleted.text);
  }
  assert.deepEqual(await everything(admin), before);
});

test('what would be refused is refused when it is only tried', async (t) => {
  const admin = await makeAdminFixture(t);
  const consumer = '/apisix/admin/consumers/jack';
  const tried = (method: 'PUT' | 'DELETE' | 'PATCH', path: string, body?: unknown, headers = {}) =>
    admin.send(method, `${path}${QUERY}&dry_run=true`, { body, headers });
  const key = { plugins: { 'key-auth': { key: 'k'.repeat(40) } } };
  assert.equal((await tried('PUT', consumer, {})).status, 400);
  assert.equal((await tried('DELETE', consumer)).status, 404);
  assert.equal((await tried('PUT', `${consumer}/credentials/c`, key)).status, 404);
  await admin.send('PUT', consumer, { body: { username: 'jack' } });
  await admin.send('PUT', `${consumer}/credentials/c`, { body: key });
  assert.match((await tried('PUT', `${consumer}/credentials/d`, key)).body.error_msg, /duplicate key/);
  assert.equal((await tried('PUT', consumer, { username: 'jack' }, { 'if-match': '"0"' })).status, 412);
  const nobody = await admin.send('PUT', `${consumer}${QUERY}&dry_run=true`, { body: {}, token: undefined });
  assert.equal(nobody.status, 401);
});

test('gateway groups are tried too', async (t) => {
  const admin = await makeAdminFixture(t);
  const before = await everything(admin);
  const made = await admin.send('POST', '/api/gateway_groups?dry_run=true', { body: { name: 'edge' } });
  assert.deepEqual([made.status, made.body.value.name, made.body.dry_run], [200, 'edge', true], made.text);
  const renamed = await admin.send('PUT', '/api/gateway_groups/default?dry-run=all', { body: { name: 'other' } });
  assert.deepEqual([renamed.body.value.name, renamed.body.dry_run], ['other', true], renamed.text);
  assert.deepEqual(await everything(admin), before);
  const { id } = (await admin.send('POST', '/api/gateway_groups', { body: { name: 'edge' } })).body.value;
  assert.deepEqual((await admin.send('DELETE', `/api/gateway_groups/${id}?dry_run=true`)).body, { dry_run: true });
  assert.equal((await admin.send('GET', `/api/gateway_groups/${id}`)).status, 200);
});

test('whoever asks for a trial never gets the real thing: what cannot be tried is refused, and so is what is no spelling of it', async (t) => {
  const admin = await makeAdminFixture(t);
  const path = '/apisix/admin/consumers/jack';
  for (const spelling of ['dry_run=yes', 'dry_run=', 'dry-run=true', 'dry-run=', 'dry_run=false&dry-run=none']) {
    const answer = await admin.send('PUT', `${path}${QUERY}&${spelling}`, { body: { username: 'jack' } });
    assert.equal(answer.status, 400, spelling);
  }
  assert.equal((await admin.send('PUT', `${path}${QUERY}&dry_run=true&dry_run=false`, { body: { username: 'jack' } })).body.dry_run, true);
  assert.equal((await admin.send('GET', path)).status, 404);
  for (const { method, path: route } of admin.routes.filter(({ canBeTried, method: own }) => own !== 'GET' && canBeTried !== true)) {
    const url = `${route.replaceAll(/:[a-z]+/g, 'default')}?gateway_group_id=default&dry_run=true`;
    const answer = await admin.send(method, url, { body: {}, headers: { 'content-type': 'application/json' } });
    assert.deepEqual([answer.status, /cannot be tried/.test(answer.text)], [400, true], `${method} ${route} ${answer.text}`);
  }
  assert.equal((await admin.send('PUT', '/api/license?dry-run=all', { body: { data: 'x' } })).status, 200);
});
