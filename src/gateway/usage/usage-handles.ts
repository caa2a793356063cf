/** How much one worker counts between two collections. What lies beyond is counted under `OTHER`, by the hundred of its status. */
export interface UsageLimits {
  /** Credentials × routes × statuses. */
  readonly entries: number;
  /** Bytes for the names of all of them. */
  readonly textBytes: number;
}

/** Memory is taken as it is used: at most 4.3 MB for each worker, twice, and usually some kilobytes. */
export const USAGE_LIMITS: UsageLimits = { entries: 16_384, textBytes: 3 * 1024 * 1024 };

/** Memory in which workers count who uses what, and from which the agent collects it. To be posted to a worker that starts. */
export interface UsageHandles {
  readonly limits: UsageLimits;
  /** One for each worker thread that may be there at once. */
  readonly rows: readonly SharedArrayBuffer[];
}

/** Words at the start of a row: which half the worker counts in, and whether it is counting right now. */
export const ACTIVE = 0;
export const WRITING = 1;
const ROW_WORDS = 16;

/** Words at the start of a half: entries that there are, bytes of texts that are taken. */
export const USED = 0;
export const TEXT_USED = 1;
const HALF_WORDS = 16;

/** Words of an entry. */
export const ENTRY_WORDS = 10;
export const HASH = 0;
export const ROUTE = 1;
export const STATUS = 2;
export const COUNT = 3;
/** Unix seconds of the last use. */
export const LAST = 4;
/** Where its texts lie: consumer, credential, route, one behind the other. */
export const TEXT = 5;
export const CONSUMER_LENGTH = 6;
export const CREDENTIAL_LENGTH = 7;
export const ROUTE_LENGTH = 8;
/** The slot that leads to it, so that a half is emptied at the cost of what is in it. */
export const SLOT = 9;

/** The first entries of a half are those of `OTHER`, one for each hundred of statuses. */
export const OTHER_ENTRIES = 10;
const WORD_BYTES = 4;

/** Slots of a half: a power of two, at most half of them taken. */
function slotsOf({ entries }: UsageLimits): number {
  return 2 ** Math.ceil(Math.log2(entries * 2));
}

/** New memory, empty. */
export function createUsageHandles(rows: number, limits: UsageLimits = USAGE_LIMITS): UsageHandles {
  const bytes = ROW_WORDS * WORD_BYTES + 2 * halfBytes(limits);
  return { limits, rows: Array.from({ length: rows }, () => new SharedArrayBuffer(bytes)) };
}

/** One half of a row, as worker and agent see it. */
export interface UsageHalf {
  readonly header: Int32Array;
  readonly slots: Int32Array;
  readonly entries: Uint32Array;
  readonly texts: Buffer;
}

/** Both halves of a row. */
export function halvesOf({ limits }: UsageHandles, row: SharedArrayBuffer): readonly [UsageHalf, UsageHalf] {
  return [halfOf(limits, row, 0), halfOf(limits, row, 1)];
}

function halfOf(limits: UsageLimits, row: SharedArrayBuffer, half: number): UsageHalf {
  const start = ROW_WORDS * WORD_BYTES + half * halfBytes(limits);
  const slots = start + HALF_WORDS * WORD_BYTES;
  const entries = slots + slotsOf(limits) * WORD_BYTES;
  const entryWords = (limits.entries + OTHER_ENTRIES) * ENTRY_WORDS;
  return {
    header: new Int32Array(row, start, HALF_WORDS),
    slots: new Int32Array(row, slots, slotsOf(limits)),
    entries: new Uint32Array(row, entries, entryWords),
    texts: Buffer.from(row, entries + entryWords * WORD_BYTES, limits.textBytes),
  };
}

function halfBytes(limits: UsageLimits): number {
  const words = HALF_WORDS + slotsOf(limits) + (limits.entries + OTHER_ENTRIES) * ENTRY_WORDS;
  return words * WORD_BYTES + Math.ceil(limits.textBytes / WORD_BYTES) * WORD_BYTES;
}
