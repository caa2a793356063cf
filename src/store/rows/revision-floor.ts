/** The setting in which the revision lies at which a new group begins. */
export const REVISION_FLOOR_SETTING = 'revision-floor';

/**
 * Where a new group begins: above the highest revision that any group which is no longer there has had. A gateway of such a group refuses what is
 * older than it has seen, so one that is made anew under the same id goes on above. 0 where no group has gone.
 */
export function parseRevisionFloor(value: Uint8Array | undefined): number {
  const floor = value === undefined ? 0 : Number(Buffer.from(value).toString());
  return Number.isSafeInteger(floor) && floor > 0 ? floor : 0;
}

export function revisionFloorValue(floor: number): Buffer {
  return Buffer.from(String(floor));
}
