import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryFolder } from '../../../test-support/temporary-folder.ts';
import { beginImmediate } from './begin-immediate.ts';
import { SqliteDatabase } from './sqlite-database.ts';

test('a lock that another connection of the same thread holds is waited for, and the thread goes on meanwhile', async (context) => {
  const [holder, waiter] = await twoConnections(context);
  await beginImmediate(holder);
  const waiting = beginImmediate(waiter);
  await new Promise(setImmediate);
  holder.execute('COMMIT');
  await waiting;
  assert.equal(waiter.inTransaction, true);
});

test('a lock that is never released ends the wait, and the connection still works afterwards', async (context) => {
  const [holder, waiter] = await twoConnections(context);
  await beginImmediate(holder);
  await assert.rejects(beginImmediate(waiter, 10), { code: 'SQLITE_BUSY' });
  assert.equal(waiter.pragma('busy_timeout'), 5000);
  holder.execute('ROLLBACK');
  await beginImmediate(waiter, 10);
});

async function twoConnections(context: TestContext): Promise<readonly [SqliteDatabase, SqliteDatabase]> {
  const file = path.join(await temporaryFolder(context), 'test.db');
  await writeFile(file, '');
  const open = () => new SqliteDatabase(file, { readOnly: false, busyTimeoutMs: 0 });
  const connections = [open(), open()] as const;
  context.after(() => {
    for (const connection of connections) connection.close();
  });
  return connections;
}
