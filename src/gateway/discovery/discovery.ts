/** One node that was found: an address, not a name. */
export interface DiscoveredNode {
  readonly address: string;
  /** Undefined: the one that the upstream's scheme has. */
  readonly port: number | undefined;
  readonly weight: number;
  readonly priority: number;
}

/** Called when the nodes of a service that is followed differ from before. */
export type DiscoveryListener = (serviceName: string) => void;

/**
 * One way to find the nodes of services (`discovery_type`): follows, in the background, the services that are retained, and keeps the last
 * nodes that were found when finding fails. DNS is one; Kubernetes, Consul or Nacos would be others: an object of this shape in the list
 * that the agent makes is all that they need. Only the agent has any; workers get what was found.
 */
export interface Discovery {
  /** Follows the service until it has been released as often as retained. */
  retain(serviceName: string): void;
  release(serviceName: string): void;
  /** The last nodes found, in a fixed order; undefined when the service is not followed or was never found. */
  nodesOf(serviceName: string): readonly DiscoveredNode[] | undefined;
  onChange(listener: DiscoveryListener): void;
  /** Resolves when each of these services that is followed has an answer, good or bad, at the latest after `timeoutMs`. Never rejects. */
  resolved(serviceNames: readonly string[], timeoutMs: number): Promise<void>;
  close(): void;
}

/** Stands in no host name. */
const SEPARATOR = '/';

/** One text for a service of one way of discovery, where host names stand too. */
export function discoveryKey(type: string, serviceName: string): string {
  return `${type}${SEPARATOR}${serviceName}`;
}

/** What `discoveryKey` was given; undefined for a host name. */
export function readDiscoveryKey(key: string): { readonly type: string; readonly serviceName: string } | undefined {
  const end = key.indexOf(SEPARATOR);
  return end === -1 ? undefined : { type: key.slice(0, end), serviceName: key.slice(end + 1) };
}
