import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTestCertificate } from '../../../test-support/test-certificate.ts';
import { type AdminFixture, makeAdminFixture } from '../testing/admin-fixture.ts';
import { makeSampleResources } from '../testing/sample-resources.ts';

const SAMPLES = await makeSampleResources();
const SERVICE = '/apisix/admin/services/s1';

async function storedDocument(admin: AdminFixture, kind: string, id: string) {
  return (await admin.store.getResource({ groupId: 'default', kind, parentId: '', id }))?.document;
}

test('each kind takes a merge patch and a JSON Patch, and keeps all that they do not name', async (t) => {
  const admin = await makeAdminFixture(t);
  for (const { list, id, body, shown } of SAMPLES) {
    const path = `${list}/${id}`;
    await admin.send('PUT', path, { body });
    const merged = await admin.send('PATCH', path, { body: { desc: 'one', labels: { team: 'a' } } });
    assert.equal(merged.status, 200, merged.text);
    assert.partialDeepStrictEqual(merged.body.value, { ...shown, desc: 'one', labels: { team: 'a' } });
    const operations = [
      { op: 'test', path: '/desc', value: 'one' },
      { op: 'replace', path: '/desc', value: 'two' },
      { op: 'add', path: '/labels/stage', value: 'test' },
    ];
    const patched = await admin.send('PATCH', path, { body: operations });
    assert.equal(patched.status, 200, patched.text);
    assert.partialDeepStrictEqual(patched.body.value, { ...shown, desc: 'two', labels: { team: 'a', stage: 'test' } });
    const removed = await admin.send('PATCH', path, { body: { desc: null, labels: null } });
    assert.equal(removed.body.value.desc, undefined);
    const read = await admin.send('GET', path);
    assert.deepEqual([read.body.value, read.headers.etag], [removed.body.value, removed.headers.etag]);
  }
});

test('metadata of plugins is patched as it is written, without a wrapper', async (t) => {
  const admin = await makeAdminFixture(t);
  const path = '/apisix/admin/plugin_metadata/http-logger';
  await admin.send('PUT', path, { body: { log_format: { host: '$host' } } });
  const answer = await admin.send('PATCH', path, { body: { log_format: { uri: '$uri' } } });
  assert.deepEqual(answer.body.value, { log_format: { host: '$host', uri: '$uri' } });
});

test('what is shown without being stored is not stored by a patch, unless the patch changes it', async (t) => {
  const admin = await makeAdminFixture(t);
  await admin.send('PUT', SERVICE, { body: { name: 's' } });
  await admin.send('PATCH', SERVICE, {
    body: [
      { op: 'test', path: '/type', value: 'http' },
      { op: 'add', path: '/desc', value: 'd' },
    ],
  });
  assert.deepEqual(await storedDocument(admin, 'service', 's1'), { name: 's', strip_path_prefix: true, desc: 'd' });
  await admin.send('PATCH', SERVICE, { body: [{ op: 'replace', path: '/type', value: 'stream' }] });
  assert.deepEqual(await storedDocument(admin, 'service', 's1'), { name: 's', strip_path_prefix: true, desc: 'd', type: 'stream' });
});

test('a patch is told by its content, and must be what it is called', async (t) => {
  const admin = await makeAdminFixture(t);
  await admin.send('PUT', SERVICE, { body: { name: 's' } });
  const patch = (body: unknown, type?: string) =>
    admin.send('PATCH', SERVICE, { body, ...(type === undefined ? {} : { headers: { 'content-type': type } }) });
  const operations = [{ op: 'add', path: '/desc', value: 'x' }];
  for (const type of [undefined, 'application/json', 'application/json-patch+json; charset=utf-8', 'text/plain'])
    assert.equal((await patch(operations, type)).status, 200, String(type));
  for (const type of [undefined, 'application/json', 'Application/Merge-Patch+JSON', 'text/plain'])
    assert.equal((await patch({ desc: 'y' }, type)).status, 200, String(type));
  assert.deepEqual(
    (await patch(operations, 'application/merge-patch+json')).body.error_msg,
    'Error at "": a merge patch must be an object',
  );
  assert.deepEqual(
    (await patch({ desc: 'z' }, 'application/json-patch+json')).body.error_msg,
    'Error at "": a JSON Patch must be an array',
  );
  for (const body of ['7', 'null', '"x"']) assert.equal((await patch(body)).status, 400);
  assert.match((await patch(undefined)).body.error_msg, /^invalid request body/);
});

