import { isIP } from 'node:net';
import type { NameResolver } from '../names/index.ts';
import type { ServiceSettings } from '../runtime/settings.ts';
import type { NameAddresses } from '../worker/worker-messages.ts';

/** The names (not addresses) that a service's nodes go by, each once. */
export function nodeNamesOf(service: ServiceSettings): readonly string[] {
  const nodes = service.upstream?.nodes ?? [];
  return [...new Set(nodes.map((node) => node.host).filter((host) => isIP(host) === 0))];
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
