import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { makeAdminFixture } from '../testing/admin-fixture.ts';

const ADMIN = '/apisix/admin';
const SERVICE = `${ADMIN}/services/s`;
const JACK = `${ADMIN}/consumers/jack`;
const CREDENTIAL = `${JACK}/credentials/c1`;
const VAULT = `${ADMIN}/secret_providers/vault/1`;
const KEY_1 = 'first-key-hvFtJ6NDaLlM';
const KEY_2 = 'second-key-3UqWKpYpHCyT';

type Admin = Awaited<ReturnType<typeof makeAdminFixture>>;

const service = (desc: string) => ({ name: 's', desc, upstream: { nodes: [{ host: 'a.example', port: 80, weight: 1 }] } });
const credential = (key: string, more: object = {}) => ({ plugins: { 'key-auth': { key } }, ...more });
const vault = (token: string, prefix = 'kv') => ({ uri: 'https://vault.example/v1', prefix, token });

async function put(admin: Admin, path: string, body: unknown): Promise<number> {
  const answer = await admin.send('PUT', path, { body });
  assert.equal(answer.status, 200, answer.text);
  return Number(answer.headers['portcullis-revision']);
}

async function post(admin: Admin, path: string, body: unknown, query = '') {
  const [bare, own = ''] = path.split('?');
  const group = path.startsWith('/api/') ? '' : 'gateway_group_id=default&';
  return admin.send('POST', `${bare}?${group}${query}${own}`, { body });
}

async function makeJack(t: TestContext): Promise<Admin> {
  const admin = await makeAdminFixture(t);
  await put(admin, JACK, { username: 'jack' });
  await put(admin, CREDENTIAL, credential(KEY_1, { desc: 'one' }));
  return admin;
}

test('versions tell who changed a resource, when, from where and why, in pages, also of one that is deleted', async (t) => {
  const admin = await makeAdminFixture(t);
  await admin.send('PUT', SERVICE, {
    body: service('one'),
    headers: { 'x-change-reason': Buffer.from('Größe geändert').toString('latin1'), 'user-agent': 'curl/8' },
  });
  await put(admin, SERVICE, service('two'));
  await admin.send('DELETE', SERVICE);
  const all = await admin.send('GET', `${SERVICE}/versions`);
  assert.deepEqual([all.status, all.body.total, all.body.next], [200, 3, undefined]);
  assert.deepEqual(
    all.body.list.map(({ revision, op }: { revision: number; op: string }) => `${op} ${revision}`),
    ['delete 3', 'put 2', 'put 1'],
  );
  const [, , first] = all.body.list;
  assert.equal(first.at, 1_800_000_000);
  assert.equal(first.author.name, 'bootstrap');
  assert.deepEqual([first.source, first.address, first.user_agent, first.reason], ['api', '127.0.0.1', 'curl/8', 'Größe geändert']);
  assert.match(first.request_id, /^[0-9a-f-]{36}$/);
  const page = await admin.send('GET', `${SERVICE}/versions?gateway_group_id=default&page_size=2`);
  const rest = await admin.send('GET', `${SERVICE}/versions?gateway_group_id=default&page_size=2&before=${page.body.next}`);
  assert.deepEqual([page.body.list.length, rest.body.list, rest.body.next], [2, [first], undefined]);
  const one = await admin.send('GET', `${SERVICE}/versions/1`);
  assert.equal(one.body.value.value.desc, 'one');
  assert.equal((await admin.send('GET', `${SERVICE}/versions/3`)).body.value.op, 'delete');
});

test('a reason that cannot be kept is refused, and nothing is stored', async (t) => {
  const admin = await makeAdminFixture(t);
  for (const reason of ['x'.repeat(513), 'a\tb', Buffer.from([0xff, 0xfe]).toString('latin1')]) {
    const answer = await admin.send('PUT', SERVICE, { body: service('one'), headers: { 'x-change-reason': reason } });
    assert.equal(answer.status, 400);
    assert.match(answer.body.error_msg, /X-Change-Reason must have at most 512 printable characters/);
  }
  assert.equal((await admin.send('GET', `${SERVICE}/versions`)).status, 404);
});

