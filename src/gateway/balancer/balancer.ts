/** One node as a balancer sees it. */
export interface BalancedNode {
  /** Share of the requests; may be a fraction, as when the addresses of a name share its weight. 0: never chosen unless it is the only node. */
  readonly weight: number;
  /** Higher first; a lower group serves only when all nodes above it are excluded. */
  readonly priority: number;
}

/**
 * Chooses nodes, for one worker. A lone node is taken whatever its weight and its health (APISIX takes it without asking the balancer);
 * of several, those of weight 0 are never taken, and those of a lower priority only when no node above them is left.
 */
export interface Balancer<Node extends BalancedNode> {
  readonly nodes: readonly Node[];
  /**
   * The index in `nodes` of the next node that is neither in `tried` nor down; -1 when none is left. `down` has a 1 at the index of each
   * node that is to be passed over; undefined: none is. `keyHash` is what consistent hashing
   * knows the request by (see `HashKey`). Allocates nothing.
   */
  next(tried: readonly number[], down?: Uint8Array, keyHash?: number): number;
}
