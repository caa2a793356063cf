import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../observability/index.ts';
import type { Author, Store, StoreReader } from '../store/index.ts';
import { repeat } from './repeat.ts';

const SETTING = 'latest-time';
const SYSTEM: Author = { id: 'system', name: 'system' };
/** A restart loses at most this much of what was seen. */
const KEEP_INTERVAL_MS = 60_000;
/** A wall clock that is further behind than this was set back, or had been wrong before. */
const NOTABLE_LAG_MS = 2_000;

/** Wall-clock time by which things expire: it never runs backwards, so that setting a clock back brings nothing to life again. */
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
}): Promise<ExpiryClock> {
  const { store, clock, log } = options;
  let latestMs = await readLatestMs(store);
  const lagMs = latestMs - clock.nowMs();
  if (lagMs > NOTABLE_LAG_MS) log.warn('the clock is behind the latest time seen: things expire by that time', { lagMs });
  const nowMs = (): number => {
    latestMs = Math.max(latestMs, clock.nowMs());
    return latestMs;
  };
  const keep = async (): Promise<void> => {
    try {
      await store.transaction(SYSTEM, async (transaction) => {
        const keptMs = await readLatestMs(transaction);
        if (nowMs() > keptMs) await transaction.putSetting(SETTING, Buffer.from(String(latestMs)), { secret: false });
        latestMs = Math.max(latestMs, keptMs);
      });
    } catch (error) {
      log.error('the time could not be kept', {}, error);
    }
  };
  const stop = repeat(clock, KEEP_INTERVAL_MS, keep);
  return {
    nowMs,
    close: async () => {
      await stop();
      await keep();
    },
  };
}

/** The later one of the wall clock and of what the store knows. */
export async function latestTimeMs(store: Pick<StoreReader, 'getSetting'>, clock: Clock): Promise<number> {
  return Math.max(clock.nowMs(), await readLatestMs(store));
}

async function readLatestMs(store: Pick<StoreReader, 'getSetting'>): Promise<number> {
  const kept = Number((await store.getSetting(SETTING))?.toString() ?? 0);
  return Number.isSafeInteger(kept) ? kept : 0;
}
