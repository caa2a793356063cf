import { MANY_RESOURCES, type ProgressListener, tellOfLists } from '../lists/tell-of-lists.ts';
import { areListsCurrent, catchUpLists } from './catch-up-lists.ts';
import type { DatabaseOptions } from './client-settings.ts';
import { PostgresDatabase } from './postgres-database.ts';
import { runTransaction } from './run-transaction.ts';

/** For each statement, and for the write lock, which another control plane may hold that does the same. */
const TIMEOUT_MS = 600_000;

/**
 * Brings the lists of all groups up to date before a store is used. After a migration or a restore they are made anew, in statements that
 * grow with the store: the time-outs of its everyday statements, which would end each start alike, do not hold for them. A group is one
 * transaction; a run that was cut off left nothing of it.
 *
 * @throws PostgresFailure
 */
export async function catchUpAllLists(options: DatabaseOptions, onProgress: ProgressListener | undefined): Promise<void> {
  const database = new PostgresDatabase({ ...options, connections: 1, statementTimeoutMs: TIMEOUT_MS });
  try {
    const groups = await database.lend((connection) => connection.all<{ id: string }>('SELECT id FROM gateway_groups ORDER BY id'));
    for (const { id } of groups) {
      if (await database.lend((connection) => areListsCurrent(connection, id))) continue;
      await runTransaction(database, TIMEOUT_MS, async (connection) => {
        // Another control plane may have done it while this one waited for the lock.
        if (await areListsCurrent(connection, id)) return;
        const found = await connection.get<{ resources: number }>(
          'SELECT count(*) AS resources FROM (SELECT 1 FROM resources WHERE group_id = $1 LIMIT $2) AS counted',
          ...[id, MANY_RESOURCES],
        );
        tellOfLists(id, found?.resources ?? 0, onProgress);
        await catchUpLists(connection, id);
      });
    }
  } finally {
    await database.close();
  }
}
