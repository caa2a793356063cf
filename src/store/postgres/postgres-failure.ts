/** What became of the connection on which something failed. */
type Connection =
  /** It was never there. */
  | 'refused'
  /** It is gone, or of no further use; what ran on it may or may not have happened. */
  | 'lost'
  /** As lost, but it took the whole time-out to know: another attempt would take it once more. */
  | 'silent'
  /** It goes on; the statement alone was refused. */
  | 'kept';

/** PostgreSQL, or the way to it, refused something. */
export class PostgresFailure extends Error {
  /** SQLSTATE, else the system's or TLS's own code, else empty. */
  readonly code: string;
  readonly connection: Connection;

  /** The cause is not kept: PostgreSQL's errors carry the values of rows. */
  constructor(cause: unknown, isConnected: boolean) {
    const code = codeOf(cause);
    super(`${code === '' ? '' : `${code}: `}${messageOf(cause)}`);
    this.name = 'PostgresFailure';
    this.code = code;
    if (!isConnected) this.connection = 'refused';
    else if (messageOf(cause) === 'Query read timeout') this.connection = 'silent';
    else this.connection = SQLSTATE.test(code) && !ENDS_CONNECTION.test(code) ? 'kept' : 'lost';
  }
}

const SQLSTATE = /^[0-9A-Z]{5}$/;
/**
 * After these the connection is closed, or must be: connection failures, shutdown, a server that has become a read-only replica, a
 * transaction that was ended for idling, a prepared statement that is unknown or whose result has changed.
 */
const ENDS_CONNECTION = /^(08|57P0|25006|25P03|26000|0A000|XX)/;

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** A host with several addresses fails once for each, with an empty message of its own. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}
