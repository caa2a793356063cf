import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import type { InstanceReport, RememberedInstance } from '../instance-registry.ts';
import { MIGRATIONS } from '../migrations/index.ts';
import { makeDatabaseFolder } from '../testing/database-folder.ts';
import { openConnections } from './open-connections.ts';

/** The version of the schema with the table. */
const REMEMBERED_SINCE = 8;

function remembered(instanceId: string, seenAtMs: number): RememberedInstance {
  const held = { state: 'current', revision: 3, answeredRevision: 3, isConnected: true, isAwaited: true } as const;
  const report: InstanceReport = { groupId: 'default', instanceId, connectionId: 1, softwareVersion: '1.2.3', connectedAtMs: 1, ...held };
  return { report, seenAtMs };
}

test('instances are remembered by the file, also where older software used it in between', async (t) => {
  const { file, open } = await makeDatabaseFolder(t);
  const store = await open();
  await store.instanceMemory?.keep([remembered('a', 5), remembered('b', 6)]);
  await store.instanceMemory?.keep([remembered('b', 7)]);
  await store.instanceMemory?.forget([{ groupId: 'default', instanceId: 'a' }]);
  await store.close();
  const older = MIGRATIONS.filter(({ version }) => version < REMEMBERED_SINCE);
  const { writer, reader } = await openConnections({ file, clock: new FakeClock(), migrations: older });
  reader.close();
  writer.close();
  assert.deepEqual(await (await open()).instanceMemory?.load(), [remembered('b', 7)]);
});