test('a difference is told as a patch and as text, and of secrets only that they changed', async (t) => {
  const admin = await makeJack(t);
  await put(admin, CREDENTIAL, credential(KEY_2, { desc: 'two' }));
  await admin.send('DELETE', CREDENTIAL);
  const diff = await admin.send('GET', `${CREDENTIAL}/diff?gateway_group_id=default&from=2&to=3`);
  assert.deepEqual(diff.body.value.patch, [{ op: 'replace', path: '/desc', value: 'two' }]);
  assert.deepEqual(diff.body.value.secrets, [{ pointer: '/plugins/key-auth/key', change: 'changed' }]);
  assert.deepEqual(diff.body.value.text, ['~ /desc: "one" → "two"', '~ /plugins/key-auth/key: secret changed']);
  const gone = await admin.send('GET', `${CREDENTIAL}/diff?gateway_group_id=default&from=3`);
  assert.deepEqual(gone.body.value.patch, [{ op: 'remove', path: '' }]);
  const made = await admin.send('GET', `${CREDENTIAL}/diff?gateway_group_id=default&from=0&to=2`);
  assert.equal(made.body.value.from, null);
  for (const { text } of [diff, gone, made, await admin.send('GET', `${CREDENTIAL}/versions/2`)])
    assert.doesNotMatch(text, /first-key|second-key/);
});

test('what is not there, or is asked for wrongly, is said plainly', async (t) => {
  const admin = await makeJack(t);
  const statuses: readonly (readonly [string, number])[] = [
    [`${SERVICE}/versions`, 404],
    [`${CREDENTIAL}/versions/1`, 404],
    [`${CREDENTIAL}/versions/x`, 400],
    [`${CREDENTIAL}/versions/0`, 400],
    [`${CREDENTIAL}/versions?page_size=0`, 400],
    [`${CREDENTIAL}/versions?gateway_group_id=none`, 404],
    [`${CREDENTIAL}/versions?gateway_group_id=default&page_size=501`, 400],
    [`${CREDENTIAL}/versions?gateway_group_id=default&before=-1`, 400],
    [`${CREDENTIAL}/diff`, 400],
    [`${CREDENTIAL}/diff?gateway_group_id=default&from=1e3`, 400],
    [`${SERVICE}/diff?gateway_group_id=default&from=1`, 404],
    [`${CREDENTIAL}/diff?gateway_group_id=default&from=99`, 404],
    [`${CREDENTIAL}/diff?gateway_group_id=default&from=1&to=99`, 404],
    ['/api/gateway_groups/none/revisions', 404],
    ['/api/gateway_groups/default/revisions?before=x', 400],
  ];
  for (const [path, status] of statuses) assert.equal((await admin.send('GET', path)).status, status, path);
  const paths = [`${CREDENTIAL}/versions`, `${CREDENTIAL}/versions/1`, `${CREDENTIAL}/diff`, '/api/gateway_groups/default/revisions'];
  for (const path of paths) assert.equal((await admin.send('GET', path, { token: undefined })).status, 401, path);
  for (const path of [`${CREDENTIAL}/revert`, `${CREDENTIAL}/revert_and_revive`, '/api/gateway_groups/default/revert']) {
    assert.equal((await admin.send('POST', path, { token: undefined })).status, 401, path);
  }
  const revert = (body: unknown, query?: string) => post(admin, `${CREDENTIAL}/revert`, body, query);
  const refusals = [
    [await revert({}), 400, /"revision" is missing/],
    [await revert({ revision: '1' }), 400, /\/revision/],
    [await revert({ revision: 2, extra: 1 }), 400, /extra/],
    [await revert({ revision: 2, secrets: { '/desc': 'x' } }), 400, /Error at "\/secrets\/~1desc": the version has no secret there/],
    [await revert({ revision: 2 }, 'dry_run=1&'), 400, /dry_run must be true or false/],
    [await revert({ revision: 99 }), 404, /revision 99 is yet to come: the group is at 2/],
    [await revert({ revision: 1 }), 404, /no version of this credential at revision 1/],
    [await admin.send('POST', `${SERVICE}/revert_and_revive`, { body: { revision: 1 } }), 404, /not found/],
  ] as const;
  for (const [answer, status, text] of refusals) {
    assert.equal(answer.status, status, answer.text);
    assert.match(answer.body.error_msg, text);
  }
});

