import type { WindowDecision } from '../../plugin-kit/index.ts';
import { type CounterSlots, EXPIRY_WORD } from './counter-slots.ts';
import { COUNTERS_FULL } from './counters-full.ts';
import { entryWord, generationOf, isLive, isProtected, LIVE, masterPayloadOf, masterWord, payloadOf } from './entry-word.ts';
import { NO_SLOT } from './keyed-slots.ts';
import { countOf, countPayload, expiryMsOf, expiryPayload, MAX_COUNT, nextTurn, turnOf, turnOfCount } from './window-word.ts';

/**
 * Windows that begin with the first request of their key. A request is counted by moving the master word from one count to the next,
 * which fails where anything has changed since it was read: so exactly as many get through as the limit says.
 *
 * A window that is over is replaced in two steps, the expiry and then the master. Between them both name different turns, and
 * whoever sees that does the second step: it does not matter who, and nothing stays if a worker ends between the steps.
 */
export class FixedWindows {
  readonly #table: CounterSlots;

  constructor(table: CounterSlots) {
    this.#table = table;
  }

  count(hash: Int32Array, limit: number, windowMs: number, nowMs: number): WindowDecision {
    const highest = Math.min(limit, MAX_COUNT);
    for (;;) {
      const endMs = Math.floor(nowMs) + Math.ceil(windowMs);
      const slot = this.#table.reach(hash, nowMs, expiryPayload(0, false, endMs), countPayload(0, 0));
      if (slot === NO_SLOT) return COUNTERS_FULL;
      const decision = this.#countAt(slot, this.#table.slots.master, highest, endMs, nowMs);
      if (decision !== undefined) return decision;
    }
  }

  /** Undefined where the slot has got another entry. */
  #countAt(slot: number, found: bigint, limit: number, nextEndMs: number, nowMs: number): WindowDecision | undefined {
    const { words } = this.#table.slots;
    const generation = generationOf(found);
    for (let master = found; isLive(master, generation); master = Atomics.load(words, slot)) {
      const expiry = Atomics.load(words, slot + EXPIRY_WORD);
      if (generationOf(expiry) !== generation) return undefined;
      const turn = turnOf(payloadOf(expiry));
      const endMs = expiryMsOf(payloadOf(expiry));
      const payload = masterPayloadOf(master);
      if (turnOfCount(payload) !== turn) {
        Atomics.compareExchange(words, slot, master, masterWord(generation, LIVE, false, countPayload(turn, 0)));
        continue;
      }
      if (nowMs >= endMs) {
        const next = entryWord(generation, expiryPayload(nextTurn(turn), false, nextEndMs));
        Atomics.compareExchange(words, slot + EXPIRY_WORD, expiry, next);
        continue;
      }
      const resetMs = endMs - nowMs;
      const count = countOf(payload);
      const isFull = count >= limit;
      if (isFull && isProtected(master)) return { kind: 'rejected', resetMs };
      const counted = isFull ? count : count + 1;
      const next = masterWord(generation, LIVE, counted >= limit, countPayload(turn, counted));
      if (Atomics.compareExchange(words, slot, master, next) !== master) continue;
      return isFull ? { kind: 'rejected', resetMs } : { kind: 'allowed', remaining: limit - counted, resetMs };
    }
    return undefined;
  }
}
