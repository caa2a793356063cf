import type { Clock } from '../../lib/clock.ts';

/** The shorter of so many readings is taken: a thread may be put aside in the middle of one. */
const READINGS = 16;

/** Milliseconds of the machine's monotonic clock, the same on all threads of all processes. */
export type MachineTime = () => number;

/**
 * The machine's monotonic time as a thread's own clock tells it. `performance.now()` begins with each thread and so is another number on
 * each; what lies between it and the machine's clock stays the same, and is measured here once to within a few microseconds.
 */
export function machineTime(clock: Clock): MachineTime {
  let offsetMs = 0;
  let shortestMs = Number.POSITIVE_INFINITY;
  for (let reading = 0; reading < READINGS; reading++) {
    const before = readMachineMs();
    const ownMs = clock.monotonicMs();
    const tookMs = readMachineMs() - before;
    if (tookMs >= shortestMs) continue;
    shortestMs = tookMs;
    offsetMs = before + tookMs / 2 - ownMs;
  }
  return () => clock.monotonicMs() + offsetMs;
}

function readMachineMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}
