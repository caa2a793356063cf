import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { makePeopleFixture } from '../testing/people-fixture.ts';

const PATH = '/api/gateway_groups/default/dp_client_certificates';

test('a certificate for a gateway names the group and a new instance, fits its key and authority, and is audited without the key', async (t) => {
  const people = await makePeopleFixture(t);
  const answer = await people.admin('POST', PATH);
  assert.equal(answer.status, 200, answer.text);
  const { value } = answer.body;
  const certificate = new X509Certificate(value.certificate);
  assert.match(String(certificate.subjectAltName), new RegExp(`/default/.*${value.id}$`));
  assert.ok(certificate.checkPrivateKey(createPrivateKey(value.private_key)));
  assert.ok(certificate.verify(new X509Certificate(value.ca_certificate).publicKey));
  assert.equal(certificate.validToDate.getTime() / 1000, value.expiry);
  assert.deepEqual(value.identity, {
    ...{ instanceId: value.id, groupId: 'default', certificate: value.certificate },
    ...{ privateKey: value.private_key, authority: value.ca_certificate, expiresAtMs: value.expiry * 1000 },
  });
  assert.notEqual((await people.admin('POST', PATH, {})).body.value.id, value.id);
  const log = await people.admin('GET', '/api/audit_logs?event_type=instance.certify');
  assert.partialDeepStrictEqual(log.body.list.at(-1), { resource_id: value.id, gateway_group_id: 'default', source: 'api' });
  assert.ok(!log.text.includes('PRIVATE KEY') && !JSON.stringify(people.log).includes('PRIVATE KEY'));
});

test('a body that is none, or no JSON, does no harm; an unknown group is 404 and leaves no trace', async (t) => {
  const people = await makePeopleFixture(t);
  assert.equal((await people.send('POST', PATH, { body: '<html>' })).status, 200);
  assert.equal((await people.admin('POST', '/api/gateway_groups/none/dp_client_certificates')).status, 404);
  assert.equal((await people.admin('GET', '/api/audit_logs?event_type=instance.certify')).body.list.length, 1);
});

test('it takes the permission for gateway instances of that group', async (t) => {
  const people = await makePeopleFixture(t);
  const edge: string = (await people.admin('POST', '/api/gateway_groups', { name: 'edge' })).body.value.id;
  const allow = { effect: 'allow', actions: ['gateway:CreateGatewayInstance'], resources: [`arn:api7:gateway:gatewaygroup/${edge}`] };
  const { send } = await people.makePerson('joiner', [(await people.makeRole('joiner', [allow])).roleId]);
  assert.equal((await send('POST', `/api/gateway_groups/${edge}/dp_client_certificates`)).status, 200);
  assert.equal((await send('POST', PATH)).status, 403);
  const key = (await people.admin('PUT', '/api/gateway_groups/default/admin_key')).body.value.key;
  assert.equal((await people.anybody('POST', PATH, undefined, { 'x-api-key': key })).status, 403);
});
