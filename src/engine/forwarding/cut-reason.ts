import type { ErrorReason } from '../../errors/index.ts';

/** What of the upstream's leaves an answer without its end. */
const TRUNCATING: ReadonlySet<ErrorReason> = new Set(['upstream_closed', 'upstream_read_timeout', 'upstream_reset']);

/** The reason for an answer that is cut off behind its head. */
export function cutReason(reason: ErrorReason): ErrorReason {
  return TRUNCATING.has(reason) ? 'upstream_truncated' : reason;
}
