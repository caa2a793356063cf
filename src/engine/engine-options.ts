/** Sizes beyond which a message is refused, so that no peer decides how much memory it takes. */
export interface EngineLimits {
  /** Longer targets get 414. */
  readonly targetBytes: number;
  /** Longer request heads get 431. */
  readonly headBytes: number;
  /** More header fields get 431. */
  readonly headerCount: number;
  /** All chunk extensions of one body together; more is 400. */
  readonly chunkExtensionBytes: number;
  /** A body's trailer section; more is 400. */
  readonly trailerBytes: number;
  /** Longer response heads are a malformed response. */
  readonly responseHeadBytes: number;
  readonly responseHeaderCount: number;
  /** Interim responses (1xx) that one exchange may have. */
  readonly interimResponses: number;
  /** How much of an unread request body is read and thrown away behind an early answer. */
  readonly discardedBodyBytes: number;
}

/** How long the engine waits, in milliseconds; one sweep looks at all, so each is exact to half a second. */
export interface EngineTimeouts {
  /** From a request's first byte to the end of its head; answers 408. Also from connecting to the first byte; closes. */
  readonly headMs: number;
  /** Between the requests of a connection; closes. */
  readonly clientIdleMs: number;
  /** Longest silence inside a request body that the engine is ready to read; answers 408. */
  readonly bodySilenceMs: number;
  /** Longest time in which the client takes nothing of an answer; ends the connection. */
  readonly clientWriteStallMs: number;
  /**
   * How long a client that has ended its own side is kept waiting for the head of an answer. Most such clients have gone away, which
   * nothing but a write would show; until then they hold a connection to the upstream.
   */
  readonly halfClosedMs: number;
  /** How long a connection that is being closed waits for the client's end, so that the answer is not lost to a reset. */
  readonly lingerMs: number;
  /** How long a connection that has not sent its first request is kept during a drain. */
  readonly drainGraceMs: number;
}

export const DEFAULT_ENGINE_LIMITS: EngineLimits = {
  targetBytes: 8 * 1024,
  headBytes: 32 * 1024,
  headerCount: 200,
  chunkExtensionBytes: 4 * 1024,
  trailerBytes: 8 * 1024,
  responseHeadBytes: 64 * 1024,
  responseHeaderCount: 500,
  interimResponses: 16,
  discardedBodyBytes: 64 * 1024,
};

export const DEFAULT_ENGINE_TIMEOUTS: EngineTimeouts = {
  headMs: 60_000,
  clientIdleMs: 75_000,
  bodySilenceMs: 60_000,
  clientWriteStallMs: 60_000,
  halfClosedMs: 5_000,
  lingerMs: 2_000,
  drainGraceMs: 1_000,
};
