import type { SharedRecord } from '../../plugin-kit/index.ts';
import { EXPIRY_WORD } from './counter-slots.ts';
import { entryWord, generationIn, generationOf, isLive, payloadOf } from './entry-word.ts';
import { KeyedSlots, NO_SLOT, OWN_WORD, type SlotPolicy, WORTHLESS } from './keyed-slots.ts';
import { expiryMsIn, expiryMsOf, expiryPayload } from './window-word.ts';

const FIELDS = 4;
/** A field is a word of its own: 32 bits of number under the generation. */
const RECORD_WORDS = OWN_WORD + FIELDS;

/** Records of a few numbers by key. When all are in use, the one that expires first makes way. */
export class RecordSlots implements SlotPolicy {
  readonly slots: KeyedSlots;
  #nowMs = 0;
  #expiry = 0;

  constructor(shared: SharedArrayBuffer, byteOffset: number, byteLength: number) {
    this.slots = new KeyedSlots({ shared, byteOffset, byteLength, wordsPerSlot: RECORD_WORDS }, this);
  }

  /** Undefined where nothing may make way at this moment. */
  record(hash: Int32Array, lifetimeMs: number, nowMs: number): SharedRecord | undefined {
    const { slots } = this;
    const expiryMs = Math.floor(nowMs) + Math.ceil(lifetimeMs);
    this.#nowMs = nowMs;
    this.#expiry = expiryPayload(0, false, expiryMs);
    let slot = slots.find(hash);
    for (;;) {
      if (slot === NO_SLOT) {
        const made = slots.insert(hash);
        return made === NO_SLOT ? undefined : new SlotRecord(slots, made, generationOf(slots.master));
      }
      const generation = generationOf(slots.master);
      const expiry = Atomics.load(slots.words, slot + EXPIRY_WORD);
      const oldMs = expiryMsOf(payloadOf(expiry));
      if (generationOf(expiry) === generation && oldMs <= nowMs) {
        slot = slots.insert(hash, slot);
        continue;
      }
      if (generationOf(expiry) === generation && (oldMs >= expiryMs || this.#prolong(slot, expiry)))
        return new SlotRecord(slots, slot, generation);
      slot = slots.find(hash);
    }
  }

  find(hash: Int32Array, nowMs: number): SharedRecord | undefined {
    const { slots } = this;
    const slot = slots.find(hash);
    if (slot === NO_SLOT) return undefined;
    const generation = generationOf(slots.master);
    const expiry = Atomics.load(slots.words, slot + EXPIRY_WORD);
    const isKept = generationOf(expiry) === generation && expiryMsOf(payloadOf(expiry)) > nowMs;
    return isKept ? new SlotRecord(slots, slot, generation) : undefined;
  }

  worth(slot: number, high: number): number {
    const expiryHigh = this.slots.peekHigh(slot + EXPIRY_WORD);
    if (generationIn(expiryHigh) !== generationIn(high)) return Number.POSITIVE_INFINITY;
    const expiryMs = expiryMsIn(expiryHigh, this.slots.peekLow(slot + EXPIRY_WORD));
    return expiryMs <= this.#nowMs ? WORTHLESS : expiryMs;
  }

  letGo(_slot: number, master: bigint): bigint {
    return master;
  }

  prepare(slot: number, generation: number): boolean {
    if (!this.slots.put(slot + EXPIRY_WORD, generation, this.#expiry)) return false;
    for (let field = 0; field < FIELDS; field++) if (!this.slots.put(slot + OWN_WORD + field, generation, 0)) return false;
    return true;
  }

  firstPayload(): number {
    return 0;
  }

  #prolong(slot: number, expiry: bigint): boolean {
    const later = entryWord(generationOf(expiry), this.#expiry);
    return Atomics.compareExchange(this.slots.words, slot + EXPIRY_WORD, expiry, later) === expiry;
  }
}

/** A record as it was found. When it has made way, its fields are 0 and keep nothing. */
class SlotRecord implements SharedRecord {
  readonly #slots: KeyedSlots;
  readonly #slot: number;
  readonly #generation: number;

  constructor(slots: KeyedSlots, slot: number, generation: number) {
    this.#slots = slots;
    this.#slot = slot;
    this.#generation = generation;
  }

  load(field: number): number {
    const word = Atomics.load(this.#slots.words, this.#indexOf(field));
    return this.#isOurs(word) ? numberOf(word) : 0;
  }

  store(field: number, value: number): void {
    this.#change(field, () => value);
  }

  add(field: number, amount: number): number {
    return this.#change(field, (old) => old + amount);
  }

  compareExchange(field: number, expected: number, value: number): number {
    return this.#change(field, (old) => (old === (expected | 0) ? value : old));
  }

  #change(field: number, change: (old: number) => number): number {
    const index = this.#indexOf(field);
    const { words } = this.#slots;
    for (;;) {
      const word = Atomics.load(words, index);
      if (!this.#isOurs(word)) return 0;
      const old = numberOf(word);
      const next = entryWord(this.#generation, change(old) >>> 0);
      if (Atomics.compareExchange(words, index, word, next) === word) return old;
    }
  }

  #isOurs(word: bigint): boolean {
    return generationOf(word) === this.#generation && isLive(Atomics.load(this.#slots.words, this.#slot), this.#generation);
  }

  #indexOf(field: number): number {
    if (!Number.isInteger(field) || field < 0 || field >= FIELDS) throw new RangeError(`a record has no number ${field}`);
    return this.#slot + OWN_WORD + field;
  }
}

function numberOf(word: bigint): number {
  return payloadOf(word) | 0;
}
