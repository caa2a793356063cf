import {
  CLAIMED,
  entryWord,
  FREE,
  generationOf,
  HIGH_HALF,
  isBefore,
  LIVE,
  LOW_HALF,
  MAX_GENERATION,
  masterWord,
  phaseIn,
  phaseOf,
} from './entry-word.ts';

/** Slots that are looked at for one key. */
const WAYS = 16;
/** How often a claim of somebody else is looked at before it counts as abandoned: some 20 µs; a claim takes 2 µs unless its worker died. */
const PATIENCE = 1000;
/** Behind the master and one more word lie the words of the key: 16 bits of hash in each, under the generation. */
const KEY_WORD = 2;
const KEY_HALVES = 8;
/** First word of a slot that belongs to its table. */
export const OWN_WORD = KEY_WORD + KEY_HALVES / 2;

/** Nothing was found, or nothing may go. */
export const NO_SLOT = -1;
const CHANGED = -2;

/** Worth of an entry that nobody misses. */
export const WORTHLESS = 0;

/** What a table of slots knows about its entries. */
export interface SlotPolicy {
  /**
   * What is lost with the entry: `WORTHLESS` for nothing, `Infinity` for an entry that may not go, and in between the entry with the
   * least goes first. `high` is the higher half of its master, by a plain read: `letGo` has the last word.
   */
  worth(slot: number, high: number): number;
  /** The master word from which the entry may be taken away; undefined where it may not after all. */
  letGo(slot: number, master: bigint): bigint | undefined;
  /** Writes the words of a new entry, all but key and master. Returns false where a later generation was found in them. */
  prepare(slot: number, generation: number): boolean;
  /** The master's payload of a new entry. */
  firstPayload(): number;
}

/** A part of the region. */
export interface SlotArea {
  readonly shared: SharedArrayBuffer;
  readonly byteOffset: number;
  readonly byteLength: number;
  /** Words of 64 bits, the table's own from `OWN_WORD`. */
  readonly wordsPerSlot: number;
}

/**
 * Slots found by a hash of 128 bits, shared by all workers and changed by single atomic operations: nobody ever waits for another, and
 * a worker that ends at any instruction leaves nothing that the next one cannot put right.
 *
 * A slot is taken in four steps: its master word is moved to the next generation and `CLAIMED`; key and contents are written; all other
 * slots of the bucket are looked at; the master becomes `LIVE`. Of two workers that bring the same key at once, the one that claims later
 * sees the other's claim, so that a key is never in two slots: the claim in the lower slot goes on, the other begins anew. A claim
 * that does not move any more is freed. Whoever claimed before that can write nothing any more: each of his words would have
 * to replace one of a later generation.
 *
 * Slots are named by the index of their master word.
 */
export class KeyedSlots {
  readonly words: BigInt64Array;
  /** The master word of the slot that `find` or `insert` gave, as it was then. */
  master = 0n;
  readonly slots: number;
  /** Called when an entry of some worth is taken away. */
  onEvicted: () => void = () => {};
  readonly #halves: Int32Array;
  readonly #wordsPerSlot: number;
  readonly #buckets: number;
  readonly #policy: SlotPolicy;
  /** The claim under way. */
  #claim = 0n;

