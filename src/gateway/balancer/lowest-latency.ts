import type { Random } from '../../lib/random.ts';
import { RandomNumbers } from '../../lib/random-numbers.ts';
import type { BalancedNode, Balancer } from './balancer.ts';
import type { LatencyAverage } from './latency-average.ts';
import { isExcluded, priorityGroups } from './priority-groups.ts';

/** A node whose latency is measured. */
export interface MeasuredNode extends BalancedNode {
  /** Undefined: nothing is known of it, which is as good as an answer in no time. */
  readonly latency: LatencyAverage | undefined;
}

/** What a balancer by latency is made with. */
export interface LowestLatencyOptions {
  readonly random: Random;
  readonly monotonicMs: () => number;
}

/**
 * Of two nodes taken by chance the one that has answered more quickly of late (APISIX, `ewma`). Weights say no more than whether a node is
 * used at all. Each worker goes by what it has measured itself.
 */
export class LowestLatency<Node extends MeasuredNode> implements Balancer<Node> {
  readonly nodes: readonly Node[];
  readonly #groups: readonly (readonly number[])[];
  readonly #monotonicMs: () => number;
  #state: number;

  constructor(nodes: readonly Node[], { random, monotonicMs }: LowestLatencyOptions) {
    this.nodes = nodes;
    this.#groups = priorityGroups(nodes);
    this.#monotonicMs = monotonicMs;
    this.#state = new RandomNumbers(random).below(2 ** 32) | 1;
  }

  next(tried: readonly number[], down?: Uint8Array): number {
    if (this.nodes.length === 1) return tried.includes(0) ? -1 : 0;
    for (const group of this.#groups) {
      const chosen = this.#chooseIn(group, tried, down);
      if (chosen >= 0) return chosen;
    }
    return -1;
  }

  #chooseIn(group: readonly number[], tried: readonly number[], down: Uint8Array | undefined): number {
    let left = group.length;
    if (tried.length > 0 || down !== undefined) {
      left = 0;
      for (const index of group) if (!isExcluded(index, tried, down)) left++;
    }
    if (left === 0) return -1;
    const first = this.#below(left);
    const one = this.#nth(group, first, tried, down, left);
    if (left === 1) return one;
    const second = this.#below(left - 1);
    const other = this.#nth(group, second >= first ? second + 1 : second, tried, down, left);
    const nowMs = this.#monotonicMs();
    return this.#latencyOf(one, nowMs) > this.#latencyOf(other, nowMs) ? other : one;
  }

  #latencyOf(index: number, nowMs: number): number {
    return this.nodes[index]?.latency?.at(nowMs) ?? 0;
  }

  /** The node at this place among those that are left. */
  #nth(group: readonly number[], place: number, tried: readonly number[], down: Uint8Array | undefined, left: number): number {
    if (left === group.length) return group[place] ?? -1;
    let passed = 0;
    for (const index of group) {
      if (isExcluded(index, tried, down)) continue;
      if (passed === place) return index;
      passed++;
    }
    return -1;
  }

  /** Chance that costs a few nanoseconds (xorshift): nobody gains by guessing it. */
  #below(limit: number): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return Math.floor(((state >>> 0) / 2 ** 32) * limit);
  }
}
