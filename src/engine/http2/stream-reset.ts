import type { ErrorReason } from '../../errors/index.ts';
import { CANCEL, ENHANCE_YOUR_CALM, INTERNAL_ERROR, REFUSED_STREAM } from './http2-codes.ts';

/** Codes by which `TransportReceiver.onClose` tells that an upstream has reset a stream. */
const STREAM_RESET = {
  refused: 'HTTP2_REFUSED_STREAM',
  cancelled: 'HTTP2_CANCEL',
  calm: 'HTTP2_ENHANCE_YOUR_CALM',
  other: 'HTTP2_RESET',
} as const;

const REASONS: ReadonlyMap<string, ErrorReason> = new Map([
  [STREAM_RESET.refused, 'upstream_refused_stream'],
  [STREAM_RESET.cancelled, 'upstream_cancelled'],
  [STREAM_RESET.calm, 'upstream_calm'],
  [STREAM_RESET.other, 'upstream_reset'],
]);

/**
 * How a RST_STREAM with this code is told. `answered`: a part of the answer had come, and so the request was begun whatever the code says
 * (RFC 9113 §8.7).
 */
export function streamReset(code: number, answered: boolean): string {
  switch (code) {
    case REFUSED_STREAM:
      return answered ? STREAM_RESET.other : STREAM_RESET.refused;
    case CANCEL:
      return STREAM_RESET.cancelled;
    case ENHANCE_YOUR_CALM:
      return STREAM_RESET.calm;
    default:
      return STREAM_RESET.other;
  }
}

/** The reason in the table of errors; undefined for a failure that is no reset of a stream. */
export function streamResetReason(failure: string | undefined): ErrorReason | undefined {
  return failure === undefined ? undefined : REASONS.get(failure);
}

/**
 * The code by which a client's stream is broken off for this reason: what the upstream has said goes on where it means the same to
 * the client. REFUSED_STREAM never does: behind a part of the answer a client must not take the request for one that was not begun.
 */
export function clientResetCode(reason: ErrorReason | undefined): number {
  if (reason === 'upstream_cancelled') return CANCEL;
  return reason === 'upstream_calm' ? ENHANCE_YOUR_CALM : INTERNAL_ERROR;
}
