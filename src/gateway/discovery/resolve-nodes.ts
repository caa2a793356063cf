import type { EffectiveUpstream, UpstreamNode } from '../../schema/index.ts';
import { type DiscoveredNode, discoveryKey } from './discovery.ts';

/** What is known of names and services; the agent and each worker have one. */
export interface NodeSource {
  /** None where the name never resolved; an IP literal is its own. */
  addressesOf(host: string): readonly string[];
  /** Undefined where the service (`discoveryKey`) was never found. */
  nodesOf(key: string): readonly DiscoveredNode[] | undefined;
}

/** One address of a node. */
export interface ResolvedNode extends UpstreamNode {
  readonly address: string;
}

/** The addresses of an upstream at one moment. */
export interface ResolvedNodes {
  readonly nodes: readonly ResolvedNode[];
  /** False: some name, or the service, was never found. */
  readonly isComplete: boolean;
}

/** Where nodes name no port. */
const HTTP_PORT = 80;
const HTTPS_PORT = 443;

/** The key under which an upstream's service is followed; undefined where its nodes are configured. */
function discoveryKeyOf({ discovery }: Pick<EffectiveUpstream, 'discovery'>): string | undefined {
  return discovery === undefined ? undefined : discoveryKey(discovery.type, discovery.serviceName);
}

/** The names, and the service, that an upstream's addresses come from; literal addresses among them. */
export function sourceNamesOf(upstream: Pick<EffectiveUpstream, 'nodes' | 'discovery'>): readonly string[] {
  const key = discoveryKeyOf(upstream);
  return key === undefined ? upstream.nodes.map(({ host }) => host) : [key];
}

/** All addresses of an upstream. Those of one name share its weight (APISIX: each becomes a node). */
export function resolveNodes(upstream: Pick<EffectiveUpstream, 'nodes' | 'discovery' | 'tls'>, source: NodeSource): ResolvedNodes {
  const key = discoveryKeyOf(upstream);
  if (key !== undefined) {
    const found = source.nodesOf(key);
    const ownPort = upstream.tls === undefined ? HTTP_PORT : HTTPS_PORT;
    const nodes = (found ?? []).map(({ port = ownPort, ...node }) => ({ ...node, port, host: node.address }));
    return { nodes, isComplete: found !== undefined };
  }
  let isComplete = true;
  const isAlone = upstream.nodes.length === 1;
  const nodes = upstream.nodes.flatMap((node) => {
    const addresses = source.addressesOf(node.host);
    if (addresses.length === 0) isComplete = false;
    // A lone node is used whatever its weight is (APISIX), and has several addresses where it is a name.
    const weight = isAlone && node.weight === 0 ? 1 : node.weight;
    return addresses.map((address) => ({ ...node, address, weight: weight / addresses.length }));
  });
  return { nodes, isComplete };
}