test('a resource is brought back to a version as a new one, and a dry run tells the same and stores nothing', async (t) => {
  const admin = await makeAdminFixture(t);
  await put(admin, SERVICE, service('one'));
  await put(admin, SERVICE, service('two'));
  const announced = admin.announcer.announced.length;
  const dry = await post(admin, `${SERVICE}/revert`, { revision: 1 }, 'dry_run=true&');
  assert.deepEqual([dry.status, dry.body.dry_run, dry.body.value.desc], [200, true, 'one']);
  assert.deepEqual(dry.body.text, ['~ /desc: "two" → "one"']);
  assert.equal((await admin.send('GET', SERVICE)).body.value.desc, 'two');
  assert.deepEqual([admin.announcer.announced.length, (await admin.store.getGroup('default'))?.revision], [announced, 2]);
  const done = await post(admin, `${SERVICE}/revert`, { revision: 1 });
  assert.deepEqual([done.headers.etag, done.headers['portcullis-revision'], done.body.text], ['"3"', '3', dry.body.text]);
  assert.equal((await admin.send('GET', SERVICE)).body.value.desc, 'one');
  const again = await post(admin, `${SERVICE}/revert`, { revision: 1 });
  assert.deepEqual([again.status, again.body.patch, again.headers.etag], [200, [], '"3"']);
  const [entry] = await admin.history.pageOfAudit(undefined, 1);
  assert.deepEqual([entry?.action, entry?.resource, entry?.detail.to], ['service.revert', 'service/s', 1]);
});

test('a stale condition refuses a revert', async (t) => {
  const admin = await makeAdminFixture(t);
  await put(admin, SERVICE, service('one'));
  await put(admin, SERVICE, service('two'));
  for (const [path, headers, status] of [
    [`${SERVICE}/revert?gateway_group_id=default`, { 'if-match': '"1"' }, 412],
    ['/api/gateway_groups/default/revert', { 'if-match': '"1"' }, 412],
    ['/api/gateway_groups/default/revert', { 'if-match': '"2"' }, 200],
  ] as const) {
    assert.equal((await admin.send('POST', path, { body: { revision: 1 }, headers })).status, status, path);
  }
});

test('a deleted resource comes back, and a route of a service that is still gone says so', async (t) => {
  const admin = await makeAdminFixture(t);
  await put(admin, SERVICE, service('one'));
  await put(admin, `${ADMIN}/routes/r`, { name: 'r', service_id: 's', paths: ['/a'] });
  await admin.send('DELETE', SERVICE);
  assert.equal((await post(admin, `${SERVICE}/revert`, { revision: 2 })).status, 200);
  const route = await post(admin, `${ADMIN}/routes/r/revert`, { revision: 2 });
  assert.deepEqual([route.status, route.body.value.paths], [200, ['/a']]);
});

test('a secret that is still the same goes along; one that is gone is named, and can be supplied', async (t) => {
  const admin = await makeAdminFixture(t);
  await put(admin, VAULT, vault('first', 'a'));
  await put(admin, VAULT, vault('first', 'b'));
  assert.equal((await post(admin, `${VAULT}/revert`, { revision: 1 })).body.value.prefix, 'a');
  await put(admin, VAULT, vault('second', 'c'));
  const refused = await post(admin, `${VAULT}/revert`, { revision: 1 });
  assert.equal(refused.status, 409);
  assert.match(refused.body.error_msg, /secret_provider\/vault\/1 \(\/token\): secrets of this version are gone/);
  assert.deepEqual(refused.body.left_out[0].pointers, ['/token']);
  const bad = await post(admin, `${VAULT}/revert`, { revision: 1, secrets: { '/token': 7 } });
  assert.equal(bad.status, 400, 'what is supplied is checked like any write');
  const done = await post(admin, `${VAULT}/revert`, { revision: 1, secrets: { '/token': 'given' } });
  assert.equal(done.status, 200, done.text);
  assert.doesNotMatch(done.text, /given/);
  const key = { groupId: 'default', kind: 'secret_provider', parentId: '', id: 'vault/1' };
  assert.deepEqual((await admin.store.getResource(key))?.document, vault('given', 'a'));
  assert.doesNotMatch(JSON.stringify(await admin.history.pageOfAudit(undefined, 99)), /given|first|second/);
});

test('a credential that was deleted, disabled or replaced since comes back only where that is asked for', async (t) => {
  const admin = await makeJack(t);
  const disabled = { plugins: { 'key-auth': { key: KEY_1, _meta: { disable: true } } } };
  const ends: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['disabled', () => put(admin, CREDENTIAL, disabled)],
    ['replaced', () => put(admin, CREDENTIAL, credential(KEY_2))],
    ['deleted', () => admin.send('DELETE', CREDENTIAL)],
  ];
  for (const [reason, end] of ends) {
    await end();
    const refused = await post(admin, `${CREDENTIAL}/revert`, { revision: 2, secrets: { '/plugins/key-auth/key': KEY_1 } });
    assert.equal(refused.status, 409, reason);
    assert.deepEqual(refused.body.left_out, [
      {
        resource: 'consumer/jack/credential/c1',
        reason,
        pointers: ['/plugins/key-auth'],
        message: `the credential was ${reason} since`,
      },
    ]);
  }
  const without = await post(admin, `${CREDENTIAL}/revert_and_revive`, { revision: 2 });
  assert.deepEqual([without.status, without.body.left_out[0].reason], [409, 'secret']);
  const revived = await post(admin, `${CREDENTIAL}/revert_and_revive`, { revision: 2, secrets: { '/plugins/key-auth/key': KEY_1 } });
  assert.deepEqual([revived.status, revived.body.value.desc], [200, 'one']);
  const [entry] = await admin.history.pageOfAudit(undefined, 1);
  assert.equal(entry?.action, 'credential.revert-and-revive');
});

