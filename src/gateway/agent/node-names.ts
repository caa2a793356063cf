import { isIP } from 'node:net';
import type { PluginSchema, ReadPlugin } from '../../plugin-kit/index.ts';
import { asUpstreamDocument, type EffectiveUpstream, readUpstream, type UpstreamNode } from '../../schema/index.ts';
import type { NameResolver } from '../names/index.ts';
import type { PluginSettings } from '../runtime/settings.ts';
import type { NameAddresses } from '../worker/worker-messages.ts';

/** Where nodes may be named: in an upstream, and in those that plugins bring along. */
export interface NamedNodes {
  readonly upstream?: Pick<EffectiveUpstream, 'nodes'> | undefined;
  readonly plugins: PluginSettings;
}

/** The names (not addresses) that the nodes of a service, a route, a global rule or a consumer go by, each once. */
export function nodeNamesOf({ upstream, plugins }: NamedNodes, schemas: readonly UpstreamPlugin[]): readonly string[] {
  const nodes = [...(upstream?.nodes ?? []), ...[...plugins].flatMap(([name, read]) => nodesOfPlugin(name, read, schemas))];
  return [...new Set(nodes.map((node) => node.host).filter((host) => isIP(host) === 0))];
}

/** What must be known of a plugin to find its upstreams. */
export type UpstreamPlugin = Pick<PluginSchema, 'name' | 'upstreams'>;

function nodesOfPlugin(name: string, read: ReadPlugin, schemas: readonly UpstreamPlugin[]): readonly UpstreamNode[] {
  if (read.kind !== 'ready') return [];
  const upstreams = schemas.find((schema) => schema.name === name)?.upstreams?.(read.configuration) ?? [];
  const own = upstreams.flatMap((document) => readUpstream(asUpstreamDocument(document)).nodes);
  return [...own, ...(read.nested ?? []).flatMap((nested) => nodesOfPlugin(nested.name, nested.read, schemas))];
}

/** Which names the configuration uses, counted, so that each stays resolved as long as anything needs it. */
export class NodeNames {
  readonly #resolver: NameResolver;
  readonly #uses = new Map<string, number>();

  constructor(resolver: NameResolver) {
    this.#resolver = resolver;
  }

  retain(names: readonly string[]): void {
    for (const name of names) {
      this.#uses.set(name, (this.#uses.get(name) ?? 0) + 1);
      this.#resolver.retain(name);
    }
  }

  release(names: readonly string[]): void {
    for (const name of names) {
      const uses = (this.#uses.get(name) ?? 0) - 1;
      if (uses > 0) this.#uses.set(name, uses);
      else this.#uses.delete(name);
      this.#resolver.release(name);
    }
  }

  isUsed(name: string): boolean {
    return this.#uses.has(name);
  }

  /** What is known of these names, or of all that are in use. */
  known(names: Iterable<string> = this.#uses.keys()): readonly NameAddresses[] {
    const entries: NameAddresses[] = [];
    for (const name of names) {
      const addresses = this.#resolver.addressesOf(name);
      if (addresses !== undefined && addresses.length > 0) entries.push({ name, addresses });
    }
    return entries;
  }

  /** Resolves when each name has an answer, good or bad, at the latest after `timeoutMs`. */
  resolved(names: readonly string[], timeoutMs: number): Promise<void> {
    return this.#resolver.resolved(names, timeoutMs);
  }
}
