export {
  ERROR_CODES,
  type ErrorCode,
  type ErrorReason,
  type ErrorRetry,
  type ErrorSource,
  retryAfterSeconds,
  statusOfReason,
} from './codes.ts';
export { PortcullisError, type PortcullisErrorOptions } from './portcullis-error.ts';
export { StartError } from './start-error.ts';
