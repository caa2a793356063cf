/** A timer of Node fires at once when its delay does not fit 31 bits. */
const MAX_TIMER_MS = 2_147_483_647;

/** Seconds of a configuration as whole milliseconds, small enough for the machine's timers. */
export function timerMs(seconds: number): number {
  return Math.min(Math.round(seconds * 1000), MAX_TIMER_MS);
}
