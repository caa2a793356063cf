import type { BucketDecision } from '../../plugin-kit/index.ts';
import { type CounterSlots, EXPIRY_WORD } from './counter-slots.ts';
import { COUNTERS_FULL } from './counters-full.ts';
import { entryWord, generationOf, isLive, isProtected, LIVE, MASTER_LIMIT, masterPayloadOf, masterWord, payloadOf } from './entry-word.ts';
import { NO_SLOT } from './keyed-slots.ts';
import { expiryMsOf, expiryPayload } from './window-word.ts';

/**
 * Time in a master word goes round after 101 days in quarters of a microsecond, and after 278 years in quarters of a millisecond. The
 * finer one is for rates for which it matters.
 */
const FINE_UNITS_PER_MS = 4000;
const COARSE_UNITS_PER_MS = 4;
const REQUEST = 1000;
/** An entry may be kept for so much longer than it counts. */
const MAX_SLACK_MS = 60_000;

const REJECTED: BucketDecision = Object.freeze({ kind: 'rejected' });

/**
 * Leaky buckets in thousandths of a request. All that a bucket is stands in one number, the time at which it will have leaked empty: so
 * a request is taken by moving the master word from one such time to the next. For the excess after a request this is the same as
 * APISIX's `max(excess - rate * elapsed + 1, 0)`.
 */
export class LeakyBuckets {
  readonly #table: CounterSlots;

  constructor(table: CounterSlots) {
    this.#table = table;
  }

  /** `rate` is in requests a second, which are thousandths a millisecond. */
  pour(hash: Int32Array, rate: number, burst: number, nowMs: number): BucketDecision {
    for (;;) {
      const expiry = expiryPayload(0, false, Math.ceil(nowMs + REQUEST / rate));
      const slot = this.#table.reach(hash, nowMs, expiry, unitsOf(nowMs - REQUEST / rate, rate));
      if (slot === NO_SLOT) return COUNTERS_FULL;
      const decision = this.#pourAt(slot, this.#table.slots.master, rate, burst, nowMs);
      if (decision !== undefined) return decision;
    }
  }

  /** Undefined where the slot has got another entry. */
  #pourAt(slot: number, found: bigint, rate: number, burst: number, nowMs: number): BucketDecision | undefined {
    const { words } = this.#table.slots;
    const generation = generationOf(found);
    for (let master = found; isLive(master, generation); master = Atomics.load(words, slot)) {
      const expiry = Atomics.load(words, slot + EXPIRY_WORD);
      if (generationOf(expiry) !== generation) return undefined;
      const isEmpty = expiryMsOf(payloadOf(expiry)) <= nowMs;
      const excess = isEmpty ? 0 : Math.max(0, Math.round(aheadMs(masterPayloadOf(master), nowMs, rate) * rate + REQUEST));
      const delayMs = excess / rate;
      if (excess > burst * REQUEST || delayMs > longestMs(rate)) {
        if (isProtected(master)) return REJECTED;
        const shielded = masterWord(generation, LIVE, true, masterPayloadOf(master));
        if (Atomics.compareExchange(words, slot, master, shielded) === master) return REJECTED;
        continue;
      }
      // First, so that no bucket ever counts as empty that is not.
      if (!this.#keepUntil(slot, expiry, nowMs + delayMs + REQUEST / rate, (burst + 1) * (REQUEST / rate))) continue;
      const next = masterWord(generation, LIVE, excess + REQUEST > burst * REQUEST, unitsOf(nowMs + delayMs, rate));
      if (Atomics.compareExchange(words, slot, master, next) === master) return { kind: 'allowed', delayMs };
    }
    return undefined;
  }

  /** Lets the entry expire no earlier than `untilMs`, and somewhat later, so that not every request has to move it. */
  #keepUntil(slot: number, expiry: bigint, untilMs: number, slackMs: number): boolean {
    if (expiryMsOf(payloadOf(expiry)) >= untilMs) return true;
    const { slots } = this.#table;
    const later = entryWord(generationOf(expiry), expiryPayload(0, false, Math.ceil(untilMs + Math.min(slackMs, MAX_SLACK_MS))));
    return Atomics.compareExchange(slots.words, slot + EXPIRY_WORD, expiry, later) === expiry;
  }
}

function unitsPerMs(rate: number): number {
  return rate < 1 ? COARSE_UNITS_PER_MS : FINE_UNITS_PER_MS;
}

/** A bucket that would be full for longer takes no more: 25 days, or 69 years. */
function longestMs(rate: number): number {
  return MASTER_LIMIT / unitsPerMs(rate) / 4;
}

function unitsOf(timeMs: number, rate: number): number {
  const units = Math.round(timeMs * unitsPerMs(rate));
  return units - Math.floor(units / MASTER_LIMIT) * MASTER_LIMIT;
}

/** How far the time in a master word lies ahead of now: negative where it is past. */
function aheadMs(units: number, nowMs: number, rate: number): number {
  const ahead = units - unitsOf(nowMs, rate);
  const half = MASTER_LIMIT / 2;
  return (ahead >= half ? ahead - MASTER_LIMIT : ahead < -half ? ahead + MASTER_LIMIT : ahead) / unitsPerMs(rate);
}
