import type { Random } from '../../lib/random.ts';

/** One node as a balancer sees it. */
export interface BalancedNode {
  /** Share of the requests; may be a fraction, as when a name's addresses share its weight. 0: never chosen unless it is the only node. */
  readonly weight: number;
  /** Higher first; a lower group serves only when all nodes above are excluded. */
  readonly priority: number;
}

/** Stub: signatures only. */
export class SmoothRoundRobin<Node extends BalancedNode> {
  readonly nodes: readonly Node[];
  constructor(nodes: readonly Node[], _random: Random) {
    this.nodes = nodes;
  }
  /** Index into `nodes` of the next node that is not in `tried`, or -1. No allocation. */
  next(_tried: readonly number[]): number {
    return -1;
  }
}