test('what did not end a credential can be taken back', async (t) => {
  const admin = await makeJack(t);
  await put(admin, CREDENTIAL, credential(KEY_1, { desc: 'two', labels: { team: 'a' } }));
  const done = await post(admin, `${CREDENTIAL}/revert`, { revision: 2 });
  assert.deepEqual([done.status, done.body.value.desc, done.body.value.labels], [200, 'one', undefined]);
  assert.equal(done.body.value.plugins['key-auth'].key, KEY_1);
  await admin.send('DELETE', JACK);
  const orphan = await post(admin, `${CREDENTIAL}/revert_and_revive`, { revision: 2, secrets: { '/plugins/key-auth/key': KEY_1 } });
  assert.deepEqual([orphan.status, orphan.body.left_out[0].reason], [409, 'parent']);
});

test('a consumer comes back without the keys of its own that ended since', async (t) => {
  const admin = await makeAdminFixture(t);
  const limit = { 'limit-count': { count: 1, time_window: 60 } };
  await put(admin, JACK, { username: 'jack', desc: 'one', plugins: { 'key-auth': { key: KEY_1 }, ...limit } });
  await put(admin, JACK, { username: 'jack', desc: 'two', plugins: { 'key-auth': { key: KEY_2 } } });
  const replaced = await post(admin, `${JACK}/revert`, { revision: 1 });
  assert.deepEqual([replaced.status, replaced.body.value.desc], [200, 'one']);
  assert.deepEqual(
    replaced.body.left_out.map(({ reason }: { reason: string }) => reason),
    ['replaced'],
  );
  assert.equal(replaced.body.value.plugins['key-auth'].key, KEY_2);
  assert.equal(replaced.body.value.plugins['limit-count'].count, 1);
  await admin.send('DELETE', JACK);
  const deleted = await post(admin, `${JACK}/revert`, { revision: 1 });
  assert.deepEqual([deleted.status, Object.keys(deleted.body.value.plugins)], [200, ['limit-count']]);
});

test('a duplicate that a revert would make is refused like any other', async (t) => {
  const admin = await makeJack(t);
  await admin.send('DELETE', CREDENTIAL);
  await put(admin, `${JACK}/credentials/c2`, credential(KEY_1));
  const answer = await post(admin, `${CREDENTIAL}/revert_and_revive`, { revision: 2, secrets: { '/plugins/key-auth/key': KEY_1 } });
  assert.equal(answer.status, 400);
  assert.match(answer.body.error_msg, /duplicate key of plugin key-auth found with credential: c2 of consumer: jack/);
});

test('a group is brought back whole, and what stays out is listed', async (t) => {
  const admin = await makeJack(t);
  await put(admin, SERVICE, service('one'));
  await put(admin, `${ADMIN}/routes/r`, { name: 'r', service_id: 's', paths: ['/a'] });
  const then = await put(admin, VAULT, vault('first'));
  await put(admin, VAULT, vault('second', 'x'));
  await put(admin, `${ADMIN}/services/new`, service('new'));
  await put(admin, `${ADMIN}/routes/r`, { name: 'r', service_id: 'new', paths: ['/b'] });
  await put(admin, SERVICE, service('two'));
  await admin.send('DELETE', JACK);
  const dry = await post(admin, '/api/gateway_groups/default/revert', { revision: then }, 'dry_run=true');
  const done = await post(admin, '/api/gateway_groups/default/revert', { revision: then });
  assert.equal(done.status, 200, done.text);
  assert.deepEqual(done.body.restored, ['service/s', 'route/r', 'consumer/jack']);
  assert.deepEqual(done.body.deleted, ['service/new']);
  assert.deepEqual(
    done.body.left_out.map(({ resource, reason, pointers }: Record<string, unknown>) => [resource, reason, pointers]),
    [
      ['consumer/jack/credential/c1', 'deleted', ['/plugins/key-auth']],
      ['secret_provider/vault/1', 'secret', ['/token']],
    ],
  );
  assert.deepEqual(dry.body, { ...done.body, dry_run: true, revision: then + 5 });
  assert.equal(done.body.revision, then + 6);
  assert.equal((await admin.send('GET', `${ADMIN}/routes/r`)).body.value.service_id, 's');
  assert.equal((await admin.send('GET', `${ADMIN}/services/new`)).status, 404);
  assert.equal((await admin.send('GET', CREDENTIAL)).status, 404);
  assert.equal(admin.announcer.announced.at(-1)?.revision, then + 6);
  const [entry] = await admin.history.pageOfAudit(undefined, 1);
  assert.deepEqual([entry?.action, entry?.detail.left_out_count], ['gateway_group.revert', 2]);
  const { body } = await admin.send('GET', '/api/gateway_groups/default/revisions?page_size=1');
  assert.deepEqual([body.list[0].revision, body.list[0].changes, body.next], [then + 6, 4, String(then + 6)]);
  assert.deepEqual(body.list[0].resources[0], { op: 'delete', resource: 'service/new' });
});

