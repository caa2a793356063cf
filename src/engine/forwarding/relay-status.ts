/** How far the relay of one response got. */
export const RELAY = {
  more: 0,
  /** The answer has been written whole. */
  done: 1,
  /** The response breaks the protocol. */
  failed: 2,
  /** The protocol has changed. */
  switched: 3,
  /** What changes the answer threw; that is reported. */
  crashed: 4,
  /** The exchange was ended meanwhile, by whoever changes the answer. */
  over: 5,
} as const;
