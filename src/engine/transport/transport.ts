/** Hears what happens on a connection. Nothing is called after `onClose`. */
export interface TransportReceiver {
  /** `bytes[0, length)` arrived. They belong to the transport again when the call returns. */
  onBytes(bytes: Buffer, length: number): void;
  /** The peer sends nothing more; it may still read. */
  onEnd(): void;
  /** Everything written is with the kernel, after a `write` that returned false. */
  onFlushed(): void;
  /** The connection is gone. `failure` is the system's error code, or undefined for an orderly end. */
  onClose(failure: string | undefined): void;
}

/** A byte stream both ways: all that the engine knows of sockets, so that another kind (TLS, a quicker one) can take their place. */
export interface Transport {
  /** Bytes written that the kernel has not taken yet. */
  readonly pendingBytes: number;
  /** Bytes written that the kernel has taken; never falls. Costs more than `pendingBytes`: for the sweep, not for the request path. */
  readonly takenBytes: number;
  /**
   * Sends `bytes` after all that was written before. True: they may be reused at once. False: they belong to the transport for
   * good, and `onFlushed` follows once nothing is pending any more. Never throws; on a connection that is gone or was ended the
   * bytes are lost.
   */
  write(bytes: Buffer): boolean;
  /** As `write`, of bytes that belong to the transport for good in any case; there where `write` copies them all. */
  give?(bytes: Buffer): void;
  /** Bytes stop arriving, also those already on their way inside the process; so does the peer's end. */
  pause(): void;
  resume(): void;
  /** Ends the writing side after what was written. */
  end(): void;
  /** Gives the connection up; what is pending is lost. */
  destroy(): void;
  /** Gives the connection up such that the peer sees an error and no orderly end. */
  reset(): void;
}
