import type { BalancedNode } from './balancer.ts';

/**
 * The indexes of the nodes that may be chosen, by priority, the highest first. Nodes of weight 0 are in none; a lone node is always in.
 */
export function priorityGroups(nodes: readonly BalancedNode[]): readonly (readonly number[])[] {
  if (nodes.length === 1) return [[0]];
  const groups = new Map<number, number[]>();
  for (const [index, node] of nodes.entries()) {
    if (node.weight <= 0) continue;
    const group = groups.get(node.priority);
    if (group === undefined) groups.set(node.priority, [index]);
    else group.push(index);
  }
  return [...groups].sort(([one], [other]) => other - one).map(([, indexes]) => indexes);
}

/** Whether a node of several must not be chosen. */
export function isExcluded(index: number, tried: readonly number[], down: Uint8Array | undefined): boolean {
  return (down !== undefined && down[index] === 1) || (tried.length > 0 && tried.includes(index));
}
