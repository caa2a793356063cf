import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { PortcullisError } from '../../errors/index.ts';
import { AUTHOR, putAll, serviceWrite } from '../contract/sample-writes.ts';
import { makeDatabaseFolder } from '../testing/database-folder.ts';
import { BUSY_TIMEOUT_MS } from './begin-immediate.ts';
import { SqliteDatabase } from './sqlite-database.ts';

test('writes that stood in the queue while another process held the lock fail together, and none of them is stored', async (context) => {
  const clock = new FakeClock();
  const { file, open } = await makeDatabaseFolder(context, clock);
  const store = await open();
  await store.transaction(AUTHOR, (transaction) => transaction.putGroup({ id: 'default', name: 'default', description: '' }));
  const other = new SqliteDatabase(file, { readOnly: false, busyTimeoutMs: 0 });
  context.after(() => other.close());
  other.execute('BEGIN IMMEDIATE');
  const startedAt = performance.now();
  const writes = Array.from({ length: 10 }, (_, index) => putAll(store, serviceWrite(`s${index}`)));
  clock.advance(BUSY_TIMEOUT_MS);
  for (const result of await Promise.allSettled(writes)) {
    assert.ok(result.status === 'rejected' && result.reason instanceof PortcullisError);
    assert.equal(result.reason.reason, 'store_unavailable');
  }
  // Each for itself would have waited as long as the first.
  assert.ok(performance.now() - startedAt < BUSY_TIMEOUT_MS);
  assert.equal((await store.listResources({ groupId: 'default', kind: 'service' })).length, 0);
  other.execute('ROLLBACK');
  const late = putAll(store, serviceWrite('late'));
  clock.advance(10 * BUSY_TIMEOUT_MS);
  await late;
  assert.equal((await store.listResources({ groupId: 'default', kind: 'service' })).length, 1);
});
