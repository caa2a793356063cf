import type { ErrorReason } from '../errors/index.ts';

/** Decides how many connections there may be: the engine asks before it keeps one, and tells when one is gone. */
export interface ConnectionAdmission {
  /** Counts a new client's connection, or says why it is refused. `address` is canonical. */
  admitClient(address: string): ErrorReason | undefined;
  /** An admitted connection is gone. */
  clientGone(address: string): void;
  /** Counts a connection that is about to be made to an upstream, or says why it is not to be made. */
  admitUpstream(): ErrorReason | undefined;
  /** An admitted connection to an upstream is gone. */
  upstreamGone(): void;
  /** A client or a request was refused for good: nothing could be closed for it. */
  refused(reason: ErrorReason): void;
}

/** Lets everybody in. */
export const UNLIMITED: ConnectionAdmission = {
  admitClient: () => undefined,
  clientGone: () => {},
  admitUpstream: () => undefined,
  upstreamGone: () => {},
  refused: () => {},
};
