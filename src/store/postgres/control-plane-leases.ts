import { setTimeout as delay } from 'node:timers/promises';
import type { PostgresConnection } from './postgres-connection.ts';

/** The database and table that leases are written to, as an expression: in a copy of either nobody lives. */
export const LEASE_PLACE = `(SELECT oid FROM pg_database WHERE datname = current_database()) || '/' || 'control_planes'::regclass::oid`;

/** No lease is longer; one that ends later is of a clock that was changed, and is not waited for. */
const LONGEST_WAIT_MS = 15_000;

/**
 * Waits for the leases of control planes to end by themselves, as those of processes do that were killed; false as soon as one is renewed, for then
 * a control plane runs. To be called in a transaction that reads what is committed.
 */
export async function waitForLeases(connection: PostgresConnection): Promise<boolean> {
  const known = await connection.get<{ known: boolean }>(`SELECT to_regclass('control_planes') IS NOT NULL AS known`);
  if (known?.known !== true) return true;
  const first = await readLeases(connection);
  if (first.latest === null) return true;
  if (first.left_ms > LONGEST_WAIT_MS) return false;
  await delay(Math.max(0, first.left_ms) + 10);
  const second = await readLeases(connection);
  return second.latest === null;
}

async function readLeases(connection: PostgresConnection): Promise<{ readonly latest: string | null; readonly left_ms: number }> {
  const leases = await connection.get<{ latest: string | null; left_ms: number | null }>(
    `SELECT max(expires_at)::text AS latest,
       (extract(epoch FROM max(expires_at) - clock_timestamp()) * 1000)::double precision AS left_ms
     FROM control_planes WHERE expires_at > clock_timestamp() AND place = ${LEASE_PLACE}`,
  );
  return { latest: leases?.latest ?? null, left_ms: leases?.left_ms ?? 0 };
}