  /** @throws RangeError where not one bucket fits into the area */
  constructor(area: SlotArea, policy: SlotPolicy) {
    this.#wordsPerSlot = area.wordsPerSlot;
    this.#buckets = Math.floor(area.byteLength / (WAYS * area.wordsPerSlot * BigInt64Array.BYTES_PER_ELEMENT));
    if (this.#buckets < 1) throw new RangeError('the region of counters is too small');
    this.slots = this.#buckets * WAYS;
    this.words = new BigInt64Array(area.shared, area.byteOffset, this.slots * area.wordsPerSlot);
    this.#halves = new Int32Array(area.shared, area.byteOffset, this.words.length * 2);
    this.#policy = policy;
  }

  /** The slot at a position from 0 to `slots`. */
  slotAt(position: number): number {
    return position * this.#wordsPerSlot;
  }

  /** The slot of the entry with this hash. */
  find(hash: Int32Array): number {
    const bucket = this.#bucketOf(hash);
    const first = hash[1] ?? 0;
    const part = (hash[0] ?? 0) & 0xffff;
    for (let way = 0; way < WAYS; way++) {
      const slot = this.#slotOf(bucket, first + way);
      // Plain reads are ten times cheaper; what one misses is found before anything is inserted.
      if (((this.#halves[(slot + KEY_WORD) * 2] ?? 0) & 0xffff) !== part) continue;
      const master = Atomics.load(this.words, slot);
      if (phaseOf(master) < LIVE || !this.#holds(slot, generationOf(master), hash)) continue;
      this.master = master;
      return slot;
    }
    return NO_SLOT;
  }

  /**
   * The slot of the entry with this hash, made where there is none; `NO_SLOT` where none may go for it. `stale` is the slot that `find`
   * gave last, where its entry counts for nothing and makes way.
   */
  insert(hash: Int32Array, stale = NO_SLOT): number {
    let own = stale === NO_SLOT ? this.#claimSlot(hash) : this.#take(stale, this.master, WORTHLESS);
    for (;;) {
      const slot = own < 0 ? own : this.#fill(own, hash);
      if (slot >= 0) return slot;
      const found = this.find(hash);
      if (found !== NO_SLOT || slot === NO_SLOT) return found;
      own = this.#claimSlot(hash);
    }
  }

  /** The higher half of a word, by a plain read: good for a first look, not for a decision. */
  peekHigh(index: number): number {
    return this.#halves[index * 2 + HIGH_HALF] ?? 0;
  }

  peekLow(index: number): number {
    return (this.#halves[index * 2 + LOW_HALF] ?? 0) >>> 0;
  }

  /** Replaces a word of generation `generation` or an earlier one; false where a later generation was there. */
  put(index: number, generation: number, payload: number): boolean {
    for (;;) {
      const old = Atomics.load(this.words, index);
      if (isBefore(generation, generationOf(old))) return false;
      if (Atomics.compareExchange(this.words, index, old, entryWord(generation, payload)) === old) return true;
    }
  }

  /** Writes what belongs to a claimed slot and makes it `LIVE`; gives the slot of the hash, or `CHANGED` where the claim was lost. */
  #fill(own: number, hash: Int32Array): number {
    const claim = this.#claim;
    const generation = generationOf(claim);
    if (!this.#putKey(own, generation, hash) || !this.#policy.prepare(own, generation)) return CHANGED;
    const other = this.#settle(own, hash);
    if (other !== NO_SLOT) {
      Atomics.compareExchange(this.words, own, claim, masterWord(generation, FREE, false, 0));
      return other;
    }
    const live = masterWord(generation, LIVE, false, this.#policy.firstPayload());
    if (Atomics.compareExchange(this.words, own, claim, live) !== claim) return CHANGED;
    this.master = live;
    return own;
  }

  /** Claims the slot of the bucket whose entry is worth least. */
  #claimSlot(hash: Int32Array): number {
    const bucket = this.#bucketOf(hash);
    let best = NO_SLOT;
    let least = Number.POSITIVE_INFINITY;
    let claimed = NO_SLOT;
    for (let way = 0; way < WAYS && least > WORTHLESS; way++) {
      const slot = this.#slotOf(bucket, (hash[1] ?? 0) + way);
      const high = this.peekHigh(slot);
      const phase = phaseIn(high);
      if (phase === CLAIMED) claimed = slot;
      const worth = phase === FREE ? WORTHLESS : phase === CLAIMED ? Number.POSITIVE_INFINITY : this.#policy.worth(slot, high);
      if (worth >= least) continue;
      least = worth;
      best = slot;
    }
    if (best !== NO_SLOT) return this.#take(best, Atomics.load(this.words, best), least);
    if (claimed === NO_SLOT) return NO_SLOT;
    this.#outwait(claimed);
    return CHANGED;
  }

  #take(slot: number, master: bigint, worth: number): number {
    const phase = phaseOf(master);
    const from = phase === FREE ? master : phase === CLAIMED ? undefined : this.#policy.letGo(slot, master);
    if (from === undefined) return CHANGED;
    const claim = masterWord((generationOf(from) + 1) & MAX_GENERATION, CLAIMED, false, 0);
    if (Atomics.compareExchange(this.words, slot, from, claim) !== from) return CHANGED;
    if (worth > WORTHLESS) this.onEvicted();
    this.#claim = claim;
    return slot;
  }

  #putKey(slot: number, generation: number, hash: Int32Array): boolean {
    const start = (slot + KEY_WORD) * 2;
    for (let part = 0; part < KEY_HALVES; part++) {
      const word = keyWord(generation, hash, part);
      for (;;) {
        const old = Atomics.load(this.#halves, start + part);
        if (isBefore(generation, old >>> 16)) return false;
        if (Atomics.compareExchange(this.#halves, start + part, old, word) === old) break;
      }
    }
    return true;
  }

  /** Looks at all other slots of the bucket, and ends the claims in them; gives the slot that has this hash already. */
  #settle(own: number, hash: Int32Array): number {
    const bucket = this.#bucketOf(hash);
    for (let way = 0; way < WAYS; way++) {
      const slot = this.#slotOf(bucket, way);
      if (slot === own) continue;
      let master = Atomics.load(this.words, slot);
      for (; phaseOf(master) === CLAIMED; master = Atomics.load(this.words, slot)) {
        if (slot > own) this.#free(slot, master);
        else this.#outwait(slot);
      }
      if (phaseOf(master) === FREE || !this.#holds(slot, generationOf(master), hash)) continue;
      this.master = master;
      return slot;
    }
    return NO_SLOT;
  }

  /** Frees a claimed slot unless it changes meanwhile. */
  #outwait(slot: number): void {
    const master = Atomics.load(this.words, slot);
    for (let look = 0; look < PATIENCE; look++) if (Atomics.load(this.words, slot) !== master) return;
    this.#free(slot, master);
  }

  #free(slot: number, claim: bigint): void {
    if (phaseOf(claim) !== CLAIMED) return;
    Atomics.compareExchange(this.words, slot, claim, masterWord(generationOf(claim), FREE, false, 0));
  }

  /** Words of one generation are all of the one worker that claimed it, so that there is no need to look at the master again. */
  #holds(slot: number, generation: number, hash: Int32Array): boolean {
    const start = (slot + KEY_WORD) * 2;
    for (let part = 0; part < KEY_HALVES; part++) {
      if (Atomics.load(this.#halves, start + part) !== keyWord(generation, hash, part)) return false;
    }
    return true;
  }

  #bucketOf(hash: Int32Array): number {
    return Math.floor((((hash[0] ?? 0) >>> 0) / 2 ** 32) * this.#buckets);
  }

  #slotOf(bucket: number, way: number): number {
    return (bucket * WAYS + (way & (WAYS - 1))) * this.#wordsPerSlot;
  }
}

function keyWord(generation: number, hash: Int32Array, part: number): number {
  return (generation << 16) | (((hash[part >> 1] ?? 0) >>> ((part & 1) * 16)) & 0xffff);
}
