import type { EntryDecision } from '../../plugin-kit/index.ts';
import { COUNTERS_FULL } from './counters-full.ts';
import { generationOf, isLive, LIVE, MASTER_LIMIT, masterPayloadOf, masterWord, phaseOf, RETIRING } from './entry-word.ts';
import { KeyedSlots, NO_SLOT, OWN_WORD, type SlotPolicy, WORTHLESS } from './keyed-slots.ts';

/** Two workers that refuse each other the last place try again; more often than this they never did. */
const MAX_TRIES = 1000;

/** Words of a slot with a count for each worker. */
function inFlightWords(rows: number): number {
  return OWN_WORD + Math.ceil(rows / 2);
}

/**
 * How many are in flight by key. A worker counts in its own row, and the rows of a slot lie together; what is in flight is their sum. So
 * a worker that dies takes along what it had, as soon as its row is cleared. An entry makes way as soon as nothing is in flight.
 *
 * Taking an entry away: its master says `RETIRING` under a new number, then the rows are looked at, and only if all are 0 the slot is
 * claimed from that very number. Entering: the row is counted up, then the master is looked at, and set back to `LIVE` where it
 * was not. Each looks after it has written, so one of the two sees the other; and the number keeps a slow claim from taking
 * a later look for its own.
 */
export class InFlightSlots implements SlotPolicy {
  readonly slots: KeyedSlots;
  readonly #rows: number;
  readonly #counts: Int32Array;

  constructor(shared: SharedArrayBuffer, byteOffset: number, byteLength: number, rows: number) {
    this.#rows = rows;
    this.slots = new KeyedSlots({ shared, byteOffset, byteLength, wordsPerSlot: inFlightWords(rows) }, this);
    this.#counts = new Int32Array(shared, byteOffset, this.slots.words.length * 2);
  }

  enter(hash: Int32Array, row: number, limit: number): EntryDecision {
    for (let tries = 0; ; tries++) {
      const slot = this.#reach(hash);
      if (slot === NO_SLOT) return COUNTERS_FULL;
      const at = this.#countsOf(slot) + row;
      const generation = generationOf(this.slots.master);
      Atomics.add(this.#counts, at, 1);
      if (!this.#keep(slot, generation)) {
        Atomics.sub(this.#counts, at, 1);
        continue;
      }
      const inFlight = this.#total(slot);
      if (inFlight <= limit) return this.#entered(at, inFlight);
      Atomics.sub(this.#counts, at, 1);
      const others = this.#total(slot);
      if (others >= limit || tries >= MAX_TRIES) return { kind: 'rejected', inFlight: others };
    }
  }

  /** The worker of this row is gone, and what it had in flight with it. Only by the agent. */
  clearRow(row: number): void {
    for (let position = 0; position < this.slots.slots; position++) {
      const at = this.#countsOf(this.slots.slotAt(position)) + row;
      if (Atomics.load(this.#counts, at) !== 0) Atomics.store(this.#counts, at, 0);
    }
  }

  worth(slot: number): number {
    return this.#total(slot) === 0 ? WORTHLESS : Number.POSITIVE_INFINITY;
  }

  letGo(slot: number, master: bigint): bigint | undefined {
    const retiring = this.#next(master, RETIRING);
    if (Atomics.compareExchange(this.slots.words, slot, master, retiring) !== master) return undefined;
    return this.#total(slot) === 0 ? retiring : undefined;
  }

  prepare(): boolean {
    return true;
  }

  firstPayload(): number {
    return 0;
  }

  #reach(hash: Int32Array): number {
    const found = this.slots.find(hash);
    return found === NO_SLOT ? this.slots.insert(hash) : found;
  }

  /** Sees to it that the entry, whose row was counted up before, stays; false where it is gone. */
  #keep(slot: number, generation: number): boolean {
    for (;;) {
      const master = Atomics.load(this.slots.words, slot);
      if (isLive(master, generation)) return true;
      if (generationOf(master) !== generation || phaseOf(master) !== RETIRING) return false;
      const live = this.#next(master, LIVE);
      if (Atomics.compareExchange(this.slots.words, slot, master, live) === master) return true;
    }
  }

  #next(master: bigint, phase: typeof LIVE | typeof RETIRING): bigint {
    return masterWord(generationOf(master), phase, false, (masterPayloadOf(master) + 1) % MASTER_LIMIT);
  }

  #entered(at: number, inFlight: number): EntryDecision {
    let left = false;
    const leave = (): void => {
      if (left) return;
      left = true;
      Atomics.sub(this.#counts, at, 1);
    };
    return { kind: 'entered', inFlight, leave };
  }

  #total(slot: number): number {
    const start = this.#countsOf(slot);
    let sum = 0;
    for (let row = 0; row < this.#rows; row++) sum += Atomics.load(this.#counts, start + row);
    return sum;
  }

  #countsOf(slot: number): number {
    return (slot + OWN_WORD) * 2;
  }
}
