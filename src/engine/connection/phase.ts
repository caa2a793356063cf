/** Where a client's connection stands. */
export const PHASE = {
  /** No byte of the next request's head has arrived. */
  idle: 0,
  /** A part of a head has. */
  head: 1,
  /** The handler has the request. */
  deciding: 2,
  /** The request is with an upstream. */
  forwarding: 3,
  /** The answer is written; the kernel has not taken all of it. */
  flushing: 4,
  /** The answer is with the client; the rest of the request's body is thrown away. */
  discarding: 5,
  /** Nothing more is sent; what arrives is thrown away until the client ends too. */
  lingering: 6,
  /** Both sides speak another protocol; bytes go through. */
  tunnel: 7,
  closed: 8,
} as const;
