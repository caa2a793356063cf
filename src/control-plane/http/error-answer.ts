import { ERROR_CODES, type ErrorReason, PortcullisError } from '../../errors/index.ts';
import { PreconditionFailed } from './precondition-failed.ts';

/** What a client is told of a failure, and what the log is told. */
export interface ErrorAnswer {
  readonly reason: ErrorReason;
  readonly status: number;
  readonly message: string;
  readonly headers: Readonly<Record<string, string>>;
  /** A failure of ours, whose cause belongs in the log. */
  readonly isOurs: boolean;
}

/** Answers that the HTTP framework gives by itself, by its own codes. */
const FRAMEWORK_REASONS: ReadonlyMap<string, readonly [ErrorReason, string]> = new Map([
  ['FST_ERR_BAD_URL', ['admin_invalid', 'malformed request path']],
  ['FST_ERR_MAX_PARAM_LENGTH', ['uri_too_long', 'request path too long']],
]);
/** SQLite's result codes that say "not now" or "not on this disk", by their beginning. */
const STORE_TROUBLE = /^SQLITE_(BUSY|LOCKED|FULL|READONLY|IOERR|CANTOPEN|NOMEM|PROTOCOL)/;

/** Translates anything that was thrown. Only `PortcullisError`s speak to the client; all else is an internal error. */
export function describeError(error: unknown): ErrorAnswer {
  if (error instanceof PreconditionFailed && error.currentTag !== undefined) {
    return { ...answerFor(error.reason, error.publicMessage), headers: { etag: error.currentTag } };
  }
  if (error instanceof PortcullisError) return answerFor(error.reason, error.publicMessage);
  const code = codeOf(error);
  if (STORE_TROUBLE.test(code)) return answerFor('store_unavailable');
  const known = FRAMEWORK_REASONS.get(code);
  if (known !== undefined) return answerFor(...known);
  return answerFor('admin_internal');
}

function answerFor(reason: ErrorReason, message: string = ERROR_CODES[reason].publicMessage): ErrorAnswer {
  const { status, source, retry } = ERROR_CODES[reason];
  return {
    reason,
    // A client that has gone needs no answer; the number only stands in the log.
    status: status === 0 ? 499 : status,
    message,
    headers: retry === 'yes' ? { 'retry-after': '1' } : {},
    isOurs: source !== 'client',
  };
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
