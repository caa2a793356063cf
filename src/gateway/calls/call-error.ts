/** Why a call came to nothing. */
export type CallFailure =
  /** The URL or a header cannot be used. */
  | 'invalid'
  | 'unresolved'
  /** The address policy forbids every address of the host. */
  | 'denied'
  /** Too many calls are under way and waiting. */
  | 'busy'
  | 'timeout'
  | 'too_large'
  /** The client of the calls was closed. */
  | 'closed'
  /** The connection could not be made or broke; the message ends in the system's code. */
  | 'failed';

/** A call that came to nothing. Its message names scheme, host and port, never a path, a query, a header or a user. */
export class CallError extends Error {
  readonly failure: CallFailure;

  constructor(failure: CallFailure, message: string) {
    super(message);
    this.name = 'CallError';
    this.failure = failure;
  }
}
