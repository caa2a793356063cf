import type { WindowDecision } from '../../plugin-kit/index.ts';
import { type CounterSlots, EXPIRY_WORD, PREVIOUS_WORD } from './counter-slots.ts';
import { COUNTERS_FULL } from './counters-full.ts';
import { entryWord, generationOf, isLive, isProtected, LIVE, masterPayloadOf, masterWord, payloadOf } from './entry-word.ts';
import { NO_SLOT } from './keyed-slots.ts';
import { estimateOf, slidingWaitMs } from './sliding-estimate.ts';
import {
  countOf,
  countPayload,
  expiryMsOf,
  expiryPayload,
  isAdjacent,
  MAX_COUNT,
  nextTurn,
  previousCountOf,
  previousPayload,
  turnOf,
  turnOfCount,
} from './window-word.ts';

/** A window as one request sees it. */
interface SeenWindow {
  readonly limit: number;
  readonly windowMs: number;
  readonly nowMs: number;
  /** When the window ends that `nowMs` lies in. */
  readonly endMs: number;
}

/**
 * Two windows on the clock, the one before counted by the share of it that the sliding window still covers. The entry expires with
 * the window after its own: until then its count is that of the window before.
 *
 * A new window is begun in three steps: the expiry, the count of the window before, the master. The second step repeats itself as long
 * as the master still counts, so that the third finds the count that was kept. As with `FixedWindows`, whoever comes finishes what
 * was begun.
 */
export class SlidingWindows {
  readonly #table: CounterSlots;
  readonly #wallOffsetMs: number;

  /** `wallOffsetMs`: what makes of the machine's time the time of day, on which windows begin. The same on all workers. */
  constructor(table: CounterSlots, wallOffsetMs: number) {
    this.#table = table;
    this.#wallOffsetMs = wallOffsetMs;
  }

  count(hash: Int32Array, limit: number, givenWindowMs: number, nowMs: number): WindowDecision {
    const windowMs = Math.ceil(givenWindowMs);
    const dayMs = Math.floor(nowMs + this.#wallOffsetMs);
    const endMs = (Math.floor(dayMs / windowMs) + 1) * windowMs - this.#wallOffsetMs;
    const seen: SeenWindow = { limit: Math.min(limit, MAX_COUNT), windowMs, nowMs, endMs };
    for (;;) {
      const slot = this.#table.reach(hash, nowMs, expiryPayload(0, false, endMs + windowMs), countPayload(0, 0));
      if (slot === NO_SLOT) return COUNTERS_FULL;
      const decision = this.#countAt(slot, this.#table.slots.master, seen);
      if (decision !== undefined) return decision;
    }
  }

  /** Undefined where the slot has got another entry. */
  #countAt(slot: number, found: bigint, seen: SeenWindow): WindowDecision | undefined {
    const { words } = this.#table.slots;
    const generation = generationOf(found);
    for (let master = found; isLive(master, generation); master = Atomics.load(words, slot)) {
      const expiry = Atomics.load(words, slot + EXPIRY_WORD);
      if (generationOf(expiry) !== generation) return undefined;
      const bounds = payloadOf(expiry);
      const endMs = expiryMsOf(bounds) - seen.windowMs;
      if (turnOfCount(masterPayloadOf(master)) !== turnOf(bounds)) {
        this.#finishTurn(slot, bounds, seen.limit);
        continue;
      }
      if (seen.nowMs >= endMs) {
        this.#beginTurn(slot, expiry, endMs, seen);
        continue;
      }
      const decision = this.#countIn(slot, master, endMs, seen);
      if (decision !== undefined) return decision;
    }
    return undefined;
  }

  /** Undefined where somebody else was quicker. */
  #countIn(slot: number, master: bigint, endMs: number, { limit, windowMs, nowMs }: SeenWindow): WindowDecision | undefined {
    const { words } = this.#table.slots;
    const payload = masterPayloadOf(master);
    const count = countOf(payload);
    const previous = Math.min(limit, previousCountOf(payloadOf(Atomics.load(words, slot + PREVIOUS_WORD))));
    const restMs = Math.min(endMs - nowMs, windowMs);
    const estimate = estimateOf(previous, count, restMs / windowMs);
    if (estimate >= limit) {
      const rejected: WindowDecision = { kind: 'rejected', resetMs: slidingWaitMs(previous, count, limit, windowMs, restMs) };
      if (isProtected(master)) return rejected;
      const shielded = masterWord(generationOf(master), LIVE, true, payload);
      return Atomics.compareExchange(words, slot, master, shielded) === master ? rejected : undefined;
    }
    const next = masterWord(generationOf(master), LIVE, estimate + 1 >= limit, payload + 1);
    if (Atomics.compareExchange(words, slot, master, next) !== master) return undefined;
    return { kind: 'allowed', remaining: Math.max(0, Math.floor(limit - estimate - 1)), resetMs: restMs };
  }

  #beginTurn(slot: number, expiry: bigint, endMs: number, seen: SeenWindow): void {
    const isNext = seen.endMs <= endMs + seen.windowMs;
    const bounds = expiryPayload(nextTurn(turnOf(payloadOf(expiry))), isNext, seen.endMs + seen.windowMs);
    Atomics.compareExchange(this.#table.slots.words, slot + EXPIRY_WORD, expiry, entryWord(generationOf(expiry), bounds));
  }

  #finishTurn(slot: number, bounds: number, limit: number): void {
    const { words } = this.#table.slots;
    const turn = turnOf(bounds);
    // Read before the master: what it holds was in the master before, and the master only counts up.
    const previous = Atomics.load(words, slot + PREVIOUS_WORD);
    const master = Atomics.load(words, slot);
    const generation = generationOf(master);
    const payload = masterPayloadOf(master);
    if (generationOf(previous) !== generation || !isLive(master, generation) || turnOfCount(payload) === turn) return;
    const kept = isAdjacent(bounds) ? countOf(payload) : 0;
    const wanted = entryWord(generation, previousPayload(turn, kept));
    if (previous === wanted) {
      Atomics.compareExchange(words, slot, master, masterWord(generation, LIVE, kept >= limit, countPayload(turn, 0)));
    } else Atomics.compareExchange(words, slot + PREVIOUS_WORD, previous, wanted);
  }
}
