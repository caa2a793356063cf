import type { SqliteDatabase } from './sqlite-database.ts';

/** Runs `work` inside the open transaction so that nothing is left of it when it throws. Outside of one a savepoint would begin one. */
export async function inSavepoint<Result>(database: SqliteDatabase, work: () => Promise<Result>): Promise<Result> {
  database.execute('SAVEPOINT piece');
  try {
    const result = await work();
    database.execute('RELEASE piece');
    return result;
  } catch (error) {
    if (database.inTransaction) database.execute('ROLLBACK TO piece; RELEASE piece');
    throw error;
  }
}
