import type { KeyColumns } from '../rows/resource-rows.ts';
import { otherShares } from '../rows/shared-values.ts';
import type { SharedValue } from '../store.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

/** A resource that holds the same name with another value, other than the one in `ownRow`. */
export function findDissenter(
  database: SqliteDatabase,
  groupId: string,
  shared: SharedValue,
  ownRow: number | undefined,
): KeyColumns | undefined {
  const { space, below, above } = otherShares(shared);
  for (const [range, bound] of [
    ['<', below],
    ['>', above],
  ] as const) {
    const found = database.get<KeyColumns>(
      `SELECT resources.group_id, kind, parent_id, id FROM unique_values JOIN resources ON row = resource_row
       WHERE unique_values.group_id = ? AND space = ? AND digest ${range} ? AND resource_row <> ? LIMIT 1`,
      ...[groupId, space, bound, ownRow ?? 0],
    );
    if (found !== undefined) return found;
  }
  return undefined;
}
