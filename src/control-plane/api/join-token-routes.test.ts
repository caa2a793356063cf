import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJoinToken } from '../../distribution/gateway-side.ts';
import { findInstance, findJoinToken, issuingPin, JOIN_TOKEN_KIND, requireAuthorities } from '../joining/index.ts';
import { type AdminFixture, makeAdminFixture } from '../testing/admin-fixture.ts';

const GROUP = '/api/gateway_groups/default';

async function makeToken(admin: AdminFixture, body?: unknown, group = GROUP) {
  const answer = await admin.send('POST', `${group}/instance_token`, body === undefined ? {} : { body });
  assert.equal(answer.status, 200, answer.text);
  const { value } = answer.body;
  const token = parseJoinToken(value.token);
  assert.ok(token);
  return { value, token };
}

test('a join token is for one gateway and a day unless it is said otherwise, and names the authority of now', async (t) => {
  const admin = await makeAdminFixture(t);
  const { value, token } = await makeToken(admin);
  const nowSeconds = Math.floor(admin.clock.nowMs() / 1000);
  assert.partialDeepStrictEqual(value, { gateway_group_id: 'default', status: 'usable', max_uses: 1, uses: 0 });
  assert.deepEqual([value.expires_at, value.token_plain_text], [nowSeconds + 86_400, value.token]);
  assert.equal(token.authorityPin, issuingPin(await requireAuthorities(admin.store)));
  assert.deepEqual(Object.keys(value.commands), ['node', 'systemd', 'docker', 'compose', 'kubernetes']);
  for (const command of Object.values<string>(value.commands)) assert.ok(command.includes(value.token));
  const wanted = await makeToken(admin, { name: 'edge', expires_in: 60, max_uses: 3 });
  assert.partialDeepStrictEqual(wanted.value, { name: 'edge', max_uses: 3, expires_at: nowSeconds + 60 });
  for (const body of [{ expires_in: 59 }, { expires_in: 31_536_001 }, { max_uses: 0 }, { max_uses: 10_001 }, { name: 'a\nb' }])
    assert.equal((await admin.send('POST', `${GROUP}/instance_token`, { body })).status, 400, JSON.stringify(body));
});

test('the secret of a join token is in one answer alone: the store has its digest, lists, audit log and log nothing', async (t) => {
  const admin = await makeAdminFixture(t);
  const { value, token } = await makeToken(admin);
  const listed = await admin.send('GET', `${GROUP}/instance_tokens`);
  const one = await admin.send('GET', `${GROUP}/instance_tokens/${value.id}`);
  const audit = await admin.send('GET', '/api/audit_logs?event_type=join_token.create');
  assert.deepEqual([listed.body.total, one.body.value.id, audit.body.list.length], [1, value.id, 1]);
  const stored = await admin.store.listRecords(JOIN_TOKEN_KIND, 'default');
  for (const text of [listed.text, one.text, audit.text, JSON.stringify(stored), JSON.stringify(admin.log)])
    assert.ok(!text.includes(token.secret));
  assert.match((await findJoinToken(admin.store, value.id))?.digest ?? '', /^[0-9a-f]{64}$/);
});

test('a join token can be seen and revoked in its own group alone, ends by its time, and goes with its group', async (t) => {
  const admin = await makeAdminFixture(t);
  const edge = `/api/gateway_groups/${(await admin.send('POST', '/api/gateway_groups', { body: { name: 'edge' } })).body.value.id}`;
  const { value } = await makeToken(admin, { expires_in: 60 }, edge);
  const status = async (group: string) => (await admin.send('GET', `${group}/instance_tokens/${value.id}`)).body.value?.status;
  for (const method of ['GET', 'DELETE'] as const)
    assert.equal((await admin.send(method, `${GROUP}/instance_tokens/${value.id}`)).status, 404);
  assert.equal(await status(edge), 'usable');
  admin.clock.advance(60_000);
  assert.equal(await status(edge), 'expired');
  for (let time = 0; time < 2; time += 1) assert.equal((await admin.send('DELETE', `${edge}/instance_tokens/${value.id}`)).status, 200);
  assert.equal(await status(edge), 'revoked');
  assert.equal((await admin.send('GET', '/api/audit_logs?event_type=join_token.revoke')).body.list.length, 1);
  assert.equal((await admin.send('DELETE', edge)).status, 200);
  assert.equal(await findJoinToken(admin.store, value.id), undefined);
});

test('an instance is listed with its certificates and revoked once, be it known or not, after which connections are looked at', async (t) => {
  const admin = await makeAdminFixture(t);
  const { id, certificate } = (await admin.send('POST', `${GROUP}/dp_client_certificates`)).body.value;
  const listed = await admin.send('GET', `${GROUP}/instance_certificates`);
  assert.deepEqual([listed.body.total, listed.body.list[0].id, listed.body.list[0].certificates.length], [1, id, 1]);
  assert.ok(!listed.text.includes(certificate.split('\n')[3]));
  const revoke = async (instance: string) => (await admin.send('DELETE', `${GROUP}/instance_certificates/${instance}`)).status;
  assert.deepEqual([await revoke(id), await revoke(id), await revoke('never-seen'), await revoke('a%0Ab')], [200, 200, 200, 400]);
  for (const each of [id, 'never-seen']) assert.notEqual((await findInstance(admin.store, 'default', each))?.revokedAt ?? null, null);
  assert.equal(admin.announcer.reviews, 3);
  assert.equal((await admin.send('GET', '/api/audit_logs?event_type=instance.revoke')).body.list.length, 2);
});
