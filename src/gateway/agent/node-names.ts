import { isIP } from 'node:net';
import type { PluginSchema, ReadPlugin } from '../../plugin-kit/index.ts';
import { asUpstreamDocument, type EffectiveUpstream, readUpstream } from '../../schema/index.ts';
import { type DiscoveredNode, type Discovery, type NodeSource, readDiscoveryKey, sourceNamesOf } from '../discovery/index.ts';
import type { NameResolver } from '../names/index.ts';
import type { PluginSettings } from '../runtime/settings.ts';
import type { NameAddresses } from '../worker/worker-messages.ts';

/** What of an upstream says where its nodes are. */
type NamingUpstream = Pick<EffectiveUpstream, 'nodes' | 'discovery'>;

/** Where nodes may be named: in an upstream, and in those that plugins bring along. */
export interface NamedNodes {
  readonly upstream?: NamingUpstream | undefined;
  readonly plugins: PluginSettings;
}

/** The names (not addresses) that the nodes of a service, a route, a global rule or a consumer go by, and the services (`discoveryKey`), each once. */
export function nodeNamesOf({ upstream, plugins }: NamedNodes, schemas: readonly UpstreamPlugin[]): readonly string[] {
  const ofPlugins = [...plugins].flatMap(([name, read]) => upstreamsOfPlugin(name, read, schemas));
  const names = [...(upstream === undefined ? [] : [upstream]), ...ofPlugins].flatMap(sourceNamesOf);
  return [...new Set(names.filter((name) => isIP(name) === 0))];
}

/** What must be known of a plugin to find its upstreams. */
export type UpstreamPlugin = Pick<PluginSchema, 'name' | 'upstreams'>;

function upstreamsOfPlugin(name: string, read: ReadPlugin, schemas: readonly UpstreamPlugin[]): readonly NamingUpstream[] {
  if (read.kind !== 'ready') return [];
  const upstreams = schemas.find((schema) => schema.name === name)?.upstreams?.(read.configuration) ?? [];
  const own = upstreams.map((document) => readUpstream(asUpstreamDocument(document)));
  return [...own, ...(read.nested ?? []).flatMap((nested) => upstreamsOfPlugin(nested.name, nested.read, schemas))];
}

/** Which names and services the configuration uses, counted, so that each is followed as long as anything needs it. */
export class NodeNames implements NodeSource {
  readonly #resolver: NameResolver;
  readonly #discoveries: ReadonlyMap<string, Discovery>;
  readonly #uses = new Map<string, number>();

  /** `discoveries`: by the type that upstreams name. */
  constructor(resolver: NameResolver, discoveries: ReadonlyMap<string, Discovery> = new Map()) {
    this.#resolver = resolver;
    this.#discoveries = discoveries;
  }

  retain(names: readonly string[]): void {
    for (const name of names) {
      this.#uses.set(name, (this.#uses.get(name) ?? 0) + 1);
      const service = readDiscoveryKey(name);
      if (service === undefined) this.#resolver.retain(name);
      else this.#discoveries.get(service.type)?.retain(service.serviceName);
    }
  }

  release(names: readonly string[]): void {
    for (const name of names) {
      const uses = (this.#uses.get(name) ?? 0) - 1;
      if (uses > 0) this.#uses.set(name, uses);
      else this.#uses.delete(name);
      const service = readDiscoveryKey(name);
      if (service === undefined) this.#resolver.release(name);
      else this.#discoveries.get(service.type)?.release(service.serviceName);
    }
  }

  isUsed(name: string): boolean {
    return this.#uses.has(name);
  }

  addressesOf(host: string): readonly string[] {
    return this.#resolver.addressesOf(host) ?? [];
  }

  nodesOf(key: string): readonly DiscoveredNode[] | undefined {
    const service = readDiscoveryKey(key);
    return service && this.#discoveries.get(service.type)?.nodesOf(service.serviceName);
  }

  /** What is known of these names, or of all that are in use. */
  known(names: Iterable<string> = this.#uses.keys()): readonly NameAddresses[] {
    const entries: NameAddresses[] = [];
    for (const name of names) {
      const nodes = this.nodesOf(name);
      const addresses = nodes === undefined ? this.addressesOf(name) : [];
      if (nodes !== undefined) entries.push({ name, addresses, nodes });
      else if (addresses.length > 0) entries.push({ name, addresses });
    }
    return entries;
  }

  /** Resolves when each name has an answer, good or bad, at the latest after `timeoutMs`. */
  async resolved(names: readonly string[], timeoutMs: number): Promise<void> {
    const waits = [this.#resolver.resolved(names, timeoutMs)];
    for (const [type, discovery] of this.#discoveries) {
      const services = names.map(readDiscoveryKey).filter((service) => service?.type === type);
      if (services.length > 0)
        waits.push(
          discovery.resolved(
            services.flatMap((service) => service?.serviceName ?? []),
            timeoutMs,
          ),
        );
    }
    await Promise.all(waits);
  }

  /** Follows nothing any more. */
  close(): void {
    for (const discovery of this.#discoveries.values()) discovery.close();
    this.#resolver.close();
  }
}
