/** How far a parser got: it needs more bytes, it has read all it looked for, or the bytes are refused. */
export const PARSE = { more: 0, done: 1, failed: 2 } as const;
