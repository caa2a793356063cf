import assert from 'node:assert/strict';
import { withPostgres } from '../../../test-support/with-postgres.ts';
import { AUTHOR, putAll, serviceWrite } from '../contract/sample-writes.ts';
import { makeDatabaseSchema } from '../testing/database-schema.ts';

withPostgres('a store that has lost its newest transactions lacks where it stood, also when as many came since', async (t, url) => {
  const database = await makeDatabaseSchema(t, url);
  const store = await database.open();
  assert.ok(store.readStanding);
  const audited = (id: string) =>
    store.transaction(AUTHOR, async (transaction) => {
      await transaction.appendAudit({
        at: 1,
        author: AUTHOR,
        action: 'test.write',
        groupId: 'default',
        resource: id,
        address: undefined,
        detail: {},
      });
      await transaction.putResource(serviceWrite(id));
    });
  await store.transaction(AUTHOR, (transaction) => transaction.putGroup({ id: 'default', name: 'default', description: '' }));
  assert.deepEqual(await store.readStanding(undefined), { mark: undefined, lacksKnown: false });
  await audited('kept');
  const { mark: before } = await store.readStanding(undefined);
  await audited('lost');
  const { mark, lacksKnown } = await store.readStanding(before);
  assert.notEqual(mark, before);
  assert.equal(lacksKnown, false);
  await putAll(store, serviceWrite('no entry'));
  assert.deepEqual((await store.changesSince('default', 0, { known: mark }))?.standing, { mark, lacksKnown: false });

  await database.query(`DELETE FROM audit_entries WHERE resource = 'lost'`);
  assert.equal((await store.readStanding(mark)).lacksKnown, true);
  assert.equal((await store.readStanding(before)).lacksKnown, false);
  await audited('in its place');
  assert.equal((await store.changesSince('default', 0, { known: mark }))?.standing?.lacksKnown, true);
  const { mark: since } = await store.readStanding(before);
  // What retention takes away is the beginning.
  await database.query(`DELETE FROM audit_entries WHERE resource = 'kept'`);
  assert.deepEqual(await store.readStanding(before), { mark: since, lacksKnown: false });
});
