import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../observability/index.ts';
import type { UsageStore } from '../../store/index.ts';
import { repeat } from '../repeat.ts';

const INTERVAL_MS = 3_600_000;
/** Rows of each kind a step; each is a transaction of its own, so that no write waits for long. */
const ROWS_PER_STEP = 500;
const DAY_SECONDS = 86_400;

/** For how many days usage is kept. */
interface UsageRetention {
  readonly hourDays: number;
  readonly dayDays: number;
}

const USAGE_RETENTION: UsageRetention = { hourDays: 8, dayDays: 400 };

/**
 * Removes usage that is too old, once an hour, in small steps. A failure is logged and the next hour tries again. The returned function
 * stops it and resolves when no step is under way.
 */
export function startUsagePruner(options: {
  readonly usage: Pick<UsageStore, 'prune'>;
  readonly clock: Clock;
  readonly log: Logger;
}): () => Promise<void> {
  const { usage, clock, log } = options;
  const step = (): Promise<number> => {
    const now = Math.floor(clock.nowMs() / 1000);
    const { hourDays, dayDays } = USAGE_RETENTION;
    return usage.prune({ hours: now - hourDays * DAY_SECONDS, days: now - dayDays * DAY_SECONDS }, ROWS_PER_STEP);
  };
  return repeat(clock, INTERVAL_MS, async (isStopped) => {
    try {
      while (!isStopped() && (await step()) > 0);
    } catch (error) {
      log.error('usage that is too old could not be removed', {}, error);
    }
  });
}
