/** Bounds of one bulk. The body is read, validated and written in slices, but is in memory as a whole. */
export const BULK_LIMITS = {
  operations: 10_000,
  bodyBytes: 8_388_608,
  /** How long the loop is kept busy at a time. */
  sliceMs: 10,
  /** Refused operations are told one by one up to this much text; beyond, they only count. */
  listedCharacters: 1_000_000,
  listedWarnings: 100,
} as const;
