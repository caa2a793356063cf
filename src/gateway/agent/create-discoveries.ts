import { type Discovery, DnsDiscovery } from '../discovery/index.ts';
import type { GatewayOptions } from '../gateway-options.ts';
import { type NameResolver, systemNameSources } from '../names/index.ts';

/** The ways in which this version finds the nodes of services, by `discovery_type`. */
export function createDiscoveries(
  { clock, random, log }: Pick<GatewayOptions, 'clock' | 'random' | 'log'>,
  resolver: NameResolver,
): ReadonlyMap<string, Discovery> {
  const sources = systemNameSources();
  const resolveSrv = async (name: string) => {
    // Servers are read anew when the file has changed.
    await sources.readResolverSettings();
    return sources.resolveSrv(name);
  };
  return new Map([['dns', new DnsDiscovery({ resolver, resolveSrv, clock, random, log })]]);
}
