// The global is a property with a getter, which compiled code cannot see through: naming it costs as much as the reading itself.
import { performance } from 'node:perf_hooks';

/** Ends a scheduled task; calling it again, or after the task ran, does nothing. */
export type CancelTask = () => void;

/**
 * Time as everything but the outermost start-up code sees it, so that tests own it.
 *
 * `nowMs` is wall-clock time in milliseconds since 1970; `monotonicMs` never runs backwards and has no fixed origin.
 * Limits and time-outs use the monotonic time, time stamps the wall clock.
 */
export interface Clock {
  nowMs(): number;
  monotonicMs(): number;
  /** Runs `task` once after `delayMs`; the pending task does not keep the process alive. */
  schedule(delayMs: number, task: () => void): CancelTask;
}

/** The machine's own time. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  schedule: (delayMs, task) => {
    const timer = setTimeout(task, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
