import { parseRevisionFloor, REVISION_FLOOR_SETTING, revisionFloorValue } from '../rows/revision-floor.ts';
import type { PostgresConnection } from './postgres-connection.ts';

/** See `parseRevisionFloor`. */
export async function readRevisionFloor(connection: PostgresConnection): Promise<number> {
  const kept = await connection.get<{ value: Buffer }>('SELECT value FROM settings WHERE name = $1', REVISION_FLOOR_SETTING);
  return parseRevisionFloor(kept?.value);
}

/** New groups begin at least there from now on. */
export async function raiseRevisionFloor(connection: PostgresConnection, revision: number, nowSeconds: number): Promise<void> {
  if (revision <= (await readRevisionFloor(connection))) return;
  await connection.run(
    `INSERT INTO settings (name, value, secret, updated_at) VALUES ($1, $2, 0, $3)
     ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at`,
    ...[REVISION_FLOOR_SETTING, revisionFloorValue(revision), nowSeconds],
  );
}
