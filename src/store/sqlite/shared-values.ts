import type { SharedValue, UniqueValue } from '../store.ts';
import type { KeyColumns } from './resource-rows.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

/** Begins the space of a shared value's row; the space of no unique value begins so. */
const PREFIX = 'shared ';
const ROW_BYTES = 8;

/**
 * Shared values lie among the unique ones: the name belongs to the space, and the digest is the value with the row of its holder behind it. So
 * whether anybody has another value is asked of two ranges of the index, at one cost whatever the number of holders.
 */
export function rowOfShared(shared: SharedValue, row: number): UniqueValue {
  const holder = Buffer.alloc(ROW_BYTES);
  holder.writeBigInt64BE(BigInt(row));
  return { space: spaceOf(shared), digest: Buffer.concat([shared.value, holder]) };
}

/** Whether a row of `unique_values` is one of a shared value. */
export function isSharedSpace(space: string): boolean {
  return space.startsWith(PREFIX);
}

/** A resource that holds the same name with another value, other than the one in `ownRow`. */
export function findDissenter(
  database: SqliteDatabase,
  groupId: string,
  shared: SharedValue,
  ownRow: number | undefined,
): KeyColumns | undefined {
  const end = Buffer.concat([shared.value, Buffer.alloc(ROW_BYTES + 1, 0xff)]);
  for (const [range, bound] of [
    ['<', shared.value],
    ['>', end],
  ] as const) {
    const found = database.get<KeyColumns>(
      `SELECT resources.group_id, kind, parent_id, id FROM unique_values JOIN resources ON row = resource_row
       WHERE unique_values.group_id = ? AND space = ? AND digest ${range} ? AND resource_row <> ? LIMIT 1`,
      ...[groupId, spaceOf(shared), bound, ownRow ?? 0],
    );
    if (found !== undefined) return found;
  }
  return undefined;
}

function spaceOf({ space, name }: SharedValue): string {
  return `${PREFIX}${space} ${name.toString('hex')}`;
}
