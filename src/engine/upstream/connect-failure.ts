import type { ErrorReason } from '../../errors/index.ts';

/** The reason in the table of errors for a connection that could not be made, by the system's error code. */
export function connectFailureReason(code: string | undefined): ErrorReason {
  switch (code) {
    case 'ECONNREFUSED':
      return 'connect_refused';
    case 'ETIMEDOUT':
      return 'connect_timeout';
    case 'EMFILE':
    case 'ENFILE':
      return 'out_of_descriptors';
    default:
      return 'connect_failed';
  }
}
