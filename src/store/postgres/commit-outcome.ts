import { PortcullisError } from '../../errors/index.ts';
import type { PostgresConnection } from './postgres-connection.ts';
import { PostgresFailure } from './postgres-failure.ts';

/** What the server says of a number that no transaction has had: another server is in the place of the one that gave it. */
const NO_SUCH_TRANSACTION = '22023';

/** The number of the transaction that runs, by which its end can be found out over another connection. */
export async function transactionNumber(connection: PostgresConnection): Promise<string> {
  const row = await connection.get<{ id: string }>('SELECT pg_current_xact_id()::text AS id');
  if (row === undefined) throw new PostgresFailure(new Error('the transaction has no number'), true);
  return row.id;
}

/**
 * Whether a transaction was committed. One that is so old that the server has forgotten it counts as committed.
 *
 * @throws PostgresFailure, and PortcullisError (`store_unavailable`) while it is still under way: a server whose disk or replica has
 * stopped commits long after the client has gone.
 */
export async function wasCommitted(connection: PostgresConnection, number: string): Promise<boolean> {
  const status = await statusOf(connection, number);
  if (status === 'in progress') throw new PortcullisError('store_unavailable', { detail: 'a commit is still under way' });
  return status !== 'aborted';
}

async function statusOf(connection: PostgresConnection, number: string): Promise<string | null | undefined> {
  try {
    const sql = 'SELECT pg_xact_status($1::text::xid8) AS status';
    return (await connection.get<{ status: string | null }>(sql, number))?.status;
  } catch (error) {
    if (error instanceof PostgresFailure && error.code === NO_SUCH_TRANSACTION) return 'aborted';
    throw error;
  }
}
