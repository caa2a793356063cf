export { type DiscoveredNode, type Discovery, discoveryKey, readDiscoveryKey } from './discovery.ts';
export { DnsDiscovery } from './dns-discovery.ts';
export { type NodeSource, type ResolvedNode, resolveNodes, sourceNamesOf } from './resolve-nodes.ts';
