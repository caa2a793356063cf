import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeAdminFixture } from '../testing/admin-fixture.ts';
import { makeSampleResources } from '../testing/sample-resources.ts';

const SAMPLES = await makeSampleResources();
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test('POST creates one of each kind under an id of its own, and answers 200 with it', async (t) => {
  const admin = await makeAdminFixture(t);
  for (const { name, list, id, body, shown } of SAMPLES.filter(({ isCreatable }) => isCreatable)) {
    const created = await admin.send('POST', list, { body });
    assert.equal(created.status, 200, created.text);
    assert.partialDeepStrictEqual(created.body.value, shown);
    const { value } = created.body;
    const newId = name === 'consumer' ? value.username : value.id;
    if (name === 'consumer' || name === 'global_rule') assert.equal(newId, id);
    else assert.match(newId, UUID);
    const read = await admin.send('GET', `${list}/${newId}`);
    assert.deepEqual([read.body.value, read.headers.etag], [value, created.headers.etag]);
    // What later samples name must be there under its own id.
    await admin.send('PUT', `${list}/${id}`, { body: { ...body, ...(name === 'ssl' ? { type: 'client' } : {}) } });
    if (name === 'sni' || name === 'credential') await admin.send('DELETE', `${list}/${newId}`);
  }
});

test('an id in the body is the one that is created, and what exists already is left as it is', async (t) => {
  const admin = await makeAdminFixture(t);
  for (const [list, body, id] of [
    ['/apisix/admin/services', { service_id: 'mine', name: 'a' }, 'mine'],
    ['/apisix/admin/routes', { route_id: 'mine', name: 'a', paths: ['/'], service_id: 'mine' }, 'mine'],
    ['/apisix/admin/stream_routes', { stream_route_id: 'mine', name: 'a', service_id: 'mine' }, 'mine'],
    ['/apisix/admin/consumers', { username: 'jack' }, 'jack'],
    ['/apisix/admin/global_rules', { plugins: { cors: {} } }, 'cors'],
    ['/apisix/admin/protos', { id: 'mine', content: 'x' }, 'mine'],
  ] as const) {
    const created = await admin.send('POST', list, { body });
    assert.deepEqual([created.status, created.body.value.id ?? created.body.value.username], [200, id]);
    const again = await admin.send('POST', list, { body: { ...body, desc: 'another' } });
    assert.equal(again.status, 409, again.text);
    assert.match(again.body.error_msg, new RegExp(`^\\w+ ${id} exists already$`));
    assert.equal((await admin.send('GET', `${list}/${id}`)).body.value.desc, undefined);
  }
});

test('of many that create the same at once, one succeeds', async (t) => {
  const admin = await makeAdminFixture(t);
  const body = { username: 'jack' };
  const answers = await Promise.all(Array.from({ length: 20 }, () => admin.send('POST', '/apisix/admin/consumers', { body })));
  assert.deepEqual(answers.map(({ status }) => status).toSorted(), [200, ...Array.from({ length: 19 }, () => 409)]);
});

test('a body that gives itself no id, or a bad one, is refused with its place', async (t) => {
  const admin = await makeAdminFixture(t);
  for (const [list, body, beginning] of [
    ['/apisix/admin/services', { id: 7, name: 'a' }, 'Error at "/id": value must be a string'],
    ['/apisix/admin/services', { id: 'a b', name: 'a' }, 'Error at "/id": string doesn\'t match'],
    ['/apisix/admin/services', { id: 'constructor', name: 'a' }, 'Error at "/id": this name is not allowed'],
    ['/apisix/admin/services', { id: 'a', service_id: 'b', name: 'a' }, 'Error at "/service_id": wrong service id'],
    ['/apisix/admin/consumers', {}, 'Error at "/username": property "username" is missing'],
    ['/apisix/admin/consumers', { username: 7 }, 'Error at "/username": value must be a string'],
    ['/apisix/admin/global_rules', { plugins: {} }, 'Error at "/plugins": there must be at least 1 properties'],
    ['/apisix/admin/global_rules', { id: 'other', plugins: { cors: {} } }, 'Error at "/id": a global rule must have the name'],
    ['/apisix/admin/consumers/nobody/credentials', { plugins: { 'key-auth': { key: 'x'.repeat(32) } } }, 'consumer not found'],
    ['/apisix/admin/services', [], 'Error at "": value must be an object'],
  ] as const) {
    const answer = await admin.send('POST', list, { body });
    assert.ok(answer.body.error_msg.startsWith(beginning), `${list}: ${answer.text}`);
    assert.equal(answer.status, beginning.startsWith('Error') ? 400 : 404);
  }
  assert.equal((await admin.store.getGroup('default'))?.revision, 0);
});
