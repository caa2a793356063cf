import type { BalancedNode, Balancer } from './balancer.ts';
import { isExcluded, priorityGroups } from './priority-groups.ts';

/** A node whose requests in flight are counted. */
export interface CountedNode extends BalancedNode {
  /** Where they are counted. */
  readonly loadSlot: number;
}

/** Nodes of one priority. */
interface Group {
  readonly indexes: readonly number[];
  /** That of an idle node of the greatest weight. */
  readonly leastLoad: number;
}

/** Requests in flight in a slot, over all workers of the instance. Never negative in the long run: a worker that dies takes its own along. */
export type RequestsInFlight = (slot: number) => number;

/**
 * The node with the fewest requests in flight for its weight, with the one to come: the least of (requests + 1) / weight, as APISIX weighs
 * it. Nodes that are alike take turns.
 */
export class LeastConnections<Node extends CountedNode> implements Balancer<Node> {
  readonly nodes: readonly Node[];
  readonly #groups: readonly Group[];
  readonly #requestsInFlight: RequestsInFlight;
  #turn = 0;

  constructor(nodes: readonly Node[], requestsInFlight: RequestsInFlight) {
    this.nodes = nodes;
    this.#groups = priorityGroups(nodes).map((indexes) => {
      const weights = indexes.map((index) => nodes[index]?.weight ?? 0);
      return { indexes, leastLoad: 1 / Math.max(...weights) };
    });
    this.#requestsInFlight = requestsInFlight;
  }

  next(tried: readonly number[], down?: Uint8Array): number {
    if (this.nodes.length === 1) return tried.includes(0) ? -1 : 0;
    this.#turn++;
    for (const group of this.#groups) {
      const chosen = this.#chooseIn(group, tried, down);
      if (chosen >= 0) return chosen;
    }
    return -1;
  }

  #chooseIn({ indexes, leastLoad: leastPossible }: Group, tried: readonly number[], down: Uint8Array | undefined): number {
    const start = this.#turn % indexes.length;
    let chosen = -1;
    let leastLoad = Number.POSITIVE_INFINITY;
    for (let step = 0; step < indexes.length; step++) {
      const position = start + step < indexes.length ? start + step : start + step - indexes.length;
      const index = indexes[position] ?? -1;
      if (isExcluded(index, tried, down)) continue;
      const node = this.nodes[index];
      if (node === undefined) continue;
      const load = (this.#requestsInFlight(node.loadSlot) + 1) / node.weight;
      if (load >= leastLoad) continue;
      // Nothing is in flight on one of the greatest weight: none of the others can have less.
      if (load <= leastPossible) return index;
      leastLoad = load;
      chosen = index;
    }
    return chosen;
  }
}
