/** What a log line says about a failure. */
export interface ErrorDescription {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  /** System error code or reason of the table of errors. */
  readonly code?: string;
  readonly cause?: ErrorDescription;
}

const MAX_MESSAGE_LENGTH = 2048;
const MAX_STACK_LENGTH = 8192;
const MAX_CAUSES = 5;

/**
 * Name, message, stack and causes of anything that was thrown. Bounded in length and depth, and never throws, whatever the value's
 * getters do: a failure must not be lost because of the way it is told.
 */
export function describeError(error: unknown): ErrorDescription {
  return describe(error, MAX_CAUSES);
}

function describe(error: unknown, causesLeft: number): ErrorDescription {
  try {
    if (!(error instanceof Error)) return { name: typeof error, message: shorten(String(error), MAX_MESSAGE_LENGTH) };
    const code = codeOf(error);
    return {
      name: shorten(String(error.name), MAX_MESSAGE_LENGTH),
      message: shorten(String(error.message), MAX_MESSAGE_LENGTH),
      ...(error.stack === undefined ? {} : { stack: shorten(String(error.stack), MAX_STACK_LENGTH) }),
      ...(code === undefined ? {} : { code }),
      ...(error.cause === undefined || causesLeft === 0 ? {} : { cause: describe(error.cause, causesLeft - 1) }),
    };
  } catch {
    return { name: 'Unknown', message: 'the failure could not be described' };
  }
}

function codeOf(error: Error): string | undefined {
  if ('reason' in error && typeof error.reason === 'string') return shorten(error.reason, MAX_MESSAGE_LENGTH);
  if ('code' in error && typeof error.code === 'string') return shorten(error.code, MAX_MESSAGE_LENGTH);
  return undefined;
}

/** Cuts a text and says by how much. */
export function shorten(text: string, maxLength: number): string {
  return text.length <= maxLength ? text : `${text.slice(0, maxLength)}… (${text.length - maxLength} more)`;
}

/** The system's name of a failure, e.g. `ENOSPC`, or the failure as text. */
export function systemCodeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
