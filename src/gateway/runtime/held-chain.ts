import { createMember, type MemberSurroundings } from './create-member.ts';
import type { OwnedPlugins } from './owned-plugins.ts';
import { type ChainMember, chainOf, EMPTY_CHAIN, type PluginChain } from './plugin-chain.ts';

/** A chain with the state of its plugins, which lives until its last request has ended. */
export class HeldChain {
  readonly chain: PluginChain;
  /** Only of global rules, and then not always. */
  #beside: WeakMap<PluginChain, PluginChain> | undefined;
  #requests = 0;
  #retired = false;

  constructor(members: readonly ChainMember[]) {
    this.chain = members.length === 0 ? EMPTY_CHAIN : chainOf(members);
  }

  /** As global rules beside a route's plugins: without those that yield to the route's own. */
  beside(route: PluginChain): PluginChain {
    if (!this.chain.yieldsToRoute) return this.chain;
    this.#beside ??= new WeakMap();
    let chain = this.#beside.get(route);
    if (chain === undefined) {
      const ofRoute = new Set(route.members.filter(({ instance }) => !instance.disabled).map(({ name }) => name));
      chain = chainOf(
        this.chain.members.filter(({ name, instance }) => instance.plugin.runPolicy !== 'prefer-route' || !ofRoute.has(name)),
      );
      this.#beside.set(route, chain);
    }
    return chain;
  }

  /** A request begins to use the chain. */
  enter(): void {
    this.#requests++;
  }

  /** A request that entered has ended. */
  leave(): void {
    this.#requests--;
    if (this.#retired && this.#requests === 0) this.#dispose();
  }

  /** No request begins any more; the plugins' state goes with the last one. Called once. */
  retire(): void {
    this.#retired = true;
    if (this.#requests === 0) this.#dispose();
  }

  #dispose(): void {
    for (const { instance } of this.chain.members) instance.dispose();
  }
}

/**
 * Creates the state of every plugin.
 *
 * @throws CompileError for an unknown plugin, an invalid configuration or a plugin whose `create` throws; nothing stays created
 */
export function createChain(plugins: OwnedPlugins, surroundings: MemberSurroundings): HeldChain {
  return new HeldChain(createMembers(plugins, surroundings));
}

/** The members alone. @throws CompileError as `createChain` */
export function createMembers(plugins: OwnedPlugins, surroundings: MemberSurroundings): readonly ChainMember[] {
  const members: ChainMember[] = [];
  try {
    for (const [name, owned] of plugins) members.push(createMember(name, owned, surroundings));
  } catch (error) {
    for (const { instance } of members) instance.dispose();
    throw error;
  }
  return members;
}
