import { generationIn, generationOf, isProtected, isProtectedIn, payloadOf } from './entry-word.ts';
import { KeyedSlots, NO_SLOT, OWN_WORD, type SlotPolicy, WORTHLESS } from './keyed-slots.ts';
import { expiryMsIn, expiryMsOf } from './window-word.ts';

/** The word behind the master: when the entry counts for nothing any more. */
export const EXPIRY_WORD = 1;
/** The count of the window before; sliding windows only. */
export const PREVIOUS_WORD = OWN_WORD;
/** 64 bytes, a cache line. */
export const COUNTER_WORDS = 8;

/**
 * Slots of windows and buckets. An entry is protected while it is at its limit, and then stays until it expires; of the others the one
 * that expires first makes way.
 */
export class CounterSlots implements SlotPolicy {
  readonly slots: KeyedSlots;
  #nowMs = 0;
  #expiry = 0;
  #first = 0;

  constructor(shared: SharedArrayBuffer, byteOffset: number, byteLength: number) {
    this.slots = new KeyedSlots({ shared, byteOffset, byteLength, wordsPerSlot: COUNTER_WORDS }, this);
  }

  /**
   * The slot with this hash, made with the payloads `expiry` and `first` of expiry and master where there is none; `NO_SLOT` where
   * none may go. The master word is left in `slots.master`.
   */
  reach(hash: Int32Array, nowMs: number, expiry: number, first: number): number {
    const found = this.slots.find(hash);
    if (found !== NO_SLOT) return found;
    this.#nowMs = nowMs;
    this.#expiry = expiry;
    this.#first = first;
    return this.slots.insert(hash);
  }

  worth(slot: number, high: number): number {
    const expiryHigh = this.slots.peekHigh(slot + EXPIRY_WORD);
    // Somebody has just taken it away: what is there is new.
    if (generationIn(expiryHigh) !== generationIn(high)) return Number.POSITIVE_INFINITY;
    const expiryMs = expiryMsIn(expiryHigh, this.slots.peekLow(slot + EXPIRY_WORD));
    if (expiryMs <= this.#nowMs) return WORTHLESS;
    return isProtectedIn(high) ? Number.POSITIVE_INFINITY : expiryMs;
  }

  letGo(slot: number, master: bigint): bigint | undefined {
    if (!isProtected(master)) return master;
    const expiry = Atomics.load(this.slots.words, slot + EXPIRY_WORD);
    return generationOf(expiry) === generationOf(master) && expiryMsOf(payloadOf(expiry)) <= this.#nowMs ? master : undefined;
  }

  prepare(slot: number, generation: number): boolean {
    return this.slots.put(slot + EXPIRY_WORD, generation, this.#expiry) && this.slots.put(slot + PREVIOUS_WORD, generation, 0);
  }

  firstPayload(): number {
    return this.#first;
  }

  /** Counts, over at most `looks` slots spread over all: how many hold something, and how many of these are protected. */
  sample(nowMs: number, looks: number): { readonly looked: number; readonly live: number; readonly exhausted: number } {
    const { slots } = this;
    const step = Math.max(1, Math.floor(slots.slots / looks));
    let looked = 0;
    let live = 0;
    let exhausted = 0;
    for (let position = 0; position < slots.slots; position += step) {
      const slot = slots.slotAt(position);
      looked++;
      if (expiryMsIn(slots.peekHigh(slot + EXPIRY_WORD), slots.peekLow(slot + EXPIRY_WORD)) <= nowMs) continue;
      live++;
      if (isProtectedIn(slots.peekHigh(slot))) exhausted++;
    }
    return { looked, live, exhausted };
  }
}