test('credentials of a group come back by their names, with their secrets, on the path that is for that', async (t) => {
  const admin = await makeJack(t);
  const then = await put(admin, `${JACK}/credentials/c2`, credential(KEY_2));
  await admin.send('DELETE', JACK);
  const name = 'consumer/jack/credential/c1';
  const body = { revision: then, secrets: { [name]: { '/plugins/key-auth/key': KEY_1 } } };
  const group = '/api/gateway_groups/default';
  for (const [path, wrong] of [
    [`${group}/revert`, { ...body, credentials: [name] }],
    [`${group}/revert_and_revive`, body],
    [`${group}/revert_and_revive`, { ...body, credentials: ['consumer/jil/credential/c1'] }],
    [`${group}/revert`, { ...body, secrets: { [name]: { '/desc': 'x' } } }],
  ] as const) {
    assert.equal((await post(admin, path, wrong)).status, 400, path);
  }
  const done = await post(admin, `${group}/revert_and_revive`, { ...body, credentials: [name] });
  assert.deepEqual(done.body.restored, ['consumer/jack', name]);
  assert.deepEqual(
    done.body.left_out.map(({ resource }: { resource: string }) => resource),
    ['consumer/jack/credential/c2'],
  );
  assert.equal((await admin.send('GET', CREDENTIAL)).body.value.plugins['key-auth'].key, KEY_1);
  assert.equal((await post(admin, `${group}/revert`, { revision: 99 })).status, 404);
  assert.equal((await post(admin, '/api/gateway_groups/none/revert', { revision: 1 })).status, 404);
});

test('a state that history no longer knows whole is refused, not guessed', async (t) => {
  const admin = await makeAdminFixture(t);
  await put(admin, SERVICE, service('one'));
  await put(admin, SERVICE, service('two'));
  admin.clock.advance(10_000);
  await admin.history.pruneHistory({ versionsBefore: 1_800_000_005, auditBefore: 0, limit: 9 });
  const refused = await post(admin, '/api/gateway_groups/default/revert', { revision: 1 });
  assert.deepEqual([refused.status, refused.body.error_msg], [404, 'history knows the states of this group from revision 2 to 2']);
  assert.equal((await post(admin, `${SERVICE}/revert`, { revision: 1 })).status, 404);
  assert.equal((await admin.send('GET', '/api/gateway_groups/default/revisions')).body.kept_from, 2);
});

test('every path of history asks for a permission of its own, and reviving for another one than reverting', async (t) => {
  const { routes } = await makeAdminFixture(t);
  const permissions = new Map(routes.map(({ method, path, permission }) => [`${method} ${path}`, permission]));
  const credentials = '/apisix/admin/consumers/:parent/credentials/:id';
  assert.equal(permissions.get(`GET ${credentials}/versions`), 'gateway:GetConsumerCredentialHistory');
  assert.equal(permissions.get(`POST ${credentials}/revert`), 'gateway:RevertConsumerCredential');
  assert.equal(permissions.get(`POST ${credentials}/revert_and_revive`), 'gateway:ReviveConsumerCredential');
  assert.equal(permissions.get('POST /api/gateway_groups/:id/revert'), 'gateway:RevertGatewayGroup');
  assert.equal(permissions.get('POST /api/gateway_groups/:id/revert_and_revive'), 'gateway:ReviveGatewayGroup');
});