test('a patch whose result is invalid, or another resource, is refused with the place, and nothing is stored', async (t) => {
  const admin = await makeAdminFixture(t);
  await admin.send('PUT', SERVICE, { body: { name: 's' } });
  const revision = (await admin.store.getGroup('default'))?.revision;
  for (const [body, status, message] of [
    [{ path_prefix: 7 }, 400, 'Error at "/path_prefix": value must be a string'],
    [{ name: null }, 400, 'Error at "/name": property "name" is missing'],
    [{ id: 's2' }, 400, 'Error at "/id": wrong service id'],
    [[{ op: 'replace', path: '', value: 'x' }], 400, 'Error at "": value must be an object'],
    [[{ op: 'test', path: '/name', value: 'other' }], 409, 'Error at "/0": the tested value is another one'],
    [{ constructor: { prototype: 1 } }, 400, 'Error at "/constructor": this name is not allowed in a path'],
    ['{"__proto__":{"polluted":1}}', 400, 'invalid request body: the name __proto__ is not allowed'],
    [
      [
        { op: 'add', path: '/a', value: 'x'.repeat(1_000_000) },
        { op: 'copy', from: '/a', path: '/b' },
      ],
      413,
      'the patched resource is too large',
    ],
  ] as const) {
    const answer = await admin.send('PATCH', SERVICE, { body });
    assert.deepEqual([answer.status, answer.body.error_msg.startsWith(message)], [status, true], answer.text);
  }
  assert.equal((await admin.store.getGroup('default'))?.revision, revision);
  assert.equal((await admin.send('PATCH', '/apisix/admin/services/none', { body: {} })).status, 404);
});

test('patches that come at once all take effect', async (t) => {
  const admin = await makeAdminFixture(t);
  await admin.send('PUT', SERVICE, { body: { name: 's', labels: {} } });
  const names = Array.from({ length: 30 }, (_, index) => `l${index}`);
  const answers = await Promise.all(
    names.map((name, index) =>
      admin.send('PATCH', SERVICE, {
        body: index % 2 === 0 ? { labels: { [name]: 'x' } } : [{ op: 'add', path: `/labels/${name}`, value: 'x' }],
      }),
    ),
  );
  assert.ok(answers.every(({ status }) => status === 200));
  assert.deepEqual(Object.keys((await admin.send('GET', SERVICE)).body.value.labels).toSorted(), names.toSorted());
});

test('a patch with a condition is refused with the current tag when the resource has changed', async (t) => {
  const admin = await makeAdminFixture(t);
  const first = String((await admin.send('PUT', SERVICE, { body: { name: 's' } })).headers.etag);
  const patch = (tag: string) => admin.send('PATCH', SERVICE, { body: { desc: 'x' }, headers: { 'if-match': tag } });
  const second = await patch(first);
  assert.equal(second.status, 200);
  const stale = await patch(first);
  assert.deepEqual([stale.status, stale.headers.etag], [412, second.headers.etag]);
  assert.equal((await patch(String(stale.headers.etag))).status, 200);
});

test('a private key survives a patch, and no patch brings it to light', async (t) => {
  const admin = await makeAdminFixture(t);
  const path = '/apisix/admin/ssls/x';
  const pair = await createTestCertificate();
  await admin.send('PUT', path, { body: { snis: ['a.example'], ...pair } });
  assert.equal((await admin.send('PATCH', path, { body: { status: 0 } })).status, 200);
  assert.equal((await storedDocument(admin, 'ssl', 'x'))?.key, pair.key);
  for (const body of [
    [{ op: 'copy', from: '/key', path: '/labels' }],
    [{ op: 'copy', from: '/key', path: '/desc' }],
    [{ op: 'move', from: '/key', path: '/desc' }],
    [{ op: 'copy', from: '', path: '/extra' }],
    [
      { op: 'add', path: '/more', value: [] },
      { op: 'copy', from: '/key', path: '/more/-' },
    ],
  ]) {
    const answer = await admin.send('PATCH', path, { body });
    assert.equal(answer.status, 400, answer.text);
    assert.match(answer.body.error_msg, /a secret cannot be taken to another field/);
  }
  const guessed = await admin.send('PATCH', path, { body: [{ op: 'test', path: '/key', value: pair.key }] });
  assert.equal(guessed.status, 409);
  const renewed = await createTestCertificate();
  assert.equal((await admin.send('PATCH', path, { body: renewed })).status, 200);
  assert.match((await admin.send('PATCH', path, { body: { cert: pair.cert } })).body.error_msg, /does not belong to the certificate/);
  const texts = await Promise.all([admin.send('GET', path), admin.send('GET', '/apisix/admin/ssls')]);
  assert.ok(texts.every(({ text }) => !text.includes('PRIVATE KEY')));
});

test('a secret provider keeps its secrets, and its mask is not taken for one', async (t) => {
  const admin = await makeAdminFixture(t);
  const path = '/apisix/admin/secret_providers/kubernetes/k1';
  await admin.send('PUT', path, { body: { apiserver_addr: 'https://a.example', token: 'the token' } });
  const answer = await admin.send('PATCH', path, { body: { apiserver_addr: 'https://b.example' } });
  assert.deepEqual([answer.body.value.apiserver_addr, answer.body.value.token], ['https://b.example', '********']);
  assert.equal((await storedDocument(admin, 'secret_provider', 'kubernetes/k1'))?.token, 'the token');
  assert.equal((await admin.send('PATCH', path, { body: { token: '********' } })).status, 400);
});
