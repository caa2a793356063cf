import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../observability/index.ts';
import type { Author, Store } from '../store/index.ts';
import { repeat } from './repeat.ts';

const SYSTEM: Author = { id: 'system', name: 'system' };
const INTERVAL_MS = 3_600_000;
/** Rows a step; each is a transaction of its own, so that no write waits for long. */
const ROWS_PER_STEP = 500;

/**
 * Removes sessions and invites that are over, once an hour, in small steps. A failure is logged and the next hour tries again. The
 * returned function stops it and resolves when no step is under way.
 */
export function startRecordPruner(options: {
  readonly store: Store;
  readonly expiryClock: Pick<Clock, 'nowMs'>;
  readonly clock: Clock;
  readonly log: Logger;
}): () => Promise<void> {
  const { store, expiryClock, clock, log } = options;
  const step = (): Promise<number> =>
    store.transaction(SYSTEM, (transaction) => transaction.deleteExpiredRecords(Math.floor(expiryClock.nowMs() / 1000), ROWS_PER_STEP));
  return repeat(clock, INTERVAL_MS, async (isStopped) => {
    try {
      while (!isStopped() && (await step()) > 0);
    } catch (error) {
      log.error('sessions and invites that are over could not be removed', {}, error);
    }
  });
}
