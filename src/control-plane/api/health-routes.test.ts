import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makePeopleFixture } from '../testing/people-fixture.ts';

const INSTANCE = { revision: 1, state: 'current', connectedAtMs: 0, softwareVersion: '1', groupId: 'default' } as const;
const NODE = { host: 'a.test', address: '10.0.0.1', port: 80, state: 'unhealthy' };
const BODY = { name: 's', upstream: { nodes: [{ host: '10.0.0.1', port: 80, weight: 1 }] } };

test('what instances say of a service’s nodes is told to whoever may see the service', async (t) => {
  const people = await makePeopleFixture(t);
  for (const id of ['s1', 's2']) await people.admin('PUT', `/apisix/admin/services/${id}?gateway_group_id=default`, BODY);
  const nodes = [
    { ...NODE, serviceId: 's1' },
    { ...NODE, serviceId: 's1', upstreamId: 'u', state: 'healthy' },
    { ...NODE, serviceId: 's2' },
  ];
  people.announcer.connected = [
    { ...INSTANCE, instanceId: 'one', health: { nodes, omitted: 2, reportedAtMs: 5999 } },
    { ...INSTANCE, instanceId: 'silent' },
  ];
  const path = (service: string, group = 'default'): string => `/api/gateway_groups/${group}/services/${service}/healthcheck`;
  const told = { host: 'a.test', ip: '10.0.0.1', port: 80 };
  assert.deepEqual((await people.admin('GET', path('s1'))).body, {
    value: [
      {
        instance_id: 'one',
        reported_at: 5,
        nodes: [
          { upstream_id: 's1', ...told, status: 'unhealthy' },
          { upstream_id: 'u', ...told, status: 'healthy' },
        ],
        omitted_nodes: 2,
      },
    ],
  });
  assert.equal((await people.admin('GET', path('s3'))).status, 404);
  assert.equal((await people.admin('GET', path('s1', 'none'))).status, 404);
  assert.equal((await people.anybody('GET', path('s1'))).status, 401);

  const resource = 'arn:api7:gateway:gatewaygroup/default/publishedservice/s2';
  const seesOne = { effect: 'allow', actions: ['gateway:GetPublishedService'], resources: [resource] };
  const person = await people.makePerson('one', [(await people.makeRole('one', [seesOne])).roleId]);
  assert.equal((await person.send('GET', path('s1'))).status, 403);
  assert.equal((await person.send('GET', path('s2'))).body.value[0].nodes.length, 1);
});
