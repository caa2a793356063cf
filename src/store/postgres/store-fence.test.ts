import assert from 'node:assert/strict';
import { withPostgres } from '../../../test-support/with-postgres.ts';
import { PortcullisError } from '../../errors/index.ts';
import { AUTHOR, idsOf, putAll, serviceWrite } from '../contract/sample-writes.ts';
import { makeDatabaseSchema } from '../testing/database-schema.ts';

const SERVICES = { groupId: 'default', kind: 'service' };
const USE = { groupId: 'default', consumer: '', credential: '', route: '', status: 404, requests: 1, at: 3600, lastUsedAt: 3600 };
const WRITTEN = ['resources', 'audit_entries', 'control_planes', 'gateway_instances', 'usage_counts'];

function isReplaced(error: unknown): boolean {
  return error instanceof PortcullisError && error.reason === 'store_replaced';
}

withPostgres('a store that another one was put in place of writes nothing to that, in none of its ways', async (t, url) => {
  const database = await makeDatabaseSchema(t, url);
  const cut = await database.open();
  const registry = cut.instanceRegistry;
  assert.ok(registry);
  await cut.transaction(AUTHOR, (transaction) => transaction.putGroup({ id: 'default', name: 'default', description: '' }));
  await registry.renew('history', 60_000);
  // Its statements are prepared, and its connections know the tables that were there.
  await putAll(cut, serviceWrite('before'));
  await cut.usage.record([{ ...USE, instanceId: 'one' }]);

  t.after(() => database.query(`DROP SCHEMA IF EXISTS ${database.schema}_replaced CASCADE`));
  await database.query(`ALTER SCHEMA ${database.schema} RENAME TO ${database.schema}_replaced`);
  const restored = await database.open();
  await restored.transaction(AUTHOR, (transaction) => transaction.putGroup({ id: 'default', name: 'default', description: '' }));
  const counts = async (): Promise<unknown> =>
    database.query(`SELECT ${WRITTEN.map((table) => `(SELECT count(*) FROM ${table}) AS ${table}`).join(', ')}`);
  const before = await counts();

  await assert.rejects(putAll(cut, serviceWrite('afterwards')), isReplaced);
  await assert.rejects(registry.renew('history', 60_000), isReplaced);
  await assert.rejects(registry.report([], []), isReplaced);
  await assert.rejects(cut.usage.record([{ ...USE, instanceId: 'one' }]), isReplaced);
  await assert.rejects(cut.pruneHistory({ versionsBefore: 1, auditBefore: 1, limit: 1 }), isReplaced);
  assert.deepEqual(await counts(), before);

  await putAll(restored, serviceWrite('its own'));
  assert.deepEqual(idsOf(await restored.listResources(SERVICES)), ['its own']);
});

withPostgres(
  'a store that runs while newer software takes away what it needs writes nothing more, and goes on beside what fits',
  async (t, url) => {
    const database = await makeDatabaseSchema(t, url);
    const store = await database.open();
    await store.transaction(AUTHOR, (transaction) => transaction.putGroup({ id: 'default', name: 'default', description: '' }));
    const migrated = (oldest: string) =>
      database.query(`INSERT INTO schema_migrations (version, name, oldest_compatible, applied_at)
      SELECT max(version) + 1, 'newer', ${oldest}, 1 FROM schema_migrations`);
    await migrated('max(version)');
    await putAll(store, serviceWrite('beside'));
    await migrated('max(version)');
    const isTooOld = (error: unknown) => error instanceof PortcullisError && /needs? schema/.test(error.message);
    await assert.rejects(putAll(store, serviceWrite('too old')), isTooOld);
    assert.deepEqual(idsOf(await store.listResources(SERVICES)), ['beside']);
  },
);

withPostgres('a lease that is gone, as after a crash of the server, counts as one that was over', async (t, url) => {
  const database = await makeDatabaseSchema(t, url);
  const registry = (await database.open()).instanceRegistry;
  assert.ok(registry);
  assert.equal((await registry.renew('history', 60_000)).wasExpired, false);
  await database.query('DELETE FROM control_planes');
  assert.equal((await registry.renew('history', 60_000)).wasExpired, true);
});
