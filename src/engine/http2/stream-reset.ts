import type { ErrorReason } from '../../errors/index.ts';
import { CANCEL, ENHANCE_YOUR_CALM, INTERNAL_ERROR, REFUSED_STREAM } from './http2-codes.ts';

/** Also how `TransportReceiver.onClose` tells that an upstream has reset a stream. */
const RESET_REASONS = ['upstream_refused_stream', 'upstream_cancelled', 'upstream_calm', 'upstream_reset'] as const;
type ResetReason = (typeof RESET_REASONS)[number];

/**
 * How a RST_STREAM with this code is told. `answered`: a part of the answer had come, and so the request was begun whatever the code says
 * (RFC 9113 §8.7).
 */
export function streamReset(code: number, answered: boolean): ResetReason {
  switch (code) {
    case REFUSED_STREAM:
      return answered ? 'upstream_reset' : 'upstream_refused_stream';
    case CANCEL:
      return 'upstream_cancelled';
    case ENHANCE_YOUR_CALM:
      return 'upstream_calm';
    default:
      return 'upstream_reset';
  }
}

/** The reason in the table of errors; undefined for a failure that is no reset of a stream. */
export function streamResetReason(failure: string | undefined): ResetReason | undefined {
  return RESET_REASONS.find((reason) => reason === failure);
}

/**
 * The code by which a client's stream is broken off for this reason: what the upstream has said goes on where it means the same to
 * the client. REFUSED_STREAM never does: behind a part of the answer a client must not take the request for one that was not begun.
 */
export function clientResetCode(reason: ErrorReason | undefined): number {
  if (reason === 'upstream_cancelled') return CANCEL;
  return reason === 'upstream_calm' ? ENHANCE_YOUR_CALM : INTERNAL_ERROR;
}
