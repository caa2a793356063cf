/** How the connections of a target are kept between requests. */
export interface KeepAliveSettings {
  /** Most idle connections of one worker. */
  readonly size: number;
  /** Longest time a connection is kept idle. */
  readonly idleTimeoutMs: number;
  /** A connection is closed after this many requests. */
  readonly requests: number;
}
