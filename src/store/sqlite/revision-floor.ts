import { parseRevisionFloor, REVISION_FLOOR_SETTING, revisionFloorValue } from '../rows/revision-floor.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

/** See `parseRevisionFloor`. */
export function readRevisionFloor(database: SqliteDatabase): number {
  const kept = database.get<{ value: Buffer }>('SELECT value FROM settings WHERE name = ?', REVISION_FLOOR_SETTING);
  return parseRevisionFloor(kept?.value);
}

/** New groups begin at least there from now on. */
export function raiseRevisionFloor(database: SqliteDatabase, revision: number, nowSeconds: number): void {
  if (revision <= readRevisionFloor(database)) return;
  database.run(
    `INSERT INTO settings (name, value, secret, updated_at) VALUES (?, ?, 0, ?)
     ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at`,
    ...[REVISION_FLOOR_SETTING, revisionFloorValue(revision), nowSeconds],
  );
}
