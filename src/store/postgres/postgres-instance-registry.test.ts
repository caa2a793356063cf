import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { withPostgres } from '../../../test-support/with-postgres.ts';
import type { InstanceRegistry, InstanceReport } from '../instance-registry.ts';
import { type DatabaseSchema, makeDatabaseSchema } from '../testing/database-schema.ts';

const LEASE_MS = 60_000;

function reportOf(instanceId: string, connectionId = 1): InstanceReport {
  const held = { state: 'current', revision: 3, answeredRevision: 3, isConnected: true, isAwaited: true } as const;
  return { groupId: 'default', instanceId, connectionId, softwareVersion: '1.2.3', connectedAtMs: 1, ...held };
}

async function registryOf(database: DatabaseSchema): Promise<InstanceRegistry> {
  const { instanceRegistry } = await database.open();
  assert.ok(instanceRegistry);
  await instanceRegistry.renew('history', LEASE_MS);
  return instanceRegistry;
}

async function twoControlPlanes(t: Pick<TestContext, 'after'>, url: string) {
  const database = await makeDatabaseSchema(t, url);
  const [one, other] = [await registryOf(database), await registryOf(database)];
  await one.report([reportOf('a'), reportOf('b')], []);
  await other.report([reportOf('c')], []);
  return { database, one, other };
}

async function connectedOf(registry: InstanceRegistry): Promise<readonly string[]> {
  return (await registry.list('default')).filter(({ isConnected }) => isConnected).map(({ instanceId }) => instanceId);
}

withPostgres('each control plane sees all instances, and those of others apart', async (t, url) => {
  const { one, other } = await twoControlPlanes(t, url);
  const ids = async (listed: ReturnType<InstanceRegistry['list']>) => (await listed).map(({ instanceId }) => instanceId);
  assert.deepEqual(await ids(one.list('default')), ['a', 'b', 'c']);
  assert.deepEqual(await ids(one.listOthers('default')), ['c']);
  assert.deepEqual(await ids(other.listOthers('default')), ['a', 'b']);
  assert.deepEqual(await ids(one.list('another')), []);
  // An instance that has moved belongs to the newer connection, whatever the older control plane says of its own.
  await other.report([reportOf('a', 2)], []);
  await one.report([], [{ ...reportOf('a'), isConnected: false }]);
  assert.deepEqual(await ids(one.listOthers('default')), ['a', 'c']);
  assert.deepEqual(await connectedOf(one), ['a', 'b', 'c']);
});

withPostgres('an instance that the database has lost is known again with the next report', async (t, url) => {
  const { database, one, other } = await twoControlPlanes(t, url);
  await database.query("DELETE FROM gateway_instances WHERE instance_id IN ('b', 'c')");
  await one.report([], [reportOf('a'), reportOf('b')]);
  await other.report([], [{ ...reportOf('c'), isConnected: false }]);
  assert.deepEqual(await connectedOf(other), ['a', 'b']);
});

withPostgres('nothing is connected to a control plane whose lease is over, until it lives again', async (t, url) => {
  const { database, one, other } = await twoControlPlanes(t, url);
  await database.query("UPDATE control_planes SET expires_at = clock_timestamp() - interval '1 second' WHERE id = $1", [
    other.controlPlaneId,
  ]);
  assert.deepEqual(await connectedOf(one), ['a', 'b']);
  assert.equal((await other.renew('history', LEASE_MS)).wasExpired, true);
  assert.deepEqual(await connectedOf(one), ['a', 'b', 'c']);
  await other.leave();
  assert.deepEqual(await connectedOf(one), ['a', 'b']);
});

withPostgres('a database that was away for longer than all leases ended none of those that lived when it went', async (t, url) => {
  const { database, one, other } = await twoControlPlanes(t, url);
  const third = await registryOf(database);
  await third.report([reportOf('d')], []);
  const lapse = (registry: InstanceRegistry, seconds: number): Promise<unknown> =>
    database.query('UPDATE control_planes SET expires_at = clock_timestamp() - $2 * interval $$1 second$$ WHERE id = $1', [
      registry.controlPlaneId,
      seconds,
    ]);
  await lapse(one, 30);
  await lapse(other, 31);
  // It had died a lease before the others could renew no more.
  await lapse(third, 30 + LEASE_MS / 1000 + 1);
  assert.deepEqual(await connectedOf(one), ['a', 'b', 'c']);
  assert.equal((await one.renew('history', LEASE_MS)).wasExpired, true);
  assert.deepEqual(await connectedOf(one), ['a', 'b', 'c']);
  // Once this one renews in time, whoever does not is gone.
  await lapse(other, 1);
  assert.deepEqual(await connectedOf(one), ['a', 'b']);
});

withPostgres('what has been away for long enough is forgotten, and nothing else', async (t, url) => {
  const { database, one, other } = await twoControlPlanes(t, url);
  await other.leave();
  assert.equal(await one.forget(3_600_000), 0);
  await database.query("UPDATE gateway_instances SET seen_at = seen_at - interval '2 hours' WHERE instance_id = 'c'");
  assert.equal(await one.forget(3_600_000), 1);
  assert.deepEqual(
    (await one.list('default')).map(({ instanceId }) => instanceId),
    ['a', 'b'],
  );
});
