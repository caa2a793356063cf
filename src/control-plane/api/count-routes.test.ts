import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makePeopleFixture } from '../testing/people-fixture.ts';

const INSTANCE = { revision: 1, state: 'current', connectedAtMs: 0, softwareVersion: '1' } as const;

test('resources and connected gateways are counted by group, and of what a caller may not see nothing is', async (t) => {
  const people = await makePeopleFixture(t);
  const edge: string = (await people.admin('POST', '/api/gateway_groups', { name: 'edge' })).body.value.id;
  for (const name of ['jack', 'jill']) {
    await people.admin('PUT', `/apisix/admin/consumers/${name}?gateway_group_id=default`, { username: name });
  }
  await people.admin('PUT', `/apisix/admin/consumers/joe?gateway_group_id=${edge}`, { username: 'joe' });
  people.announcer.connected = [{ ...INSTANCE, instanceId: 'i', groupId: 'default' }];
  const count = async (send: typeof people.admin, what: string) => (await send('GET', `/api/gateway_groups/count/${what}`)).body;
  assert.deepEqual(await count(people.admin, 'consumer'), { value: { default: 2, [edge]: 1 } });
  assert.deepEqual(await count(people.admin, 'ssl'), { value: { default: 0, [edge]: 0 } });
  assert.equal((await count(people.admin, 'gateway_instance')).value.default, 1);
  assert.equal((await people.admin('GET', '/api/gateway_groups/count/route')).status, 404);

  const seesEdge = { effect: 'allow', actions: ['gateway:Get*'], resources: [`arn:api7:gateway:gatewaygroup/${edge}`] };
  const one = await people.makePerson('one', [(await people.makeRole('one', [seesEdge])).roleId]);
  assert.deepEqual(await count(one.send, 'consumer'), { value: { [edge]: 1 } });
  const jack = { effect: 'allow', actions: ['gateway:GetConsumer'], resources: ['arn:api7:gateway:gatewaygroup/default/consumer/jack'] };
  const group = { effect: 'allow', actions: ['gateway:GetGatewayGroup'], resources: ['arn:api7:gateway:gatewaygroup/default'] };
  const two = await people.makePerson('two', [(await people.makeRole('two', [jack, group])).roleId]);
  assert.deepEqual(await count(two.send, 'consumer'), { value: { default: 1 } });
  assert.equal((await two.send('GET', '/api/gateway_groups/count/ssl')).status, 403);
  const key = (await people.admin('PUT', '/api/gateway_groups/default/admin_key')).body.value.key;
  assert.equal((await people.anybody('GET', '/api/gateway_groups/count/ssl', undefined, { 'x-api-key': key })).status, 403);
});
