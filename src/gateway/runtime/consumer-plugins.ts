import type { ReadPlugin } from '../../plugin-kit/index.ts';
import type { MemberSurroundings } from './create-member.ts';
import { createChain, type HeldChain } from './held-chain.ts';
import { ownedBy } from './owned-plugins.ts';
import { chainOf, type PluginChain, type PluginStep } from './plugin-chain.ts';

/** What holds for a request once its consumer is known. */
export interface ConsumerChain {
  /** The route's plugins, with the consumer's in the place of those of the same name. */
  readonly merged: PluginChain;
  /** `rewrite` of the plugins that only the consumer has; those of the route have run already (APISIX). */
  readonly rewrite: readonly PluginStep[];
}

/** A consumer's own plugins, created, and what they make of the chains of routes. */
export class ConsumerPlugins {
  readonly #held: HeldChain;
  readonly #chains = new WeakMap<PluginChain, ConsumerChain>();

  constructor(held: HeldChain) {
    this.#held = held;
  }

  enter(): void {
    this.#held.enter();
  }

  leave(): void {
    this.#held.leave();
  }

  retire(): void {
    this.#held.retire();
  }

  /** The consumer's plugins over a route's. */
  over(route: PluginChain): ConsumerChain {
    let chain = this.#chains.get(route);
    if (chain === undefined) {
      chain = mergeChains(route, this.#held.chain);
      this.#chains.set(route, chain);
    }
    return chain;
  }
}

/** One disabled on the consumer hides the route's too: whole configurations replace one another. */
function mergeChains(route: PluginChain, consumer: PluginChain): ConsumerChain {
  const ofConsumer = new Set(consumer.members.map(({ name }) => name));
  const ofRoute = new Set(route.members.map(({ name }) => name));
  const merged = chainOf([...route.members.filter(({ name }) => !ofConsumer.has(name)), ...consumer.members]);
  return { merged, rewrite: consumer.rewrite.filter(({ plugin }) => !ofRoute.has(plugin)) };
}

/** Consumers whose plugins are kept ready: those who call most need not be made again. */
const MAX_KEPT = 4096;

/**
 * The plugins of consumers, created when one first calls and kept as long as it calls often enough. Found by the consumer's name and
 * the text of its plugins, so that a changed consumer gets new ones with its next request.
 */
export class ConsumerPluginCache {
  readonly #surroundings: MemberSurroundings;
  readonly #kept = new Map<string, { readonly text: string; readonly plugins: ConsumerPlugins }>();

  constructor(surroundings: MemberSurroundings) {
    this.#surroundings = surroundings;
  }

  /** `text`: JSON of `[name, ReadPlugin][]`. @throws CompileError when this version cannot serve them: the request must not go on without */
  find(username: string, text: string): ConsumerPlugins {
    const known = this.#kept.get(username);
    if (known?.text === text) {
      // Behind all others: the one that called longest ago goes first.
      this.#kept.delete(username);
      this.#kept.set(username, known);
      return known.plugins;
    }
    const plugins = new ConsumerPlugins(createChain(ownedBy({ kind: 'consumer', id: username }, parsePlugins(text)), this.#surroundings));
    known?.plugins.retire();
    this.#kept.delete(username);
    this.#kept.set(username, { text, plugins });
    this.#shrink();
    return plugins;
  }

  /** Lets all go, because what they were made with has changed. */
  clear(): void {
    for (const { plugins } of this.#kept.values()) plugins.retire();
    this.#kept.clear();
  }

  #shrink(): void {
    if (this.#kept.size <= MAX_KEPT) return;
    const [oldest] = this.#kept;
    if (oldest === undefined) return;
    this.#kept.delete(oldest[0]);
    oldest[1].plugins.retire();
  }
}

/** The parsing border: the agent wrote the text. */
function parsePlugins(text: string): ReadonlyMap<string, ReadPlugin> {
  return new Map(JSON.parse(text) as [string, ReadPlugin][]);
}
