import type { Clock } from '../../lib/clock.ts';
import type { LogFields, Logger, LogLevel } from '../../observability/index.ts';
import type { WorkerMessage } from './worker-messages.ts';

/** Lines that a worker hands to the agent in one second; a plugin that fails on every request must not drown it. */
const LINES_PER_SECOND = 100;
const SECOND_MS = 1000;

/** A worker's logger: the agent writes the lines, for it alone owns the log. What is beyond the budget of a second is counted. */
export function createWorkerLogger(post: (message: WorkerMessage) => void, clock: Clock): Logger {
  const budget = { startedAtMs: clock.monotonicMs(), lines: 0, dropped: 0 };
  const write = (level: LogLevel, message: string, fields: LogFields, error: unknown): void => {
    const nowMs = clock.monotonicMs();
    if (nowMs - budget.startedAtMs >= SECOND_MS) {
      const { dropped } = budget;
      budget.startedAtMs = nowMs;
      budget.lines = 0;
      budget.dropped = 0;
      if (dropped > 0)
        post({ kind: 'log', level: 'warn', message: 'log lines of a worker were dropped', fields: { dropped }, error: undefined });
    }
    if (budget.lines >= LINES_PER_SECOND) {
      budget.dropped++;
      return;
    }
    budget.lines++;
    post({ kind: 'log', level, message, fields, error: error === undefined ? undefined : asError(error) });
  };
  return childLogger(write, {});
}

function childLogger(write: (level: LogLevel, message: string, fields: LogFields, error: unknown) => void, base: LogFields): Logger {
  return {
    debug: (message, fields) => write('debug', message, { ...base, ...fields }, undefined),
    info: (message, fields) => write('info', message, { ...base, ...fields }, undefined),
    warn: (message, fields) => write('warn', message, { ...base, ...fields }, undefined),
    error: (message, fields, error) => write('error', message, { ...base, ...fields }, error),
    child: (fields) => childLogger(write, { ...base, ...fields }),
  };
}

/** Only errors are sure to get through to another thread; a thrown function, for one, is not. */
function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(`thrown: ${String(error)}`);
}
