import type { BucketDecision, Counters, CounterUnavailable, EntryDecision, WindowDecision } from '../../../plugin-kit/index.ts';
import { fixedWindowKey, inFlightKey, leakyBucketKey, slidingWindowKey } from './counter-keys.ts';
import { ENTER, FIXED_WINDOW, LEAKY_BUCKET, SLIDING_WINDOW } from './counter-scripts.ts';
import type { PendingLeaves } from './pending-leaves.ts';
import { RedisFailure } from './redis-failure.ts';
import type { ScriptServer } from './script-server.ts';

/** An entry that nobody takes out counts for so long unless the caller says otherwise (APISIX, limit-conn, `key_ttl`). */
const DEFAULT_LIFETIME_MS = 3_600_000;

export interface RedisCountersOptions {
  readonly server: ScriptServer;
  readonly leaves: PendingLeaves;
  /** A name for each entry that no other instance ever gives. */
  readonly nameEntry: () => string;
}

/**
 * Counters that a server keeps for all instances: one script for each kind, so that deciding and counting are one step. Times are the
 * server's. A server that fails or does not answer in time makes the answer `unavailable`; no call ever rejects.
 */
export class RedisCounters implements Counters {
  readonly #options: RedisCountersOptions;

  constructor(options: RedisCountersOptions) {
    this.#options = options;
  }

  async fixedWindow(key: string, limit: number, windowMs: number): Promise<WindowDecision> {
    try {
      const args = [integer(limit), integer(windowMs), '1', '0'];
      const [counted, count = 0, resetMs = 0] = await this.#options.server.run(FIXED_WINDOW, fixedWindowKey(key), args);
      return counted === 1 ? { kind: 'allowed', remaining: Math.max(0, limit - count), resetMs } : { kind: 'rejected', resetMs };
    } catch (error) {
      return unavailable(error);
    }
  }

  async slidingWindow(key: string, limit: number, windowMs: number): Promise<WindowDecision> {
    try {
      const args = [integer(limit), integer(windowMs), '1', '0'];
      const [counted, remaining = 0, resetMs = 0] = await this.#options.server.run(SLIDING_WINDOW, slidingWindowKey(key), args);
      return counted === 1 ? { kind: 'allowed', remaining, resetMs } : { kind: 'rejected', resetMs };
    } catch (error) {
      return unavailable(error);
    }
  }

  async leakyBucket(key: string, ratePerSecond: number, burst: number): Promise<BucketDecision> {
    try {
      const args = [String(ratePerSecond), String(burst * 1000)];
      const [taken, excess = 0] = await this.#options.server.run(LEAKY_BUCKET, leakyBucketKey(key), args);
      return taken === 1 ? { kind: 'allowed', delayMs: excess / ratePerSecond } : { kind: 'rejected' };
    } catch (error) {
      return unavailable(error);
    }
  }

  async enter(key: string, limit: number, lifetimeMs: number = DEFAULT_LIFETIME_MS): Promise<EntryDecision> {
    const { server, leaves, nameEntry } = this.#options;
    const name = nameEntry();
    try {
      const [entered, inFlight = 0] = await server.run(ENTER, inFlightKey(key), [integer(limit), integer(lifetimeMs), name]);
      if (entered !== 1) return { kind: 'rejected', inFlight };
      return { kind: 'entered', inFlight, leave: () => leaves.leave(inFlightKey(key), name) };
    } catch (error) {
      // Nobody knows whether it was counted.
      leaves.leave(inFlightKey(key), name);
      return unavailable(error);
    }
  }
}

export function unavailable(error: unknown): CounterUnavailable {
  return { kind: 'unavailable', detail: RedisFailure.of(error, 'the counter server failed').message };
}

/** As the server reads it: without an exponent, and no more than 64 bits. */
function integer(value: number): string {
  return BigInt(Math.ceil(Math.min(value, Number.MAX_SAFE_INTEGER))).toString();
}
