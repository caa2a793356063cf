import type { Random } from '../../lib/random.ts';

/** One node as a balancer sees it. */
export interface BalancedNode {
  /** Share of the requests; may be a fraction, as when the addresses of a name share its weight. 0: never chosen unless it is the only node. */
  readonly weight: number;
  /** Higher first; a lower group serves only when all nodes above it are excluded. */
  readonly priority: number;
}

/** Nodes of one priority, by their index in the balancer's list, with their running credit. */
interface Group {
  readonly priority: number;
  readonly indexes: number[];
  readonly weights: number[];
  readonly credits: number[];
}

const MOST_START_STEPS = 256;

/**
 * Smooth weighted round robin, as nginx and APISIX choose: over each run of as many choices as the weights sum up to, every
 * node is chosen as often as its weight says, and evenly spread. Starts at a random place, so that many workers do not all
 * begin with the same node. A lone node is taken whatever its weight.
 */
export class SmoothRoundRobin<Node extends BalancedNode> {
  readonly nodes: readonly Node[];
  readonly #groups: readonly Group[];
  #startSteps: number;

  constructor(nodes: readonly Node[], random: Random) {
    this.nodes = nodes;
    this.#groups = groupsOf(nodes);
    this.#startSteps = nodes.length > 1 ? random.bytes(2).readUInt16LE(0) % MOST_START_STEPS : 0;
  }

  /** The index in `nodes` of the next node that is not in `tried`; -1 when none is left. Allocates nothing. */
  next(tried: readonly number[]): number {
    if (this.nodes.length === 1) return tried.includes(0) ? -1 : 0;
    // Done at the first choice, because most balancers of a large configuration are not used before the next change.
    for (; this.#startSteps > 0; this.#startSteps--) this.#choose(NOTHING_TRIED);
    return this.#choose(tried);
  }

  #choose(tried: readonly number[]): number {
    for (const group of this.#groups) {
      const chosen = chooseIn(group, tried);
      if (chosen >= 0) return chosen;
    }
    return -1;
  }
}

const NOTHING_TRIED: readonly number[] = [];

/** Every node that may be chosen gains its weight; the one with the most credit is chosen and pays what all gained. */
function chooseIn(group: Group, tried: readonly number[]): number {
  let best = -1;
  let bestCredit = Number.NEGATIVE_INFINITY;
  let total = 0;
  for (let position = 0; position < group.indexes.length; position++) {
    if (tried.length > 0 && tried.includes(group.indexes[position] ?? -1)) continue;
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

function groupsOf(nodes: readonly BalancedNode[]): readonly Group[] {
  const groups = new Map<number, Group>();
  for (const [index, node] of nodes.entries()) {
    if (node.weight <= 0) continue;
    const group = groups.get(node.priority) ?? { priority: node.priority, indexes: [], weights: [], credits: [] };
    groups.set(node.priority, group);
    group.indexes.push(index);
    group.weights.push(node.weight);
    group.credits.push(0);
  }
  return [...groups.values()].sort((one, other) => other.priority - one.priority);
}
