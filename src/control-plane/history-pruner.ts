import type { CancelTask, Clock } from '../lib/clock.ts';
import type { Logger } from '../observability/index.ts';
import type { StoreHistory } from '../store/index.ts';

const SECONDS_PER_DAY = 86_400;
const INTERVAL_MS = 3_600_000;
/** Default limits of history and audit log. */
const VERSION_DAYS = 90;
const AUDIT_DAYS = 180;
/** Rows a step; each is a transaction of its own, so that no write waits for long. */
const ROWS_PER_STEP = 500;

/**
 * Forgets versions older than 90 days and audit entries older than 180 days, once an hour, in small steps. A failure is logged and the
 * next hour tries again. The returned function stops it and resolves when no step is under way.
 */
export function startHistoryPruner(options: {
  readonly store: Pick<StoreHistory, 'pruneHistory'>;
  readonly clock: Clock;
  readonly log: Logger;
}): () => Promise<void> {
  const { store, clock, log } = options;
  let isStopped = false;
  let running: Promise<void> = Promise.resolve();
  let cancel: CancelTask = () => undefined;
  const prune = async (): Promise<void> => {
    const now = Math.floor(clock.nowMs() / 1000);
    const limits = {
      versionsBefore: now - VERSION_DAYS * SECONDS_PER_DAY,
      auditBefore: now - AUDIT_DAYS * SECONDS_PER_DAY,
      limit: ROWS_PER_STEP,
    };
    while (!isStopped && (await store.pruneHistory(limits)) > 0);
  };
  const schedule = (): void => {
    cancel = clock.schedule(INTERVAL_MS, () => {
      running = prune().catch((error: unknown) => log.error('old history could not be removed', {}, error));
      void running.then(() => {
        if (!isStopped) schedule();
      });
    });
  };
  schedule();
  return async () => {
    isStopped = true;
    cancel();
    await running;
  };
}
