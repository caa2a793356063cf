import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeAdminFixture } from '../testing/admin-fixture.ts';

const PATH = '/apisix/admin/consumers/jack';
const body = { username: 'jack' };

test('a write with If-Match goes through only over the version it names', async (t) => {
  const admin = await makeAdminFixture(t);
  const put = (ifMatch: string) => admin.send('PUT', PATH, { body, headers: { 'if-match': ifMatch } });
  const absent = await put('*');
  assert.deepEqual([absent.status, absent.body], [412, { error_msg: 'the resource does not exist' }]);
  const first = await admin.send('PUT', PATH, { body });
  const tag = String(first.headers.etag);
  assert.equal((await put(tag)).status, 200);
  const stale = await put(tag);
  assert.deepEqual([stale.status, stale.body], [412, { error_msg: 'the resource has changed' }]);
  assert.equal(stale.headers.etag, (await admin.send('GET', PATH)).headers.etag);
  assert.equal(absent.headers.etag, undefined);
  const current = String((await admin.send('GET', PATH)).headers.etag);
  assert.equal((await put(`W/${current}`)).status, 412);
  assert.equal((await put(`"999", ${current}`)).status, 200);
  assert.equal((await put('*')).status, 200);
});

test('If-None-Match: * creates and never replaces', async (t) => {
  const admin = await makeAdminFixture(t);
  const create = () => admin.send('PUT', PATH, { body, headers: { 'if-none-match': '*' } });
  assert.equal((await create()).status, 200);
  const refused = await create();
  assert.deepEqual([refused.status, refused.headers.etag], [412, (await admin.send('GET', PATH)).headers.etag]);
  const many = await Promise.all(
    Array.from({ length: 10 }, () =>
      admin.send('PUT', '/apisix/admin/consumers/jill', { body: { username: 'jill' }, headers: { 'if-none-match': '*' } }),
    ),
  );
  assert.equal(many.filter((answer) => answer.status === 200).length, 1);
});

test('a delete with a stale If-Match leaves the resource', async (t) => {
  const admin = await makeAdminFixture(t);
  const remove = (ifMatch: string) => admin.send('DELETE', PATH, { headers: { 'if-match': ifMatch } });
  assert.equal((await remove('"1"')).status, 412);
  const { etag } = (await admin.send('PUT', PATH, { body })).headers;
  await admin.send('PUT', PATH, { body });
  assert.equal((await remove(String(etag))).status, 412);
  const read = await admin.send('GET', PATH);
  assert.equal(read.status, 200);
  assert.equal((await remove(String(read.headers.etag))).status, 200);
});

test('a reader that has the current version gets 304 and no body', async (t) => {
  const admin = await makeAdminFixture(t);
  const { etag } = (await admin.send('PUT', PATH, { body })).headers;
  for (const value of [String(etag), `W/${etag}`, '*']) {
    const answer = await admin.send('GET', PATH, { headers: { 'if-none-match': value } });
    assert.deepEqual([answer.status, answer.text, answer.headers.etag], [304, '', etag]);
  }
  assert.equal((await admin.send('GET', PATH, { headers: { 'if-none-match': '"0"' } })).status, 200);
});

test('without conditions the last write wins', async (t) => {
  const admin = await makeAdminFixture(t);
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, desc) => admin.send('PUT', PATH, { body: { ...body, desc: String(desc) } })),
  );
  assert.ok(answers.every((answer) => answer.status === 200));
  assert.equal(new Set(answers.map((answer) => answer.headers.etag)).size, 10);
});
