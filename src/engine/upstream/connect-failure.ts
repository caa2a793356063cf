import type { ErrorReason } from '../../errors/index.ts';
import { TLS_FAILURE } from '../transport/connect-tls-transport.ts';

/** The reason in the table of errors for a connection that could not be made, by what `TransportReceiver.onClose` tells. */
export function connectFailureReason(code: string | undefined): ErrorReason {
  switch (code) {
    case 'ECONNREFUSED':
      return 'connect_refused';
    case 'ETIMEDOUT':
      return 'connect_timeout';
    case TLS_FAILURE.handshake:
      return 'upstream_tls_failed';
    case TLS_FAILURE.certificate:
      return 'upstream_certificate_invalid';
    case 'EMFILE':
    case 'ENFILE':
      return 'out_of_descriptors';
    default:
      return 'connect_failed';
  }
}
