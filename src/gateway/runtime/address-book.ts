import { isIP } from 'node:net';
import type { DiscoveredNode } from '../discovery/index.ts';

/** Called when the addresses of a watched name have changed. */
export type AddressWatcher = () => void;

/**
 * The addresses of node names, and the nodes of services, as this worker knows them. The agent resolves names for all workers and posts what it found;
 * nothing here ever waits.
 */
export class AddressBook {
  readonly #addresses = new Map<string, readonly string[]>();
  readonly #nodes = new Map<string, readonly DiscoveredNode[]>();
  readonly #watchers = new Map<string, Set<AddressWatcher>>();

  /** Addresses of a name, none when it never resolved; an IP literal is its own address. */
  addressesOf(host: string): readonly string[] {
    if (isIP(host) !== 0) return [host];
    return this.#addresses.get(host) ?? [];
  }

  /** Nodes of a service that is discovered (`discoveryKey`); undefined when it was never found. */
  nodesOf(key: string): readonly DiscoveredNode[] | undefined {
    return this.#nodes.get(key);
  }

  /** Takes what the agent found and tells everybody who uses the name. An empty list, and no nodes, forget it. */
  update(name: string, addresses: readonly string[], nodes?: readonly DiscoveredNode[]): void {
    if (nodes === undefined) this.#nodes.delete(name);
    else this.#nodes.set(name, nodes);
    if (addresses.length === 0) this.#addresses.delete(name);
    else this.#addresses.set(name, addresses);
    for (const watcher of this.#watchers.get(name) ?? []) watcher();
  }

  watch(host: string, watcher: AddressWatcher): void {
    if (isIP(host) !== 0) return;
    const watchers = this.#watchers.get(host);
    if (watchers === undefined) this.#watchers.set(host, new Set([watcher]));
    else watchers.add(watcher);
  }

  unwatch(host: string, watcher: AddressWatcher): void {
    const watchers = this.#watchers.get(host);
    watchers?.delete(watcher);
    if (watchers?.size === 0) this.#watchers.delete(host);
  }
}
