const DEFAULT_WAIT_MS = 1_000;
const MAX_WAIT_MS = 30_000;
const WAIT = /^\s*wait\s*=\s*"?(\d{1,9}(?:\.\d{1,9})?)"?\s*(?:;|$)/i;

/**
 * How long an answer may wait until the change is in force, from the header `Prefer: wait=N` (RFC 7240, section 4.3): seconds, at most
 * 30; fractions are allowed beyond the RFC. What is malformed is ignored, as the RFC demands, and the default is one second.
 */
export function waitMsOf(prefer: string | undefined): number {
  for (const preference of prefer?.split(',') ?? []) {
    const seconds = WAIT.exec(preference)?.[1];
    if (seconds !== undefined) return Math.min(Number(seconds) * 1000, MAX_WAIT_MS);
  }
  return DEFAULT_WAIT_MS;
}
