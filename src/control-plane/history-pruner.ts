import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../observability/index.ts';
import { encodeChainEnd, type SizeStep, type StoreHistory } from '../store/index.ts';
import { repeat } from './repeat.ts';

const SECONDS_PER_DAY = 86_400;
const BYTES_PER_MEBIBYTE = 1_048_576;
const INTERVAL_MS = 3_600_000;
/** Rows a step; each is a transaction of its own, so that no write waits for long. */
const ROWS_PER_STEP = 500;
/** Rows that are measured between two turns of the loop. */
const ROWS_PER_MEASUREMENT = 5_000;

/** How much of the past is kept. Neither limit ever refuses a write; the older goes. */
export interface HistoryRetention {
  /** Every state of these days can be brought back. */
  readonly versionDays: number;
  readonly versionMebibytes: number;
  readonly auditDays: number;
  readonly auditMebibytes: number;
}

/**
 * Forgets what is older, or more, than the retention allows, once an hour, in small steps, and then writes the audit log's end into the event log:
 * there it lies outside the database, for `audit verify --noted`. A failure is logged and the next hour tries again. The returned function stops it and resolves when no step is under way.
 */
export function startHistoryPruner(options: {
  readonly store: Pick<StoreHistory, 'pruneHistory' | 'measureHistory' | 'readChainEnd'>;
  readonly retention: HistoryRetention;
  readonly clock: Clock;
  readonly log: Logger;
}): () => Promise<void> {
  const { store, retention, clock, log } = options;
  const findCut = async (of: 'versions' | 'audit', mebibytes: number, isStopped: () => boolean): Promise<number | undefined> => {
    let step: SizeStep = { below: undefined, bytes: 0, cut: undefined };
    do {
      step = await store.measureHistory(of, step, mebibytes * BYTES_PER_MEBIBYTE, ROWS_PER_MEASUREMENT);
      await setImmediate();
    } while (step.cut === undefined && step.below !== undefined && !isStopped());
    return step.cut;
  };
  const prune = async (isStopped: () => boolean): Promise<void> => {
    const now = Math.floor(clock.nowMs() / 1000);
    const versionsBelow = await findCut('versions', retention.versionMebibytes, isStopped);
    const auditBelow = await findCut('audit', retention.auditMebibytes, isStopped);
    const limits = {
      versionsBefore: now - retention.versionDays * SECONDS_PER_DAY,
      ...(versionsBelow === undefined ? {} : { versionsBelow }),
      auditBefore: now - retention.auditDays * SECONDS_PER_DAY,
      ...(auditBelow === undefined ? {} : { auditBelow }),
      limit: ROWS_PER_STEP,
    };
    while (!isStopped() && (await store.pruneHistory(limits)) > 0);
    if (!isStopped()) await noteAuditEnd(options);
  };
  return repeat(clock, INTERVAL_MS, (isStopped) =>
    prune(isStopped).catch((error: unknown) => log.error('old history could not be removed', {}, error)),
  );
}

async function noteAuditEnd({ store, log }: Parameters<typeof startHistoryPruner>[0]): Promise<void> {
  const end = await store.readChainEnd('head');
  if (typeof end === 'string') log.error(`the end of the audit log is ${end}: somebody removed or changed it in the database`);
  else log.info('the audit log ends here', { noted: encodeChainEnd(end).toString() });
}
