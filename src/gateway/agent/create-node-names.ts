import { type Discovery, DnsDiscovery, discoveryKey } from '../discovery/index.ts';
import type { GatewayOptions } from '../gateway-options.ts';
import { NameResolver, systemNameSources } from '../names/index.ts';
import { NodeNames } from './node-names.ts';

type NamingOptions = Pick<GatewayOptions, 'clock' | 'random' | 'log'>;

/** What resolves the names of an instance and finds its services. `onChange` hears each name, and each `discoveryKey`, that is in use and changes. */
export function createNodeNames(options: NamingOptions, onChange: (name: string) => void): NodeNames {
  const resolver = new NameResolver(options);
  const discoveries = createDiscoveries(options, resolver);
  const names = new NodeNames(resolver, discoveries);
  const changed = (name: string): void => {
    if (names.isUsed(name)) onChange(name);
  };
  resolver.onChange(changed);
  for (const [type, discovery] of discoveries) discovery.onChange((service) => changed(discoveryKey(type, service)));
  return names;
}

/** The ways in which this version finds the nodes of services, by `discovery_type`: another one is another line here. */
function createDiscoveries({ clock, random, log }: NamingOptions, resolver: NameResolver): ReadonlyMap<string, Discovery> {
  const sources = systemNameSources();
  const resolveSrv = async (name: string) => {
    // Servers are read anew when the file has changed.
    await sources.readResolverSettings();
    return sources.resolveSrv(name);
  };
  return new Map([['dns', new DnsDiscovery({ resolver, resolveSrv, clock, random, log })]]);
}
