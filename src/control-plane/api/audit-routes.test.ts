import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeAdminFixture } from '../testing/admin-fixture.ts';

const SERVICE = '/apisix/admin/services/s';
const KEY = 'a-key-that-nobody-may-read-hvFtJ6NDaLlM';

type Admin = Awaited<ReturnType<typeof makeAdminFixture>>;

async function makeLog(admin: Admin): Promise<void> {
  await admin.send('PUT', SERVICE, { body: { name: 's', desc: 'one' }, headers: { 'x-change-reason': '=HYPERLINK("http://evil")' } });
  await admin.send('PUT', SERVICE, { body: { name: 's', desc: 'two' } });
  await admin.send('PUT', '/apisix/admin/consumers/jack', { body: { username: 'jack' } });
  await admin.send('PUT', '/apisix/admin/consumers/jack/credentials/c', { body: { plugins: { 'key-auth': { key: KEY } } } });
  await admin.send('DELETE', '/apisix/admin/consumers/jack');
}

test('every write is in the log: who, when, from where, why and what, without secrets', async (t) => {
  const admin = await makeAdminFixture(t);
  await makeLog(admin);
  const { status, body, text } = await admin.send('GET', '/api/audit_logs');
  assert.equal(status, 200);
  assert.deepEqual(
    body.list.map((entry: { event_type: string; resource_id: string }) => `${entry.event_type} ${entry.resource_id}`),
    [
      'consumer.delete consumer/jack',
      'credential.put consumer/jack/credential/c',
      'consumer.put consumer/jack',
      'service.put service/s',
      'service.put service/s',
      'installation.create installation',
    ],
  );
  const [deleted, credential, , changed, created] = body.list;
  assert.deepEqual(deleted.detail.also_deleted, ['consumer/jack/credential/c']);
  assert.deepEqual(changed.detail.changes, ['~ /desc: "one" → "two"']);
  assert.equal(created.reason, '=HYPERLINK("http://evil")');
  assert.deepEqual([created.operator_name, created.source, created.address], ['bootstrap', 'api', '127.0.0.1']);
  assert.match(created.request_id, /^[0-9a-f-]{36}$/);
  assert.match(created.hash, /^[0-9a-f]{64}$/);
  assert.equal(credential.detail.changes.at(-1), '+ /plugins/key-auth/key: secret added');
  assert.ok(!text.includes(KEY));
});

test('the request id of an entry is the one that the answer and the log had', async (t) => {
  const admin = await makeAdminFixture(t);
  const answer = await admin.send('PUT', SERVICE, { body: { name: 's' }, headers: { 'request-id': 'mine', 'x-request-id': 'mine' } });
  const { body } = await admin.send('GET', '/api/audit_logs?page_size=1');
  assert.equal(body.list[0].request_id, answer.headers['portcullis-request-id']);
  assert.ok(admin.log.lines.some((line) => line.fields.requestId === body.list[0].request_id));
});

test('the log is narrowed by its parameters and read in pages', async (t) => {
  const admin = await makeAdminFixture(t);
  await makeLog(admin);
  const count = async (query: string): Promise<number> => (await admin.send('GET', `/api/audit_logs?${query}`)).body.list.length;
  assert.equal(await count('event_type=service.put'), 2);
  assert.equal(await count('resource_id=consumer/jack'), 2);
  assert.equal(await count('gateway_group_id=default&operator_id=system'), 0);
  assert.equal(await count('operator_id=system'), 1);
  assert.equal(await count('address=127.0.0.1'), 5);
  assert.equal(await count('start_at=1800000000&end_at=1800000000'), 6);
  assert.equal(await count('start_at=1800000001'), 0);
  const ids: number[] = [];
  for (let cursor = ''; ; ) {
    const { body } = await admin.send('GET', `/api/audit_logs?page_size=4${cursor}`);
    ids.push(...body.list.map(({ id }: { id: number }) => id));
    if (body.next === undefined) break;
    cursor = `&cursor=${body.next}`;
  }
  assert.deepEqual(ids, [6, 5, 4, 3, 2, 1]);
  assert.deepEqual((await admin.send('GET', '/api/audit_logs/event_types')).body.value, [
    'consumer.delete',
    'consumer.put',
    'credential.put',
    'installation.create',
    'service.put',
  ]);
});

test('a malformed parameter is named, and nobody reads the log without a token', async (t) => {
  const admin = await makeAdminFixture(t);
  for (const query of ['page_size=0', 'page_size=501', 'cursor=x', 'start_at=yesterday', 'end_at=-1']) {
    const answer = await admin.send('GET', `/api/audit_logs?${query}`);
    assert.equal(answer.status, 400, query);
    assert.match(answer.body.error_msg, new RegExp(`parameter ${query.split('=')[0]} must be`));
  }
  assert.equal((await admin.send('GET', '/api/audit_logs/export?format=xml')).status, 400);
  assert.equal((await admin.send('GET', '/api/audit_logs/export?format=constructor')).status, 400);
  for (const path of ['/api/audit_logs', '/api/audit_logs/event_types', '/api/audit_logs/export']) {
    assert.equal((await admin.send('GET', path, { token: undefined })).status, 401, path);
    assert.equal((await admin.send('DELETE', path)).status, 405, path);
  }
});

test('an export holds all entries in each form, and no formula for a spreadsheet', async (t) => {
  const admin = await makeAdminFixture(t);
  await makeLog(admin);
  const json = await admin.send('GET', '/api/audit_logs/export?event_type=service.put');
  const list = await admin.send('GET', '/api/audit_logs?event_type=service.put');
  assert.deepEqual(json.body, list.body.list);
  const lines = (await admin.send('GET', '/api/audit_logs/export?format=ndjson')).text.trimEnd().split('\n');
  assert.equal(lines.map((line) => JSON.parse(line)).length, 6);
  const csv = await admin.send('GET', '/api/audit_logs/export?format=csv&event_type=service.put');
  assert.match(String(csv.headers['content-type']), /^text\/csv/);
  const [head, , first] = csv.text.split('\r\n');
  assert.equal(head?.split(',')[4], 'source');
  assert.ok((first ?? '').includes(`"'=HYPERLINK(""http://evil"")"`));
  assert.deepEqual((await admin.send('GET', '/api/audit_logs/export?event_type=none')).body, []);
});

test('a long log is exported whole, page by page', async (t) => {
  const admin = await makeAdminFixture(t);
  const author = { id: 'cli', name: 'cli' };
  await admin.store.transaction(author, async (transaction) => {
    for (let at = 0; at < 1_200; at += 1) {
      await transaction.appendAudit({ at, author, action: 'a', groupId: undefined, resource: 'r', address: undefined, detail: {} });
    }
  });
  const { body } = await admin.send('GET', '/api/audit_logs/export?operator_id=cli');
  assert.equal(new Set(body.map(({ id }: { id: number }) => id)).size, 1_200);
});
