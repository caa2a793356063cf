import type { ServiceRecord } from '../names/index.ts';
import type { DiscoveredNode } from './discovery.ts';

/** RFC 2782: a target of weight 0 beside others has a very small chance. */
const SMALLEST_WEIGHT = 0.1;

/** The nodes of a service that has addresses only: equal ones. */
export function nodesOfAddresses(addresses: readonly string[], port: number | undefined): readonly DiscoveredNode[] {
  return addresses.map((address) => ({ address, port, weight: 1, priority: 0 }));
}

/**
 * The nodes that SRV records (RFC 2782) say, in a fixed order. A lower number is the higher priority; addresses of one target share its
 * weight. `port` wins over those of the records; port 0 is the scheme's own.
 */
export function nodesOfRecords(
  records: readonly ServiceRecord[],
  addressesOf: (name: string) => readonly string[],
  port: number | undefined,
): readonly DiscoveredNode[] {
  const areAllZero = records.every(({ weight }) => weight === 0);
  const nodes = records.flatMap((record) => {
    const addresses = addressesOf(record.name);
    const weight = areAllZero ? 1 : Math.max(record.weight, SMALLEST_WEIGHT);
    return addresses.map((address): DiscoveredNode => {
      const ownPort = record.port === 0 ? undefined : record.port;
      // `0 -` and not `-`: there is only one zero.
      return { address, port: port ?? ownPort, weight: weight / addresses.length, priority: 0 - record.priority };
    });
  });
  return nodes.sort((one, other) => other.priority - one.priority || compareTexts(textOf(one), textOf(other)));
}

function textOf({ address, port, weight }: DiscoveredNode): string {
  return `${address} ${port} ${weight}`;
}

function compareTexts(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
