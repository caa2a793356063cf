import type { PostgresConnection } from './postgres-connection.ts';

/** Runs `work` inside the open transaction so that nothing is left of it when it throws, a failed statement included. @throws PostgresFailure */
export async function inSavepoint<Result>(connection: PostgresConnection, work: () => Promise<Result>): Promise<Result> {
  await connection.execute('SAVEPOINT piece');
  try {
    const result = await work();
    await connection.execute('RELEASE SAVEPOINT piece');
    return result;
  } catch (error) {
    if (!connection.isLost) await connection.execute('ROLLBACK TO SAVEPOINT piece; RELEASE SAVEPOINT piece');
    throw error;
  }
}
