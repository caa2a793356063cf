import { mixHash, textHash } from '../../lib/text-hash.ts';
import type { BalancedNode, Balancer } from './balancer.ts';
import { KeyWinners } from './key-winners.ts';
import { isExcluded, priorityGroups } from './priority-groups.ts';

/** A node with a name that stays the same however the list around it changes. */
export interface NamedNode extends BalancedNode {
  /** Unique among the nodes for as long as they are; of several of one name the first that is chosen takes all. */
  readonly name: string;
}

/** Nodes of one priority. */
interface Group {
  readonly indexes: readonly number[];
  readonly seeds: Int32Array;
  /** Weights relative to the greatest. */
  readonly weights: Float64Array;
  readonly isEven: boolean;
  /** Its number among the lists whose winners are remembered; undefined where drawing the lots is as quick as remembering who won them. */
  readonly list: number | undefined;
}

const WORDS = 2 ** 32;
/** Nodes above which winners are remembered. */
const FEW_NODES = 16;
const NOBODY: readonly number[] = [];
/** One for all upstreams of a worker, so that its size does not depend on how many there are. */
const WINNERS = new KeyWinners();

/**
 * Consistent hashing by weighted rendezvous: every node draws a lot for the key, and the best lot wins. So a node that goes gives up its own
 * keys and no other moves; one that comes takes what it gets and leaves the rest alone; a weight that changes moves only keys of that node. Each
 * worker and each instance chooses alike. Unlike a ring of points (ketama, as APISIX has it) the shares are the weights exactly, and
 * nothing has to be built. Of many nodes the winners of the keys that come again are remembered, which changes nothing but the time.
 */
export class ConsistentHash<Node extends NamedNode> implements Balancer<Node> {
  readonly nodes: readonly Node[];
  readonly #groups: readonly Group[];

  constructor(nodes: readonly Node[]) {
    this.nodes = nodes;
    this.#groups = priorityGroups(nodes).map((indexes) => groupOf(indexes, nodes));
  }

  next(tried: readonly number[], down?: Uint8Array, keyHash = 0): number {
    if (this.nodes.length === 1) return tried.includes(0) ? -1 : 0;
    for (const group of this.#groups) {
      const winner = group.list === undefined ? -1 : remembered(group, group.list, keyHash);
      // Whoever wins among all wins among any of them, too.
      if (winner >= 0 && !isExcluded(winner, tried, down)) return winner;
      const chosen = draw(group, keyHash, tried, down);
      if (chosen >= 0) return chosen;
    }
    return -1;
  }
}

function groupOf(indexes: readonly number[], nodes: readonly NamedNode[]): Group {
  const weights = indexes.map((index) => nodes[index]?.weight ?? 0);
  const greatest = Math.max(...weights);
  return {
    indexes,
    seeds: Int32Array.from(indexes, (index) => textHash(nodes[index]?.name ?? '')),
    weights: Float64Array.from(weights, (weight) => weight / greatest),
    isEven: weights.every((weight) => weight === greatest),
    list: indexes.length > FEW_NODES ? WINNERS.newList() : undefined,
  };
}

function remembered(group: Group, list: number, keyHash: number): number {
  const known = WINNERS.get(list, keyHash);
  if (known >= 0) return known;
  const winner = draw(group, keyHash, NOBODY, undefined);
  WINNERS.set(list, keyHash, winner);
  return winner;
}

function draw(group: Group, keyHash: number, tried: readonly number[], down: Uint8Array | undefined): number {
  return group.isEven ? highest(group, keyHash, tried, down) : best(group, keyHash, tried, down);
}

function lot(seed: number, keyHash: number): number {
  // Twice, because one round over a plain exclusive or would let two nodes' lots follow each other.
  return mixHash(mixHash(seed ^ keyHash) + Math.imul(seed, 0x9e3779b1));
}

/** Of equal weights the highest lot. */
function highest(group: Group, keyHash: number, tried: readonly number[], down: Uint8Array | undefined): number {
  let chosen = -1;
  let bestLot = -1;
  for (let position = 0; position < group.indexes.length; position++) {
    const index = group.indexes[position] ?? -1;
    if (isExcluded(index, tried, down)) continue;
    const drawn = lot(group.seeds[position] ?? 0, keyHash);
    if (drawn <= bestLot) continue;
    bestLot = drawn;
    chosen = index;
  }
  return chosen;
}

/** Of several weights the greatest `ln(u) / weight`, which a node wins as often as its weight is of all (weighted rendezvous). */
function best(group: Group, keyHash: number, tried: readonly number[], down: Uint8Array | undefined): number {
  let chosen = -1;
  let bestScore = Number.NEGATIVE_INFINITY;
  for (let position = 0; position < group.indexes.length; position++) {
    const index = group.indexes[position] ?? -1;
    if (isExcluded(index, tried, down)) continue;
    const weight = group.weights[position] ?? 0;
    const drawn = (lot(group.seeds[position] ?? 0, keyHash) + 0.5) / WORDS;
    // ln(u) is at most u - 1: most nodes are out without a logarithm.
    if ((drawn - 1) / weight <= bestScore) continue;
    const score = Math.log(drawn) / weight;
    if (score <= bestScore) continue;
    bestScore = score;
    chosen = index;
  }
  return chosen;
}
