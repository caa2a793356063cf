import type { Random } from '../../lib/random.ts';

const MOST_START_STEPS = 256;

/**
 * Smooth weighted round robin: over each run of as many choices as the weights add up to, every place is chosen as often as its weight
 * says, evenly spread. It starts at a random place, so that many workers do not all begin with the same.
 */
export class WeightedCycle {
  readonly #weights: readonly number[];
  readonly #credits: number[];
  readonly #total: number;

  constructor(weights: readonly number[], random: Random) {
    this.#weights = weights;
    this.#credits = weights.map(() => 0);
    this.#total = weights.reduce((sum, weight) => sum + weight, 0);
    const steps = weights.length > 1 ? random.bytes(2).readUInt16LE() % MOST_START_STEPS : 0;
    for (let step = 0; step < steps; step++) this.next();
  }

  /** The next place; -1 where all weights are 0. Each place gains its weight, the richest is chosen and pays what all gained. */
  next(): number {
    const credits = this.#credits;
    let best = -1;
    for (const [place, weight] of this.#weights.entries()) {
      if (weight === 0) continue;
      const credit = (credits[place] ?? 0) + weight;
      credits[place] = credit;
      if (best === -1 || credit > (credits[best] ?? 0)) best = place;
    }
    if (best !== -1) credits[best] = (credits[best] ?? 0) - this.#total;
    return best;
  }
}
