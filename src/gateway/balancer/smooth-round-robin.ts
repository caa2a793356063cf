import type { Random } from '../../lib/random.ts';
import type { BalancedNode, Balancer } from './balancer.ts';
import { isExcluded, priorityGroups } from './priority-groups.ts';

/** Nodes of one priority, by their index in the balancer's list, with their running credit. */
interface Group {
  readonly indexes: readonly number[];
  readonly weights: readonly number[];
  readonly credits: number[];
}

const MOST_START_STEPS = 256;
const NOTHING_TRIED: readonly number[] = [];

/**
 * Smooth weighted round robin, as nginx and APISIX choose: over each run of as many choices as the weights sum up to, every
 * node is chosen as often as its weight says, and evenly spread. Starts at a random place, so that many workers do not all
 * begin with the same node.
 */
export class SmoothRoundRobin<Node extends BalancedNode> implements Balancer<Node> {
  readonly nodes: readonly Node[];
  readonly #groups: readonly Group[];
  #startSteps: number;

  constructor(nodes: readonly Node[], random: Random) {
    this.nodes = nodes;
    this.#groups = priorityGroups(nodes).map((indexes) => ({
      indexes,
      weights: indexes.map((index) => nodes[index]?.weight ?? 0),
      credits: indexes.map(() => 0),
    }));
    this.#startSteps = nodes.length > 1 ? random.bytes(2).readUInt16LE(0) % MOST_START_STEPS : 0;
  }

  next(tried: readonly number[], down?: Uint8Array): number {
    if (this.nodes.length === 1) return tried.includes(0) ? -1 : 0;
    // Done at the first choice, because most balancers of a large configuration are not used before the next change.
    for (; this.#startSteps > 0; this.#startSteps--) this.#choose(NOTHING_TRIED, undefined);
    return this.#choose(tried, down);
  }

  #choose(tried: readonly number[], down: Uint8Array | undefined): number {
    for (const group of this.#groups) {
      const chosen = chooseIn(group, tried, down);
      if (chosen >= 0) return chosen;
    }
    return -1;
  }
}

/** Every node that may be chosen gains its weight; the one with the most credit is chosen and pays what all gained. */
function chooseIn(group: Group, tried: readonly number[], down: Uint8Array | undefined): number {
  let best = -1;
  let bestCredit = Number.NEGATIVE_INFINITY;
  let total = 0;
  for (let position = 0; position < group.indexes.length; position++) {
    if (isExcluded(group.indexes[position] ?? -1, tried, down)) continue;
    const weight = group.weights[position] ?? 0;
    const credit = (group.credits[position] ?? 0) + weight;
    group.credits[position] = credit;
    total += weight;
    if (credit > bestCredit) {
      best = position;
      bestCredit = credit;
    }
  }
  if (best < 0) return -1;
  group.credits[best] = bestCredit - total;
  return group.indexes[best] ?? -1;
}
