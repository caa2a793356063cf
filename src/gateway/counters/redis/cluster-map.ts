/** Hash slots of a cluster. */
export const CLUSTER_SLOTS = 16_384;

const POLYNOMIAL = 0x1021;

/** The slot of a key (Redis cluster specification): CRC-16/XMODEM of what stands in the first braces, or of all, in UTF-8. */
export function clusterSlotOf(key: string): number {
  const start = key.indexOf('{');
  const end = start < 0 ? -1 : key.indexOf('}', start + 1);
  const tag = end > start + 1 ? key.slice(start + 1, end) : key;
  let crc = 0;
  for (const byte of Buffer.from(tag, 'utf8')) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ ((crc & 0x8000) === 0 ? 0 : POLYNOMIAL)) & 0xffff;
  }
  return crc % CLUSTER_SLOTS;
}

/** Slots that lie on one node, named `host:port`; both ends belong to it. */
export interface SlotRange {
  readonly from: number;
  readonly to: number;
  readonly node: string;
}

/** What `CLUSTER SLOTS` answered. `asked` is the host that did, which may leave its own name out. */
export function readSlotRanges(answer: unknown, asked: string): readonly SlotRange[] {
  const ranges: readonly unknown[] = Array.isArray(answer) ? answer : [];
  return ranges.flatMap((range) => {
    if (!Array.isArray(range)) return [];
    const [from, to, master]: readonly unknown[] = range;
    const node = nodeNameOf(master, asked);
    return typeof from === 'number' && typeof to === 'number' && node !== undefined ? [{ from, to, node }] : [];
  });
}

/** Which node has which slots. */
export class ClusterMap {
  #nodes: (string | undefined)[] = [];

  nodeOf(slot: number): string | undefined {
    return this.#nodes[slot];
  }

  has(node: string): boolean {
    return this.#nodes.includes(node);
  }

  move(slot: number, node: string): void {
    this.#nodes[slot] = node;
  }

  replace(ranges: readonly SlotRange[]): void {
    const nodes = new Array<string | undefined>(CLUSTER_SLOTS).fill(undefined);
    for (const { from, to, node } of ranges) nodes.fill(node, from, to + 1);
    this.#nodes = nodes;
  }
}

function nodeNameOf(entry: unknown, asked: string): string | undefined {
  if (!Array.isArray(entry)) return undefined;
  const [host, port]: readonly unknown[] = entry;
  if (typeof port !== 'number') return undefined;
  return `${typeof host === 'string' && host !== '' && host !== '?' ? host : asked}:${port}`;
}
