import type { UsageTaker } from '../../distribution/index.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../observability/index.ts';
import { UsageInDoubt, type UsageRow, type UsageStore } from '../../store/index.ts';
import { FlushPace } from './flush-pace.ts';
import { rowOfOther, UsageBook } from './usage-book.ts';

/** Rows a transaction: a few milliseconds, so that no write of the configuration waits for long. */
const ROWS_PER_STEP = 500;
/** What a group may tell apart in an hour; from then on it is told apart by status only. */
const MAX_ROWS_PER_HOUR = 100_000;

/** Takes what gateways tell of who used what, and writes it. */
export interface UsageRecorder extends UsageTaker {
  /** Writes what there is and ends. Never rejects. */
  stop(): Promise<void>;
}

/**
 * Starts to write usage, once an interval, and sooner for a gateway that has more to tell, in small steps. While the store is away what is
 * told is kept, in a bounded size, and written later; what is in memory when the process dies is lost, which is what at most an interval of
 * each gateway holds. Rows in doubt are written again only when the store says that they are not there; until then nothing else is written
 * either, because it would be in doubt next.
 *
 * Rows of several messages and instances are added up, and what failed is added to what came later: so that a message is written is said only
 * when the book was emptied after it came and all that was taken out then, and ever before, is written.
 */
export function startUsageRecorder(options: { readonly usage: UsageStore; readonly clock: Clock; readonly log: Logger }): UsageRecorder {
  const { usage, clock, log } = options;
  const book = new UsageBook();
  const report = (rows: number, error: unknown): void =>
    log.error('the usage of credentials and routes could not be written; it is tried again', { rows }, error);
  let inDoubt: { readonly rows: readonly UsageRow[]; readonly wasAdded: () => Promise<boolean> } | undefined;
  const isSettled = async (): Promise<boolean> => {
    if (inDoubt === undefined) return true;
    const { rows, wasAdded } = inDoubt;
    try {
      if (!(await wasAdded())) book.putBack(rows);
      inDoubt = undefined;
      return true;
    } catch (error) {
      report(rows.length, error);
      return false;
    }
  };
  let tell: (upTo: number) => void = () => undefined;
  const flush = async (): Promise<boolean> => {
    if (!(await isSettled())) return false;
    const told = book.takeOut();
    const upTo = book.timesTakenOut;
    // Whether there is room cannot be found out while the store is away: then it cannot be written either.
    const rows = await withinLimits(usage, told).catch(() => told);
    for (let start = 0; start < rows.length; start += ROWS_PER_STEP) {
      const step = rows.slice(start, start + ROWS_PER_STEP);
      try {
        await usage.record(step);
      } catch (error) {
        if (error instanceof UsageInDoubt) inDoubt = { rows: step, wasAdded: error.wasAdded };
        book.putBack(rows.slice(inDoubt === undefined ? start : start + ROWS_PER_STEP));
        report(rows.length - start, error);
        return false;
      }
    }
    tell(upTo);
    return true;
  };
  const pace = new FlushPace(clock, flush);
  return {
    take: (name, report) => {
      book.take(name, report, Math.floor(clock.nowMs() / 1000));
      if (report.soon === true) pace.hurry();
      return book.timesTakenOut + 1;
    },
    onWritten: (listener) => {
      tell = listener;
    },
    stop: async () => {
      await pace.stop();
      await flush();
    },
  };
}

/** Without names what belongs to a group and hour that has too many already. */
async function withinLimits(usage: UsageStore, rows: readonly UsageRow[]): Promise<readonly UsageRow[]> {
  const rooms = new Map<string, boolean>();
  const kept: UsageRow[] = [];
  for (const row of rows) {
    const key = `${row.at} ${row.groupId}`;
    const hasRoom = rooms.get(key) ?? (await usage.countRows(row.groupId, row.at, MAX_ROWS_PER_HOUR)) < MAX_ROWS_PER_HOUR;
    rooms.set(key, hasRoom);
    kept.push(hasRoom ? row : rowOfOther(row));
  }
  return kept;
}
