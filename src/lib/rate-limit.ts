/** Keys that are remembered. One that is forgotten may ask as if it had never asked. */
const MAX_KEYS = 10_000;
/** Keys that are looked at when a place is needed. */
const LOOKED_AT = 16;

/**
 * Lets each key ask so many times a second on average, and `burstSeconds` worth of it at once (generic cell rate algorithm, ITU-T I.371): all
 * that is kept of a key is the time at which what it has asked for will be worked off.
 *
 * Memory is bounded. Among a flood of keys those that asked least are forgotten first.
 */
export class RateLimit {
  readonly #intervalMs: number;
  readonly #burstMs: number;
  /** Monotonic times in milliseconds, the keys that were put or looked at longest ago first. */
  readonly #doneAtMs = new Map<string, number>();

  constructor(perSecond: number, burstSeconds: number) {
    this.#intervalMs = 1_000 / perSecond;
    // Rounding must not cost the last of the burst.
    this.#burstMs = burstSeconds * 1_000 + this.#intervalMs / 2;
  }

  /** How many keys are remembered. */
  get size(): number {
    return this.#doneAtMs.size;
  }

  /** 0 when the key may ask now, which then counts; else for how long it must wait, in milliseconds, which costs it nothing. */
  take(key: string, nowMs: number): number {
    const known = this.#doneAtMs.get(key);
    const doneAtMs = Math.max(known ?? 0, nowMs) + this.#intervalMs;
    const waitMs = doneAtMs - nowMs - this.#burstMs;
    if (waitMs > 0) return waitMs;
    if (known === undefined && this.#doneAtMs.size >= MAX_KEYS) this.#forget(nowMs);
    this.#doneAtMs.set(key, doneAtMs);
    return 0;
  }

  /** Those of whom nothing is left to work off, or the one of whom least is. Who is kept goes to the back, so that others are looked at next time. */
  #forget(nowMs: number): void {
    let least: string | undefined;
    let leastMs = Number.POSITIVE_INFINITY;
    for (const [key, doneAtMs] of this.#first(LOOKED_AT)) {
      this.#doneAtMs.delete(key);
      if (doneAtMs <= nowMs) continue;
      this.#doneAtMs.set(key, doneAtMs);
      if (doneAtMs >= leastMs) continue;
      least = key;
      leastMs = doneAtMs;
    }
    if (least !== undefined && this.#doneAtMs.size >= MAX_KEYS) this.#doneAtMs.delete(least);
  }

  #first(count: number): readonly (readonly [string, number])[] {
    const entries: (readonly [string, number])[] = [];
    for (const entry of this.#doneAtMs) {
      entries.push(entry);
      if (entries.length === count) break;
    }
    return entries;
  }
}
