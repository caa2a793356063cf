/** A slot that was never used since its region was cleared: a search ends here. */
export const EMPTY_SLOT = 0;
/** A slot whose record is gone: a search goes on. */
export const DELETED_SLOT = 1;
/** A slot holds the record's unit, and four bits of its hash, so that 15 of 16 foreign records on the way are not even looked at. */
export const UNIT_MASK = 0x0fffffff;
const TAG_SHIFT = 28;

/** Word 0 of the control buffer counts the regions; row `generation % REGION_ROWS` behind it says where the current one lies. */
export const GENERATION_WORD = 0;
const REGION_ROWS = 64;
const REGION_ROW_WORDS = 2;
export const CONTROL_BYTES = (1 + REGION_ROWS * REGION_ROW_WORDS) * Int32Array.BYTES_PER_ELEMENT;

/** Where the row of a generation begins: the region's first slot, then its slot count minus one. */
export function regionRow(generation: number): number {
  return 1 + (generation & (REGION_ROWS - 1)) * REGION_ROW_WORDS;
}

/** What a slot holds for this record. */
export function slotOf(hash: number, unit: number): number {
  return ((hash & (0xf << TAG_SHIFT)) | unit) >>> 0;
}

/** Whether a slot's four bits of hash are those of `hash`. */
export function sameTag(slot: number, hash: number): boolean {
  return (slot ^ hash) >>> TAG_SHIFT === 0;
}
