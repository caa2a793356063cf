import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTestCertificate } from '../../../test-support/test-certificate.ts';
import { makeAdminFixture } from '../testing/admin-fixture.ts';

const [first, second] = await Promise.all([createTestCertificate(), createTestCertificate()]);

test('a private key is encrypted at rest, is in no answer and in no version of the history', async (t) => {
  const admin = await makeAdminFixture(t);
  for (const [kind, path, body] of [
    ['ssl', '/apisix/admin/ssls/x', { snis: ['a.example'], ...first, certs: [second.cert], keys: [second.key] }],
    ['certificate', '/apisix/admin/certificates/x', first],
  ] as const) {
    const put = await admin.send('PUT', path, { body });
    assert.deepEqual([put.status, put.text.includes('PRIVATE KEY')], [200, false], put.text);
    const key = { groupId: 'default', kind, parentId: '', id: 'x' };
    const stored = await admin.store.getResource(key, { secrets: 'omit' });
    assert.ok(!JSON.stringify(stored?.document).includes('PRIVATE KEY'));
    const versions = await admin.history.listVersions(key, 10);
    assert.ok(!JSON.stringify(versions).includes('PRIVATE KEY'));
    assert.deepEqual(versions[0]?.secretPointers, kind === 'ssl' ? ['/key', '/keys/0'] : ['/key']);
  }
});

test('a certificate of a server stands in one SSL object, and a server name in one SNI', async (t) => {
  const admin = await makeAdminFixture(t);
  const put = (path: string, body: unknown) => admin.send('PUT', `/apisix/admin/${path}`, { body });
  assert.equal((await put('ssls/one', { snis: ['a.example'], ...first })).status, 200);
  assert.equal((await put('ssls/one', { snis: ['b.example'], ...first })).status, 200);
  const again = await put('ssls/two', { snis: ['c.example'], ...first, cert: `${first.cert}\n` });
  assert.deepEqual([again.status, again.body.error_msg], [400, 'duplicate ssl certificate found with ssl: one']);
  const twice = await put('ssls/two', { snis: ['c.example'], ...second, certs: [second.cert], keys: [second.key] });
  assert.deepEqual([twice.status, twice.body.error_msg], [400, 'the same key or certificate stands twice in the body']);
  assert.equal((await put('ssls/upstreams', { type: 'client', ...first })).status, 200);
  assert.equal((await put('snis/one', { domain: 'a.example' })).status, 200);
  const sni = await put('snis/two', { domain: 'A.example' });
  assert.deepEqual([sni.status, sni.body.error_msg], [400, 'duplicate sni domain found with sni: one']);
});

test('a certificate that something names is not deleted; one that does not exist is named with a warning', async (t) => {
  const admin = await makeAdminFixture(t);
  const send = (method: 'PUT' | 'DELETE', path: string, body?: unknown) => admin.send(method, `/apisix/admin/${path}`, { body });
  const early = await send('PUT', 'snis/n', { domain: 'a.example', certificates: ['crt'] });
  assert.match(early.body.warning_msg, /the certificate crt does not exist yet/);
  await send('PUT', 'certificates/crt', first);
  await send('PUT', 'ca_certificates/ca', { cert: second.cert });
  const upstream = { nodes: [{ host: 'a.example', port: 80, weight: 1 }], client_certificate: 'crt', ca_certificates: ['ca'] };
  await send('PUT', 'services/s', { name: 's' });
  await send('PUT', 'services/s/upstreams/u', upstream);
  const refused = await send('DELETE', 'certificates/crt');
  assert.deepEqual([refused.status, refused.body.error_msg], [409, 'can not delete this certificate, upstream [u] is still using it now']);
  assert.equal((await send('DELETE', 'ca_certificates/ca')).status, 409);
  await send('DELETE', 'services/s');
  assert.match((await send('DELETE', 'certificates/crt')).body.error_msg, /sni \[n\] is still using it now/);
  await send('DELETE', 'snis/n');
  for (const path of ['certificates/crt', 'ca_certificates/ca']) assert.equal((await send('DELETE', path)).status, 200);
});

test('what was read of a certificate comes back without its times being stored', async (t) => {
  const admin = await makeAdminFixture(t);
  const path = '/apisix/admin/ca_certificates/ca';
  await admin.send('PUT', path, { body: { cert: first.cert } });
  const { value } = (await admin.send('GET', path)).body;
  assert.ok(value.exptime > 0);
  await admin.send('PUT', path, { body: value });
  const stored = await admin.store.getResource({ groupId: 'default', kind: 'ca_certificate', parentId: '', id: 'ca' });
  assert.deepEqual(stored?.document, { cert: first.cert });
});
