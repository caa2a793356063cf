/** A list that grows beyond this length gets blocks; any shorter one is counted through. A block that outgrows it is parted. */
export const MOST_ENTRIES = 1_024;
/** Entries of a block that is made from a list. */
export const USUAL_ENTRIES = 512;
/** A block below this is joined with the next, where both fit into one with room to grow. */
export const FEWEST_ENTRIES = 128;
export const MOST_JOINED_ENTRIES = 768;

/** The first block begins before all keys. */
export const BEFORE_ALL = '';

/** Whether a list of this length has to have blocks. */
export function needsBlocks(entries: number): boolean {
  return entries > MOST_ENTRIES;
}
