import type { ErrorReason } from '../../errors/index.ts';
import { streamResetReason } from '../http2/stream-reset.ts';
import { TLS_FAILURE } from '../transport/connect-tls-transport.ts';

/** Why an attempt has failed whose connection was there and has ended before the answer was whole, by what `TransportReceiver.onClose` tells. */
export function endedReason(failure: string | undefined, answered: boolean, reused: boolean): ErrorReason {
  // Nothing of a request is done by who has refused the handshake, late as that is known in TLS 1.3.
  if (failure === TLS_FAILURE.handshake && !answered && !reused) return 'upstream_tls_failed';
  return streamResetReason(failure) ?? 'upstream_closed';
}
