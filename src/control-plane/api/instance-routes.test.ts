import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InstanceReport } from '../../store/index.ts';
import { makeAdminFixture } from '../testing/admin-fixture.ts';

const PATH = '/api/gateway_groups/default/instances';

function report(instanceId: string, change: Partial<InstanceReport> = {}): InstanceReport {
  return {
    groupId: 'default',
    instanceId,
    connectionId: 1,
    isConnected: true,
    isAwaited: true,
    state: 'current',
    revision: 0,
    answeredRevision: 0,
    softwareVersion: '1.2.3',
    connectedAtMs: 5_000,
    ...change,
  };
}

test('gateways are listed with how far they are, and those that are away as lost, offline, then not at all', async (t) => {
  const admin = await makeAdminFixture(t);
  await admin.send('PUT', '/apisix/admin/consumers/jack', { body: { username: 'jack' } });
  const gone = report('gone', { connectionId: 2 });
  await admin.registry.report([report('behind', { state: 'lagging' }), report('fine', { revision: 1 }), gone], []);
  await admin.registry.report([], [{ ...gone, isConnected: false }]);
  const states = async () => {
    const { status, body } = await admin.send('GET', PATH);
    assert.equal(status, 200);
    return body.list.map((each: Record<string, unknown>) => `${each.id} ${each.status} ${each.lag}`);
  };
  assert.deepEqual(await states(), ['behind OutOfSync 1', 'fine Healthy 0', 'gone LostConnection 1']);
  admin.clock.advance(7_200_001);
  assert.deepEqual((await states()).at(-1), 'gone Offline 1');
  assert.equal(await admin.registry.forget(7_200_000), 1);
  assert.deepEqual(await states(), ['behind OutOfSync 1', 'fine Healthy 0']);
});

test('an older connection of an instance changes nothing of what the newer one said', async (t) => {
  const admin = await makeAdminFixture(t);
  await admin.registry.report([report('gw-1')], []);
  await admin.registry.report([report('gw-1', { connectionId: 2 })], []);
  await admin.registry.report([], [report('gw-1', { isConnected: false })]);
  const { body } = await admin.send('GET', PATH);
  assert.equal(body.list[0].status, 'Healthy');
});

test('an unknown group has no list, and nobody without a token sees one', async (t) => {
  const admin = await makeAdminFixture(t);
  assert.equal((await admin.send('GET', '/api/gateway_groups/none/instances')).status, 404);
  assert.equal((await admin.send('GET', PATH, { token: undefined })).status, 401);
});
