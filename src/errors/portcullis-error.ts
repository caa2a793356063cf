import { ERROR_CODES, type ErrorCode, type ErrorReason } from './codes.ts';

/** What an error says beyond its reason. */
export interface PortcullisErrorOptions {
  /** For the client, in place of the table's text. No secret. */
  readonly publicMessage?: string;
  /** For the log only. No secret either. */
  readonly detail?: string;
  readonly cause?: unknown;
  /** Sent as Retry-After, where this very refusal passes by itself. */
  readonly retryAfterSeconds?: number;
}

/** A failure with a reason from the table: status, source and retry rule come from there; the client sees `publicMessage` only. */
export class PortcullisError extends Error {
  readonly reason: ErrorReason;
  readonly publicMessage: string;
  readonly retryAfterSeconds: number | undefined;

  constructor(reason: ErrorReason, options: PortcullisErrorOptions = {}) {
    const publicMessage = options.publicMessage ?? ERROR_CODES[reason].publicMessage;
    super(options.detail ?? publicMessage, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'PortcullisError';
    this.reason = reason;
    this.publicMessage = publicMessage;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  get code(): ErrorCode {
    return ERROR_CODES[this.reason];
  }
}
