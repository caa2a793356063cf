const DEFAULT_WAIT_MS = 1_000;
const MAX_WAIT_MS = 30_000;
const WAIT = /^\s*wait\s*=\s*"?(\d{1,9})"?\s*(?:;|$)/i;

/**
 * How long an answer may wait until the change is in force, from the header `Prefer: wait=N` (RFC 7240, section 4.3): whole seconds, at
 * most 30. What is malformed is ignored, as the RFC demands, and the default is one second.
 *
 * Fractions count as malformed: an instance that misses a wait is not waited for by anyone until it has caught up, so nobody may
 * make it miss one that it could not have kept.
 */
export function waitMsOf(prefer: string | undefined): number {
  for (const preference of prefer?.split(',') ?? []) {
    const seconds = WAIT.exec(preference)?.[1];
    if (seconds !== undefined) return Math.min(Number(seconds) * 1000, MAX_WAIT_MS);
  }
  return DEFAULT_WAIT_MS;
}
