/** What became of a block of fields. */
export const HPACK = {
  /** All fields of the block are in the list. */
  done: 0,
  /** The bytes are no block, and no later one can be understood: an error of the connection, COMPRESSION_ERROR (RFC 9113 §4.3). */
  failed: 1,
  /** The list is longer than the limits and its rest is left out; later blocks are understood. */
  tooLarge: 2,
} as const;

/** One of `HPACK`. */
export type HpackOutcome = (typeof HPACK)[keyof typeof HPACK];
