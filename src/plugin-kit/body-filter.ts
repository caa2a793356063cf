/** Changes a body while it streams. One is made for each answer. */
export interface BodyFilter {
  /**
   * One piece. The bytes are the filter's to keep and to change; only the gateway's own plugins, which spare the copy, must be done with
   * them when the call returns. What goes on is given to `push`, which may be called any number of times; a promise holds the sender back
   * until it settles.
   */
  write(chunk: Buffer, push: (bytes: Buffer) => void): void | Promise<void>;
  /** The body is complete. */
  end(push: (bytes: Buffer) => void): void | Promise<void>;
  /** The exchange ended before the body did; nothing is pushed any more. */
  abort?(): void;
}
