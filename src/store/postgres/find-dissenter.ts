import type { KeyColumns } from '../rows/resource-rows.ts';
import { otherShares } from '../rows/shared-values.ts';
import type { SharedValue } from '../store.ts';
import type { PostgresConnection } from './postgres-connection.ts';

/** A resource that holds the same name with another value, other than the one in `ownRow`. */
export async function findDissenter(
  connection: PostgresConnection,
  groupId: string,
  shared: SharedValue,
  ownRow: number | undefined,
): Promise<KeyColumns | undefined> {
  const { space, below, above } = otherShares(shared);
  for (const [range, bound] of [
    ['<', below],
    ['>', above],
  ] as const) {
    const found = await connection.get<KeyColumns>(
      `SELECT resources.group_id, kind, parent_id, id FROM unique_values JOIN resources ON resources.row = resource_row
       WHERE unique_values.group_id = $1 AND space = $2 AND digest ${range} $3 AND resource_row <> $4 LIMIT 1`,
      ...[groupId, space, bound, ownRow ?? 0],
    );
    if (found !== undefined) return found;
  }
  return undefined;
}
