import type { Clock } from '../lib/clock.ts';
import { ForwardClock } from '../lib/forward-clock.ts';
import type { Logger } from '../observability/index.ts';
import type { Author, Store, StoreReader, StoreTransaction } from '../store/index.ts';
import { repeat } from './repeat.ts';

const SETTING = 'latest-time';
const SYSTEM: Author = { id: 'system', name: 'system' };
const KEEP_INTERVAL_MS = 60_000;
/** A restart loses at most this much of what was seen: a clock that leaps is kept at once. */
const MOST_LOST_MS = 90_000;
/** A wall clock that is further behind than this was set back, or had been wrong before. */
const NOTABLE_LAG_MS = 2_000;

/** Wall-clock time by which things expire: it never runs backwards and never stands still, so that setting a clock back brings nothing to life again. */
export interface ExpiryClock {
  /** The latest time that any control plane of this store has seen, in milliseconds since 1970. */
  nowMs(): number;
  /** Keeps it a last time. */
  close(): Promise<void>;
}

/** Opens it with the latest time that the store knows, and keeps what it sees there once a minute. A failure to do so is only logged. */
export async function openExpiryClock(options: {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  /** The clock of now is believed: what the store knows of a later time is forgotten. */
  readonly believeClock?: boolean | undefined;
}): Promise<ExpiryClock> {
  const { store, clock, log } = options;
  let keptMs = await readLatestMs(store);
  const lagMs = keptMs - clock.nowMs();
  if (options.believeClock === true && lagMs > 0) {
    keptMs = clock.nowMs();
    await store.transaction(SYSTEM, (transaction) => putLatestMs(transaction, keptMs));
    log.warn('the latest time seen is forgotten: things expire by the clock again', { lagMs });
  } else if (lagMs > NOTABLE_LAG_MS) log.warn('the clock is behind the latest time seen: things expire by that time', { lagMs });
  const forward = new ForwardClock(clock, keptMs);
  const keep = async (): Promise<void> => {
    keptMs = Math.floor(forward.nowMs());
    try {
      await store.transaction(SYSTEM, async (transaction) => {
        const latestMs = Math.floor(forward.nowMs());
        const storedMs = await readLatestMs(transaction);
        if (latestMs > storedMs) await putLatestMs(transaction, latestMs);
        forward.moveTo(storedMs);
      });
    } catch (error) {
      log.error('the time could not be kept', {}, error);
    }
  };
  const stop = repeat(clock, KEEP_INTERVAL_MS, keep);
  let leapsKept: Promise<void> = Promise.resolve();
  let isClosed = false;
  return {
    nowMs: () => {
      const nowMs = Math.floor(forward.nowMs());
      if (nowMs - keptMs > MOST_LOST_MS && !isClosed) {
        keptMs = nowMs;
        leapsKept = leapsKept.then(keep);
      }
      return nowMs;
    },
    close: async () => {
      isClosed = true;
      await stop();
      await leapsKept;
      await keep();
    },
  };
}

/** The later one of the wall clock and of what the store knows. */
export async function latestTimeMs(store: Pick<StoreReader, 'getSetting'>, clock: Clock): Promise<number> {
  return Math.max(clock.nowMs(), await readLatestMs(store));
}

function putLatestMs(transaction: StoreTransaction, latestMs: number): Promise<void> {
  return transaction.putSetting(SETTING, Buffer.from(String(latestMs)), { secret: false });
}

async function readLatestMs(store: Pick<StoreReader, 'getSetting'>): Promise<number> {
  const kept = Number((await store.getSetting(SETTING))?.toString() ?? 0);
  return Number.isSafeInteger(kept) ? kept : 0;
}
